//! Writes the lines of a file.

use std::io::Write;

use sha2::{Digest, Sha256};

use super::forms::HashForm;
use super::lines::{EndLine, HeadLine, Line};
use super::{ArchiveError, Counts, FORMAT};
use crate::session::TimeMark;

/// A file that is being written.
pub(super) struct ArchiveWriter<W> {
    to: W,
    written: Sha256,
    counts: Counts,
}

impl<W: Write> ArchiveWriter<W> {
    /// Begins it, at that moment.
    pub(super) fn new(to: W, mark: &TimeMark) -> Result<Self, ArchiveError> {
        let mut writer = Self { to, written: Sha256::new(), counts: Counts::default() };
        writer.write(&Line::RejoinSessions(HeadLine::new(FORMAT, mark)))?;
        Ok(writer)
    }

    pub(super) fn write(&mut self, line: &Line) -> Result<(), ArchiveError> {
        match line {
            Line::Session(_) => self.counts.sessions += 1,
            Line::Ended(_) => self.counts.ended += 1,
            Line::Answer(_) => self.counts.answers += 1,
            Line::RejoinSessions(_) | Line::End(_) => {}
        }
        let mut bytes = serde_json::to_vec(line).map_err(std::io::Error::from)?;
        bytes.push(b'\n');
        self.written.update(&bytes);
        self.to.write_all(&bytes)?;
        Ok(())
    }

    /// Says that this is all.
    pub(super) fn finish(mut self) -> Result<Counts, ArchiveError> {
        let Counts { sessions, ended, answers } = self.counts;
        let sha256 = Some(HashForm(self.written.clone().finalize().into()));
        self.write(&Line::End(EndLine { sessions, ended, answers, sha256 }))?;
        self.to.flush()?;
        Ok(self.counts)
    }
}
