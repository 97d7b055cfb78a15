//! Reads the lines of a file, and sees to it that all of them are there.

use std::io::{BufRead, Read};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::lines::{EndLine, Line};
use super::{ArchiveError, Counts, FORMAT};
use crate::session::TimeMark;

/// The bytes of the longest line that is read unless somebody says otherwise. A session is one line, of some 10 MiB in memory by
/// default; a text may take six times its bytes here, small streams of rows more.
pub(crate) const LONGEST_LINE: u64 = 128 << 20;

/// The same of the first line, of which nobody says anything.
const LONGEST_HEAD: u64 = 64 << 10;

/// A file that is being read.
pub(super) struct ArchiveReader<R> {
    from: R,
    longest: u64,
    mark: TimeMark,
    line: u64,
    read: Sha256,
    counts: Counts,
    is_complete: bool,
}

/// What every format begins with.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnyHead {
    rejoin_sessions: AnyFormat,
}

#[derive(Deserialize)]
struct AnyFormat {
    format: u32,
}

impl<R: BufRead> ArchiveReader<R> {
    /// Reads the first line. No other has more than `longest` bytes.
    pub(super) fn new(mut from: R, longest: u64) -> Result<Self, ArchiveError> {
        let none = || {
            ArchiveError::at(1, "this is no file of exported sessions: it does not begin with `{\"rejoinSessions\":`")
        };
        let bytes = next_line(&mut from, LONGEST_HEAD)?.ok_or_else(none)?;
        let AnyHead { rejoin_sessions: AnyFormat { format } } = serde_json::from_slice(&bytes).map_err(|_| none())?;
        if format > FORMAT {
            let reason = format!(
                "the file has format {format}, and this version knows formats up to {FORMAT}: use a newer version"
            );
            return Err(ArchiveError::at(1, reason));
        }
        let Line::RejoinSessions(head) = parse(&bytes, 1)? else { return Err(none()) };
        let read = Sha256::new_with_prefix(&bytes);
        Ok(Self { from, longest, mark: head.mark(), line: 1, read, counts: Counts::default(), is_complete: false })
    }

    /// When the sessions were exported.
    pub(super) fn mark(&self) -> &TimeMark {
        &self.mark
    }

    /// The number of the line that was read last.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The next line that is a session, an end or an answer; `None` when the file is complete.
    pub(super) fn next(&mut self) -> Result<Option<Line>, ArchiveError> {
        if self.is_complete {
            return Ok(None);
        }
        self.line += 1;
        let bytes = next_line(&mut self.from, self.longest)?.ok_or_else(|| self.too_long())?;
        if bytes.is_empty() {
            return Err(ArchiveError::at(self.line, "the file is cut off: its last line, `{\"end\":…}`, is missing"));
        }
        let line = parse(&bytes, self.line)?;
        match &line {
            Line::RejoinSessions(_) => {
                return Err(ArchiveError::at(self.line, "a second file begins here: import one at a time"));
            }
            Line::Session(_) => self.counts.sessions += 1,
            Line::Ended(_) => self.counts.ended += 1,
            Line::Answer(_) => self.counts.answers += 1,
            Line::End(end) => {
                self.check_end(end)?;
                return Ok(None);
            }
        }
        self.read.update(&bytes);
        Ok(Some(line))
    }

    fn too_long(&self) -> ArchiveError {
        let reason = format!(
            "the line has more than {} bytes, which is as much as a session or an answer may have: if the file is what `export` \
             has written, give a higher `--line-bytes`",
            self.longest
        );
        ArchiveError::at(self.line, reason)
    }

    fn check_end(&mut self, end: &EndLine) -> Result<(), ArchiveError> {
        let Counts { sessions, ended, answers } = self.counts;
        if (end.sessions, end.ended, end.answers) != (sessions, ended, answers) {
            let reason = format!(
                "the file should have {} sessions, {} ends and {} answers, and has {sessions}, {ended} and {answers}",
                end.sessions, end.ended, end.answers
            );
            return Err(ArchiveError::at(self.line, reason));
        }
        let sum: [u8; 32] = self.read.clone().finalize().into();
        if end.sha256.as_ref().is_some_and(|noted| noted.0 != sum) {
            let reason = "the file was changed since it was written: its checksum does not match. If you have edited it, \
                          remove `sha256` from its last line";
            return Err(ArchiveError::at(self.line, reason));
        }
        if !self.from.fill_buf()?.is_empty() {
            return Err(ArchiveError::at(self.line + 1, "there is more after the last line"));
        }
        self.is_complete = true;
        Ok(())
    }
}

/// A line with its end; nothing at the end of the file; `None` when it is too long. No more is read than may be.
fn next_line(from: &mut impl BufRead, longest: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    from.take(longest.saturating_add(1)).read_until(b'\n', &mut line)?;
    Ok((line.len() as u64 <= longest).then_some(line))
}

fn parse(bytes: &[u8], number: u64) -> Result<Line, ArchiveError> {
    serde_json::from_slice(bytes).map_err(|error| ArchiveError::of_json(number, &error))
}
