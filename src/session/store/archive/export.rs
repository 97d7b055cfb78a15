//! From a store into a file.

use std::collections::HashSet;
use std::io::Write;
use std::sync::Arc;

use super::lines::{AnswerLine, EndedLine, Line, SessionLine};
use super::writer::ArchiveWriter;
use super::{ArchiveError, Counts};
use crate::session::store::{AnswerPosition, SqliteSnapshot};
use crate::session::{Clock, Principal, SessionHandle, Timeline};

/// Sessions that are read at a time.
const PAGE: usize = 256;

/// Which sessions are exported, with what belongs to them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// Only those of this owner.
    pub(crate) owner: Option<Principal>,
    /// Only those with one of these handles; all, if there is none.
    pub(crate) handles: Vec<SessionHandle>,
}

impl Wanted {
    fn is_all(&self) -> bool {
        self.owner.is_none() && self.handles.is_empty()
    }

    fn fits(&self, handle: SessionHandle, owner: &Principal) -> bool {
        self.owner.as_ref().is_none_or(|wanted| wanted == owner)
            && (self.handles.is_empty() || self.handles.contains(&handle))
    }
}

/// Writes what is wanted of a store. `progress` is told after each line how many there are of about how many sessions.
pub(crate) fn export(
    store: &SqliteSnapshot,
    clock: Arc<dyn Clock>,
    wanted: &Wanted,
    to: impl Write,
    progress: &mut dyn FnMut(Counts, u64),
) -> Result<Counts, ArchiveError> {
    let recovery = store.recover()?;
    let sessions: u64 = recovery.owners.iter().map(|(_, sessions)| sessions).sum();
    let mut writer = ArchiveWriter::new(to, &Timeline::resume(clock, &recovery).mark())?;
    let mut counts = Counts::default();
    let mut exported = HashSet::new();
    let mut after = None;
    loop {
        let page = store.list(after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = Some(last.handle);
        for record in page.iter().filter(|record| wanted.fits(record.handle, &record.owner)) {
            writer.write(&Line::Session(Box::new(session(store, record.handle)?)))?;
            if !wanted.is_all() {
                exported.insert(record.handle);
            }
            counts.sessions += 1;
            progress(counts, sessions);
        }
    }
    for end in recovery.ended.iter().filter(|end| wanted.fits(end.handle, &end.owner)) {
        writer.write(&Line::Ended(EndedLine::of(end)))?;
        if !wanted.is_all() {
            exported.insert(end.handle);
        }
        counts.ended += 1;
        progress(counts, sessions);
    }
    let mut position = AnswerPosition::default();
    while let Some(answer) = store.next_answer(&mut position)? {
        if wanted.is_all() || answer.session.is_some_and(|session| exported.contains(&session)) {
            writer.write(&Line::Answer(AnswerLine::of(answer)))?;
            counts.answers += 1;
            progress(counts, sessions);
        }
    }
    writer.finish()
}

fn session(store: &SqliteSnapshot, handle: SessionHandle) -> Result<SessionLine, ArchiveError> {
    let broken = |reason: String| ArchiveError::Session { session: handle.to_string(), reason };
    let session = store.load(handle)?.ok_or_else(|| broken("it is listed and not there".into()))?;
    SessionLine::of(&session).map_err(|(name, error)| broken(format!("the attribute `{name}`: {error}")))
}
