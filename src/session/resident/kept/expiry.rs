//! Sessions that are over although nobody has loaded them.

use std::sync::Arc;

use super::Keeper;
use super::ending::LateEnd;
use super::record::ended_record;
use crate::session::clock::Time;
use crate::session::lifetime::{after, over};
use crate::session::resident::aftermath::Ended;
use crate::session::resident::shared::Shared;
use crate::session::{EndedSession, SessionEvent, SessionHandle, SessionRecord, SessionStore, StoreError};

/// What there is to do with sessions that were due.
#[derive(Debug, Default)]
pub(super) struct Due {
    /// How many there were.
    pub(super) count: usize,
    /// Those that are over and not in memory: they have ended now, and the store is to be told.
    over: Vec<EndedSession>,
    /// The others, to be looked at in memory.
    pub(super) others: Vec<SessionHandle>,
}

impl Shared {
    /// Looks at some of the sessions that may be over, and ends those that are and that nobody has in memory. Nothing else of
    /// them is read, unless a listener looks into them: a million of them cost a million times little.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store can't be read.
    pub(super) fn take_due(&self, store: &dyn SessionStore, time: Time, most: usize) -> Result<Due, StoreError> {
        let Some(keeper) = &self.keeper else { return Ok(Due::default()) };
        // As long as this is held none comes into the memory or leaves it, so what is read of one that is not there is true.
        let mut residency = keeper.residency.lock();
        let records = store.due(time.now, most)?;
        let mut due = Due { count: records.len(), ..Due::default() };
        for record in records {
            let is_elsewhere = residency.is_claimed(record.handle) || self.resident(record.handle).is_some();
            let is_looked_into = record.attributes > 0 && self.listeners.iter().any(|it| it.looks_into_sessions());
            match end_of(&record, time).filter(|_| !is_elsewhere && !is_looked_into) {
                // Its end may be on its way into the store.
                Some(_) if residency.has_ended(record.handle) => {}
                Some(ended) => {
                    self.remember_end(&record, ended);
                    residency.ended(record.handle, true);
                    due.over.push(ended_record(&record, ended, self.policy().settings.retention));
                }
                None => due.others.push(record.handle),
            }
        }
        Ok(due)
    }

    /// Whoever comes with an id of the session is told that it has ended.
    fn remember_end(&self, record: &SessionRecord, ended: Ended) {
        let retention = self.policy().settings.retention;
        let mut tombstones = self.tombstones.lock();
        for key in &record.keys {
            tombstones.add(key.key, (record.handle, record.owner.clone()), ended, retention);
        }
    }

    /// Tells the store and the listeners of the sessions that are over. Answers how many those are.
    pub(super) fn end_due(&self, keeper: &Keeper, due: &mut Due) -> usize {
        let over = std::mem::take(&mut due.over);
        let count = over.len();
        for ended in over {
            self.quotas.give_back(&ended.owner);
            let event = SessionEvent { handle: ended.handle, owner: &ended.owner, implicit: false };
            self.notify(|listener| listener.ended(event, ended.reason));
            keeper.scribe.submit(Box::new(LateEnd::new(Arc::clone(&keeper.residency), ended)));
        }
        count
    }
}

/// Why and when the session of a record ended, if it is over.
fn end_of(record: &SessionRecord, time: Time) -> Option<Ended> {
    let (reason, moment) = over(after(record.released, record.timeout), record.lifetime, time.now)?;
    Some(Ended::new(reason, moment, time))
}
