//! A store in memory, for tests of whatever uses a store, and the reference that other stores are compared with.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use super::{
    AnswerRecord, AnswerScope, AttributeWrite, CountedAnswer, EndedSession, Recovery, SaveSession, SessionKey,
    SessionRecord, SessionStore, SessionWrite, StoreError, StoreStatistics, StoredAttribute, StoredSession, TimeMark,
    Verdict,
};
use crate::session::{Moment, Principal, SessionHandle};

/// Keeps sessions as long as one of its clones lives. Each opening shares what the one before has kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct MemoryStore {
    content: Arc<Mutex<Content>>,
}

#[derive(Debug, Default)]
struct Content {
    sessions: BTreeMap<SessionHandle, StoredSession>,
    keys: HashMap<SessionKey, SessionHandle>,
    ended: BTreeMap<SessionHandle, EndedSession>,
    answers: HashMap<AnswerScope, (u64, AnswerRecord)>,
    next_answer: u64,
    mark: Option<TimeMark>,
    swept: Option<Moment>,
    openings: u64,
    failure: Option<StoreError>,
}

impl MemoryStore {
    /// An empty one, opened for the first time.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The same store, as the next process opens it.
    pub(crate) fn reopen(&self) -> Self {
        let mut content = self.content.lock();
        content.openings += 1;
        content.failure = None;
        Self { content: Arc::clone(&self.content) }
    }

    /// Lets everything fail from now on, or work again.
    pub(crate) fn fail(&self, failure: Option<StoreError>) {
        self.content.lock().failure = failure;
    }

    fn content(&self) -> Result<MutexGuard<'_, Content>, StoreError> {
        let content = self.content.lock();
        content.failure.clone().map_or(Ok(content), Err)
    }
}

impl SessionStore for MemoryStore {
    fn recover(&self) -> Result<Recovery, StoreError> {
        let content = self.content()?;
        let mut owners: BTreeMap<Principal, u64> = BTreeMap::new();
        for session in content.sessions.values() {
            *owners.entry(session.record.owner.clone()).or_default() += 1;
        }
        let mut ended: Vec<_> = content.ended.values().cloned().collect();
        ended.sort_by_key(|end| (end.moment, end.handle));
        let mut answers: Vec<_> = content.answers.values().collect();
        answers.sort_unstable_by_key(|(number, _)| *number);
        let is_counted = |answer: &&AnswerRecord| answer.session.is_none() && answer.until != Moment::NEVER;
        let answers = answers.into_iter().map(|(_, answer)| answer).filter(is_counted);
        Ok(Recovery {
            answers: answers.map(counted).collect(),
            owners: owners.into_iter().collect(),
            ended,
            perished: content.records().filter(|record| record.perishable).cloned().collect(),
            last_moment: content.last_moment(),
            mark: content.mark,
            openings: content.openings,
        })
    }

    fn find(&self, key: &SessionKey) -> Result<Option<SessionHandle>, StoreError> {
        Ok(self.content()?.keys.get(key).copied())
    }

    fn load(&self, session: SessionHandle) -> Result<Option<StoredSession>, StoreError> {
        Ok(self.content()?.sessions.get(&session).cloned())
    }

    fn answer(&self, scope: &AnswerScope) -> Result<Option<AnswerRecord>, StoreError> {
        Ok(self.content()?.answers.get(scope).map(|(_, answer)| answer.clone()))
    }

    fn commit(&self, batch: &[SessionWrite]) -> Result<Vec<Verdict>, StoreError> {
        let mut content = self.content()?;
        let verdict = |done| if done { Verdict::Done } else { Verdict::Stale };
        Ok(batch.iter().map(|write| verdict(content.write(write))).collect())
    }

    fn list(&self, after: Option<SessionHandle>, limit: usize) -> Result<Vec<SessionRecord>, StoreError> {
        let content = self.content()?;
        Ok(content
            .records()
            .filter(|record| after.is_none_or(|after| record.handle > after))
            .take(limit)
            .cloned()
            .collect())
    }

    fn due(&self, now: Moment, limit: usize) -> Result<Vec<SessionRecord>, StoreError> {
        let content = self.content()?;
        let is_due = |record: &&SessionRecord| record.due != Moment::NEVER && record.due <= now;
        let mut due: Vec<_> = content.records().filter(is_due).cloned().collect();
        due.sort_by_key(|record| (record.due, record.handle));
        due.truncate(limit);
        Ok(due)
    }

    fn sweep(&self, now: Moment, ends: u64, limit: usize) -> Result<usize, StoreError> {
        Ok(self.content()?.sweep(now, ends, limit))
    }

    fn mark(&self, mark: &TimeMark) -> Result<(), StoreError> {
        self.content()?.mark = Some(*mark);
        Ok(())
    }

    fn back_up(&self, _to: &Path) -> Result<(), StoreError> {
        Err(StoreError::Failed { reason: "what is kept in memory has no copy on disk".into() })
    }

    fn statistics(&self) -> StoreStatistics {
        StoreStatistics::default()
    }
}

impl Content {
    fn records(&self) -> impl Iterator<Item = &SessionRecord> {
        self.sessions.values().map(|session| &session.record)
    }

    fn last_moment(&self) -> Option<Moment> {
        let released = self.records().map(|record| record.released);
        let ended = self.ended.values().map(|end| end.moment);
        released.chain(ended).chain(self.mark.map(|mark| mark.moment)).chain(self.swept).max()
    }

    fn write(&mut self, write: &SessionWrite) -> bool {
        match write {
            SessionWrite::Save(save) => self.save(save),
            SessionWrite::End(end) => self.end(end),
            SessionWrite::Lose(end) => self.lose(end),
            SessionWrite::Remember(answer) => self.remember_apart(answer),
            SessionWrite::RememberLatest { answer, answers_kept } => {
                let has_place = self.remember_apart(answer);
                if let Some(session) = answer.session.filter(|_| has_place) {
                    self.keep_answers(session, *answers_kept);
                }
                has_place
            }
        }
    }

    fn remember_apart(&mut self, answer: &AnswerRecord) -> bool {
        let goes_with = answer.session.filter(|_| answer.until == Moment::NEVER);
        let has_place = goes_with.is_none_or(|session| self.sessions.contains_key(&session));
        if has_place {
            self.remember(answer);
        }
        has_place
    }

    fn save(&mut self, save: &SaveSession) -> bool {
        let record = &save.record;
        let Some(attributes) = self.checked(save) else { return false };
        if let Some(end) = &save.end {
            if !self.end(end) {
                return false;
            }
        } else {
            self.take(record.handle);
            self.keys.extend(record.keys.iter().map(|stored| (stored.key, record.handle)));
            self.sessions.insert(record.handle, StoredSession { record: record.clone(), attributes });
        }
        if let Some(answer) = &save.answer {
            self.remember(answer);
            if save.end.is_none() {
                self.keep_answers(record.handle, save.answers_kept);
            }
        }
        true
    }

    /// The attributes after a save, if it is no stale one.
    fn checked(&self, save: &SaveSession) -> Option<Vec<StoredAttribute>> {
        let record = &save.record;
        let stored = self.sessions.get(&record.handle);
        let attributes = match stored {
            None if save.is_new && !self.ended.contains_key(&record.handle) => Vec::new(),
            Some(stored) if !save.is_new => {
                let expected = stored.record.version.checked_add(1) == Some(record.version);
                (expected && stored.record.fence <= record.fence).then(|| stored.attributes.clone())?
            }
            _ => return None,
        };
        save.attributes.iter().try_fold(attributes, changed)
    }

    fn end(&mut self, end: &EndedSession) -> bool {
        if self.ended.contains_key(&end.handle) {
            return false;
        }
        self.take(end.handle);
        self.answers.retain(|_, (_, answer)| answer.session != Some(end.handle));
        self.ended.insert(end.handle, end.clone());
        true
    }

    fn lose(&mut self, end: &EndedSession) -> bool {
        let answers = self.answers.values().filter(|(_, answer)| answer.session == Some(end.handle));
        let mut answers: Vec<_> = answers.cloned().collect();
        answers.sort_unstable_by_key(|(number, _)| *number);
        if !self.end(end) {
            return false;
        }
        for (_, answer) in answers {
            self.remember(&AnswerRecord { until: end.until, ..answer });
        }
        true
    }

    fn take(&mut self, handle: SessionHandle) {
        for stored in self.sessions.remove(&handle).map(|session| session.record.keys).unwrap_or_default() {
            self.keys.remove(&stored.key);
        }
    }

    fn remember(&mut self, answer: &AnswerRecord) {
        self.answers.insert(answer.scope, (self.next_answer, answer.clone()));
        self.next_answer += 1;
    }

    fn keep_answers(&mut self, session: SessionHandle, count: u32) {
        let of_session = |answer: &AnswerRecord| answer.session == Some(session) && !answer.numbered;
        let mut numbers: Vec<_> =
            self.answers.values().filter(|(_, answer)| of_session(answer)).map(|(number, _)| *number).collect();
        numbers.sort_unstable_by(|left, right| right.cmp(left));
        if let Some(last) = numbers.get(count as usize) {
            self.answers.retain(|_, (number, answer)| !of_session(answer) || *number > *last);
        }
    }

    fn sweep(&mut self, now: Moment, ends: u64, limit: usize) -> usize {
        let mut over: Vec<_> =
            self.ended.values().filter(|end| end.until <= now).map(|end| (end.until, end.handle)).collect();
        over.sort_unstable();
        over.truncate(limit);
        for (_, handle) in &over {
            self.ended.remove(handle);
        }
        let mut answers: Vec<_> = self.answers.values().filter(|(_, answer)| answer.until <= now).collect();
        answers.sort_unstable_by_key(|(number, answer)| (answer.until, *number));
        let scopes: Vec<_> = answers.iter().take(limit - over.len()).map(|(_, answer)| answer.scope).collect();
        for scope in &scopes {
            self.answers.remove(scope);
        }
        let swept = over.len() + scopes.len();
        if swept > 0 {
            self.swept = self.swept.max(Some(now));
        }
        swept + self.forget_surplus(ends, limit - swept)
    }

    fn forget_surplus(&mut self, ends: u64, limit: usize) -> usize {
        let bounded = self.ended.values().filter(|end| end.until != Moment::NEVER);
        let mut oldest: Vec<_> = bounded.map(|end| (end.until, end.handle)).collect();
        oldest.sort_unstable();
        oldest.truncate(oldest.len().saturating_sub(usize::try_from(ends).unwrap_or(usize::MAX)).min(limit));
        for (_, handle) in &oldest {
            self.ended.remove(handle);
            self.answers.retain(|_, (_, answer)| answer.session != Some(*handle));
        }
        oldest.len()
    }
}

fn counted(answer: &AnswerRecord) -> CountedAnswer {
    CountedAnswer { scope: answer.scope, bytes: answer.content.len() as u64, until: answer.until }
}

/// The attributes after a write of one of them; none if it does not fit to what is there.
fn changed(mut attributes: Vec<StoredAttribute>, write: &AttributeWrite) -> Option<Vec<StoredAttribute>> {
    match write {
        AttributeWrite::Set(attribute) => {
            attributes.retain(|present| present.name != attribute.name);
            attributes.push(attribute.clone());
        }
        AttributeWrite::Append { name, order, present, pieces } => {
            let attribute = attributes.iter_mut().find(|attribute| attribute.name == *name)?;
            if attribute.value.pieces.len() != *present as usize {
                return None;
            }
            attribute.order = *order;
            attribute.value.pieces.extend(pieces.iter().cloned());
        }
        AttributeWrite::Remove { name } => attributes.retain(|present| present.name != *name),
    }
    Some(attributes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::store::conformance::{MakePlace, Place, session_store_conforms};

    /// The first opening is the store as it was made.
    struct Memory {
        store: MemoryStore,
        opened: Mutex<bool>,
    }

    impl Place for Memory {
        fn open(&self) -> Box<dyn SessionStore> {
            let again = std::mem::replace(&mut *self.opened.lock(), true);
            Box::new(if again { self.store.reopen() } else { self.store.clone() })
        }
    }

    const PLACE: MakePlace = || Box::new(Memory { store: MemoryStore::new(), opened: Mutex::new(false) });

    session_store_conforms!(PLACE);

    #[test]
    fn it_fails_as_it_is_told_to() {
        let store = MemoryStore::new();
        store.fail(Some(StoreError::Full));
        assert_eq!(store.commit(&[]), Err(StoreError::Full));
        store.fail(None);
        assert_eq!(store.commit(&[]), Ok(vec![]));
    }
}
