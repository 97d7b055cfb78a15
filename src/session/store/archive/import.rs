//! From a file into a store.

use std::collections::HashSet;
use std::io::BufRead;
use std::sync::Arc;
use std::time::Duration;

use super::lines::Line;
use super::reader::ArchiveReader;
use super::soundness::{check_end, check_session};
use super::{ArchiveError, Counts};
use crate::session::store::StoreTransaction;
use crate::session::{
    AnswerRecord, AnswerScope, AttributeWrite, Clock, EndedSession, Moment, Recovery, SaveSession, SessionHandle,
    SessionKey, SessionRecord, SessionStore, SessionWrite, SqliteStore, StoredSession, Timeline, Verdict,
};

/// What to do with a session, an end or an answer that the store has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// Import nothing at all.
    Refuse,
    /// Leave what the store has.
    Keep,
    /// Put what the file has in its place.
    Replace,
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Imported {
    pub(crate) written: Counts,
    /// What the store had already, and kept.
    pub(crate) kept: u64,
}

/// A line with what it stands for.
enum Entry {
    Session(StoredSession),
    Ended(EndedSession),
    Answer(AnswerRecord),
}

/// Reads a whole file, and every value in it. No line has more than `longest` bytes. `progress` is told after each line how many
/// there are.
pub(crate) fn check(
    from: impl BufRead,
    longest: u64,
    progress: &mut dyn FnMut(Counts),
) -> Result<Counts, ArchiveError> {
    let mut reader = ArchiveReader::new(from, longest)?;
    let mut seen = Seen::default();
    let mut counts = Counts::default();
    while let Some(entry) = next(&mut reader)? {
        seen.add(&entry)
            .map_err(|reason| ArchiveError::at(reader.line(), format!("{reason}: leave one of the two out")))?;
        entry.count(&mut counts);
        progress(counts);
    }
    Ok(counts)
}

/// Writes a file that was found whole into a store, all of it or nothing. Moments become those of the store's timeline: what had ten minutes left has
/// ten minutes left, less the time since the export.
pub(crate) fn import(
    (from, longest): (impl BufRead, u64),
    store: &SqliteStore,
    clock: &Arc<dyn Clock>,
    existing: Existing,
    progress: &mut dyn FnMut(Counts),
) -> Result<Imported, ArchiveError> {
    let mut reader = ArchiveReader::new(from, longest)?;
    let timeline = Timeline::resume(Arc::clone(clock), &store.recover()?);
    let exported = Recovery { mark: Some(*reader.mark()), ..Recovery::default() };
    let shift = Shift::between(Timeline::resume(Arc::clone(clock), &exported).now(), timeline.now());
    let imported = store.together(|transaction| {
        let mut import = Import { transaction, existing, done: Imported::default(), kept: HashSet::new() };
        while let Some(mut entry) = next(&mut reader)? {
            entry.shift(shift);
            import.take(entry, reader.line())?;
            progress(import.done.written);
        }
        Ok::<_, ArchiveError>(import.done)
    })?;
    store.mark(&timeline.mark())?;
    Ok(imported)
}

fn next(reader: &mut ArchiveReader<impl BufRead>) -> Result<Option<Entry>, ArchiveError> {
    let Some(line) = reader.next()? else { return Ok(None) };
    let exported = reader.mark().moment;
    let entry = match line {
        Line::Session(line) => line.session().and_then(|session| {
            check_session(&session, exported)?;
            Ok(Entry::Session(session))
        }),
        Line::Ended(line) => {
            let end = line.end();
            check_end(&end, exported).map(|()| Entry::Ended(end))
        }
        Line::Answer(line) => Ok(Entry::Answer(line.answer())),
        Line::RejoinSessions(_) | Line::End(_) => return Ok(None),
    };
    entry.map(Some).map_err(|reason| ArchiveError::at(reader.line(), format!("{reason}; {ADVICE}")))
}

/// What to do with a line that no export can have written.
const ADVICE: &str = "correct the line if it was edited, else export again";

/// How far the timeline of a store is from that of the store that was exported.
#[derive(Debug, Clone, Copy)]
enum Shift {
    Later(Duration),
    Earlier(Duration),
}

impl Shift {
    fn between(exported: Moment, store: Moment) -> Self {
        if store >= exported { Self::Later(store.since(exported)) } else { Self::Earlier(exported.since(store)) }
    }

    fn apply(self, moment: &mut Moment) {
        if *moment != Moment::NEVER {
            *moment = match self {
                Self::Later(by) => moment.after(by),
                Self::Earlier(by) => Moment::ORIGIN.after(moment.since(Moment::ORIGIN.after(by))),
            };
        }
    }
}

impl Entry {
    fn count(&self, counts: &mut Counts) {
        match self {
            Self::Session(_) => counts.sessions += 1,
            Self::Ended(_) => counts.ended += 1,
            Self::Answer(_) => counts.answers += 1,
        }
    }

    fn shift(&mut self, shift: Shift) {
        for moment in self.moments() {
            shift.apply(moment);
        }
    }

    /// All that are on the timeline of the store.
    fn moments(&mut self) -> Vec<&mut Moment> {
        match self {
            Self::Session(StoredSession { record, .. }) => {
                let mut moments = vec![&mut record.lifetime, &mut record.released, &mut record.due];
                moments.extend(record.keys.iter_mut().map(|key| &mut key.until));
                moments
            }
            Self::Ended(end) => vec![&mut end.moment, &mut end.until],
            Self::Answer(answer) => vec![&mut answer.until],
        }
    }
}

/// What may be in a file once.
#[derive(Default)]
struct Seen {
    handles: HashSet<SessionHandle>,
    keys: HashSet<SessionKey>,
    scopes: HashSet<AnswerScope>,
}

impl Seen {
    /// Answers what is there twice.
    fn add(&mut self, entry: &Entry) -> Result<(), String> {
        let (handle, keys): (_, Vec<SessionKey>) = match entry {
            Entry::Session(session) => {
                (session.record.handle, session.record.keys.iter().map(|stored| stored.key).collect())
            }
            Entry::Ended(end) => (end.handle, end.keys.clone()),
            Entry::Answer(answer) if self.scopes.insert(answer.scope) => return Ok(()),
            Entry::Answer(_) => return Err("the answer is in the file twice".into()),
        };
        if !self.handles.insert(handle) {
            return Err(format!("the session {handle} is in the file twice"));
        }
        if keys.into_iter().all(|key| self.keys.insert(key)) {
            return Ok(());
        }
        Err(format!("a key of the session {handle} is in the file twice"))
    }
}

/// An import that is under way.
struct Import<'a> {
    transaction: &'a StoreTransaction<'a>,
    existing: Existing,
    done: Imported,
    /// Sessions and ends of the store's that were kept: answers of the file's do not go with them.
    kept: HashSet<SessionHandle>,
}

impl Import<'_> {
    fn take(&mut self, entry: Entry, line: u64) -> Result<(), ArchiveError> {
        if self.is_kept(&entry, line)? {
            self.done.kept += 1;
            return Ok(());
        }
        entry.count(&mut self.done.written);
        let write = match entry {
            Entry::Session(session) => {
                self.check_keys(&session, line)?;
                SessionWrite::Save(save(session))
            }
            Entry::Ended(end) => SessionWrite::End(end),
            Entry::Answer(answer) => SessionWrite::Remember(answer),
        };
        match self.transaction.write(&write)? {
            Verdict::Done => Ok(()),
            Verdict::Stale => Err(ArchiveError::at(line, "the store refuses it: the session is there twice")),
            Verdict::Refused(error) => Err(error.into()),
        }
    }

    /// Whether the store has it and keeps it. What it has and does not keep makes room.
    fn is_kept(&mut self, entry: &Entry, line: u64) -> Result<bool, ArchiveError> {
        let (exists, what) = match entry {
            Entry::Session(StoredSession { record: SessionRecord { handle, .. }, .. })
            | Entry::Ended(EndedSession { handle, .. }) => {
                let exists = self.transaction.knows(*handle)?;
                match self.existing {
                    Existing::Keep if exists => drop(self.kept.insert(*handle)),
                    Existing::Replace if exists => self.transaction.forget(*handle)?,
                    _ => {}
                }
                (exists, format!("the session {handle}"))
            }
            Entry::Answer(answer) if answer.session.is_some_and(|session| self.kept.contains(&session)) => {
                return Ok(true);
            }
            Entry::Answer(answer) => (self.transaction.remembers(&answer.scope)?, "the answer".to_owned()),
        };
        if exists && self.existing == Existing::Refuse {
            let reason =
                format!("{what} is in the store already: --existing keep leaves it, --existing replace replaces it");
            return Err(ArchiveError::at(line, reason));
        }
        Ok(exists && self.existing == Existing::Keep)
    }

    /// No other session may have a key of this one.
    fn check_keys(&self, session: &StoredSession, line: u64) -> Result<(), ArchiveError> {
        for stored in &session.record.keys {
            if let Some(other) = self.transaction.find(&stored.key)? {
                let reason =
                    format!("a key of the session {} is that of another in the store, {other}", session.record.handle);
                return Err(ArchiveError::at(line, reason));
            }
        }
        Ok(())
    }
}

fn save(session: StoredSession) -> SaveSession {
    SaveSession {
        record: session.record,
        is_new: true,
        attributes: session.attributes.into_iter().map(AttributeWrite::Set).collect(),
        answer: None,
        answers_kept: 0,
        end: None,
    }
}
