//! A store in memory, for tests: what is written outlives the manager, and can be made to fail.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::session::{
    AnswerRecord, AnswerScope, AttributeWrite, EndedSession, Moment, Recovery, SaveSession, SessionHandle, SessionKey,
    SessionRecord, SessionStore, SessionWrite, StoreError, StoredAttribute, StoredSession, TimeMark, Verdict,
};

#[derive(Debug, Default)]
pub(crate) struct MemoryStore {
    kept: Mutex<Kept>,
    /// Whether writing fails.
    pub(crate) fails: AtomicBool,
}

#[derive(Debug, Default)]
struct Kept {
    sessions: BTreeMap<SessionHandle, StoredSession>,
    ended: Vec<EndedSession>,
    ends: HashSet<SessionHandle>,
    answers: HashMap<AnswerScope, AnswerRecord>,
    mark: Option<TimeMark>,
    last_moment: Option<Moment>,
    openings: u64,
    batches: Vec<Vec<SessionWrite>>,
}

impl MemoryStore {
    /// What was written since the last time, batch by batch.
    pub(crate) fn batches(&self) -> Vec<Vec<SessionWrite>> {
        std::mem::take(&mut self.kept.lock().batches)
    }

    /// A session as it is stored.
    pub(crate) fn stored(&self, session: SessionHandle) -> Option<StoredSession> {
        self.kept.lock().sessions.get(&session).cloned()
    }
}

impl Kept {
    fn save(&mut self, save: &SaveSession) -> Verdict {
        let handle = save.record.handle;
        if self.ends.contains(&handle) {
            return Verdict::Stale;
        }
        let stored = self.sessions.get(&handle);
        let fits = match stored {
            None => save.is_new,
            Some(stored) => {
                !save.is_new
                    && stored.record.version + 1 == save.record.version
                    && stored.record.fence <= save.record.fence
            }
        };
        if !fits {
            return Verdict::Stale;
        }
        self.last_moment = self.last_moment.max(Some(save.record.released));
        if let Some(answer) = &save.answer {
            self.answers.insert(answer.scope, answer.clone());
        }
        if let Some(end) = &save.end {
            return self.end(end);
        }
        let stored = self
            .sessions
            .entry(handle)
            .or_insert_with(|| StoredSession { record: save.record.clone(), attributes: Vec::new() });
        stored.record = save.record.clone();
        for write in &save.attributes {
            apply(&mut stored.attributes, write);
        }
        Verdict::Done
    }

    fn end(&mut self, end: &EndedSession) -> Verdict {
        self.last_moment = self.last_moment.max(Some(end.moment));
        self.sessions.remove(&end.handle);
        if self.ends.insert(end.handle) {
            self.ended.push(end.clone());
            Verdict::Done
        } else {
            Verdict::Stale
        }
    }
}

fn apply(attributes: &mut Vec<StoredAttribute>, write: &AttributeWrite) {
    match write {
        AttributeWrite::Set(attribute) => {
            attributes.retain(|other| other.name != attribute.name);
            attributes.push(attribute.clone());
        }
        AttributeWrite::Append { name, order, present, pieces } => {
            let attribute = attributes.iter_mut().find(|other| other.name == *name).expect("there is a stream");
            assert_eq!(attribute.value.pieces.len(), *present as usize);
            attribute.order = *order;
            attribute.value.pieces.extend(pieces.iter().cloned());
        }
        AttributeWrite::Remove { name } => attributes.retain(|other| other.name != *name),
    }
}

impl SessionStore for MemoryStore {
    fn recover(&self) -> Result<Recovery, StoreError> {
        let mut kept = self.kept.lock();
        let openings = kept.openings;
        kept.openings += 1;
        let mut owners: Vec<(crate::session::Principal, u64)> = Vec::new();
        for session in kept.sessions.values() {
            match owners.iter_mut().find(|(owner, _)| *owner == session.record.owner) {
                Some((_, count)) => *count += 1,
                None => owners.push((session.record.owner.clone(), 1)),
            }
        }
        let records = kept.sessions.values().map(|stored| stored.record.clone());
        Ok(Recovery {
            owners,
            ended: kept.ended.clone(),
            perished: records.filter(|record| record.perishable).collect(),
            last_moment: kept.last_moment,
            mark: kept.mark,
            openings,
        })
    }

    fn find(&self, key: &SessionKey) -> Result<Option<SessionHandle>, StoreError> {
        let kept = self.kept.lock();
        let found = kept.sessions.values().find(|stored| stored.record.keys.iter().any(|known| known.key == *key));
        Ok(found.map(|stored| stored.record.handle))
    }

    fn load(&self, session: SessionHandle) -> Result<Option<StoredSession>, StoreError> {
        Ok(self.stored(session))
    }

    fn answer(&self, scope: &AnswerScope) -> Result<Option<AnswerRecord>, StoreError> {
        Ok(self.kept.lock().answers.get(scope).cloned())
    }

    fn commit(&self, batch: &[SessionWrite]) -> Result<Vec<Verdict>, StoreError> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(StoreError::Full);
        }
        let mut kept = self.kept.lock();
        kept.batches.push(batch.to_vec());
        let verdicts = batch.iter().map(|write| match write {
            SessionWrite::Save(save) => kept.save(save),
            SessionWrite::End(end) => kept.end(end),
            SessionWrite::Remember(answer) => {
                kept.answers.insert(answer.scope, answer.clone());
                Verdict::Done
            }
        });
        Ok(verdicts.collect())
    }

    fn list(&self, after: Option<SessionHandle>, limit: usize) -> Result<Vec<SessionRecord>, StoreError> {
        let kept = self.kept.lock();
        let records = kept.sessions.values().map(|stored| stored.record.clone());
        Ok(records.filter(|record| Some(record.handle) > after).take(limit).collect())
    }

    fn due(&self, now: Moment, limit: usize) -> Result<Vec<SessionRecord>, StoreError> {
        let kept = self.kept.lock();
        let records = kept.sessions.values().map(|stored| stored.record.clone());
        let mut due: Vec<_> = records.filter(|record| record.due <= now).collect();
        due.sort_by_key(|record| record.due);
        due.truncate(limit);
        Ok(due)
    }

    fn sweep(&self, now: Moment, _limit: usize) -> Result<usize, StoreError> {
        let mut kept = self.kept.lock();
        let before = kept.ended.len() + kept.answers.len();
        kept.ended.retain(|ended| now < ended.until);
        kept.answers.retain(|_, answer| now < answer.until);
        Ok(before - kept.ended.len() - kept.answers.len())
    }

    fn mark(&self, mark: &TimeMark) -> Result<(), StoreError> {
        self.kept.lock().mark = Some(*mark);
        Ok(())
    }

    fn back_up(&self, _to: &Path) -> Result<(), StoreError> {
        Ok(())
    }
}
