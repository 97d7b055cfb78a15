//! The maps that sessions are found in.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;
use std::sync::Arc;

use parking_lot::Mutex;

use super::slot::Slot;
use super::sorted::{Entry, SortedList};
use crate::session::key::{BuildKeyHasher, SessionKey};
use crate::session::{Moment, Principal, RandomUnavailable, SessionHandle};

/// How many parts the table by key has. A map that grows moves all its entries while everybody waits; one of many small maps
/// moves few.
const SHARDS: usize = 64;

/// Sessions by the hash of their id: for joins.
///
/// An entry has the first bits of the hash only. A session that is found knows the whole, and compares it.
#[derive(Debug)]
pub(super) struct KeyTable {
    shards: Box<[Mutex<Shard>]>,
}

type Shard = HashMap<u64, Arc<Slot>, BuildKeyHasher>;

impl KeyTable {
    pub(super) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }

    /// The session whose key this is, if it is anybody's.
    pub(super) fn find(&self, key: &SessionKey) -> Option<Arc<Slot>> {
        self.shard(key).lock().get(&key.spread()).cloned()
    }

    /// Enters the key of an id that was just drawn. That its first 64 bits are there already is no accident: the source
    /// of random numbers repeats itself.
    pub(super) fn insert(&self, key: SessionKey, slot: Arc<Slot>) -> Result<(), RandomUnavailable> {
        match self.shard(&key).lock().entry(key.spread()) {
            Place::Occupied(_) => Err(RandomUnavailable),
            Place::Vacant(place) => {
                place.insert(slot);
                Ok(())
            }
        }
    }

    /// Takes a session out. A map that has become much too large for what is left is made smaller.
    pub(super) fn remove(&self, key: &SessionKey) -> Option<Arc<Slot>> {
        let mut shard = self.shard(key).lock();
        let slot = shard.remove(&key.spread());
        if shard.capacity() > 64 && shard.len() < shard.capacity() / 8 {
            let room = shard.len() * 2;
            shard.shrink_to(room);
        }
        slot
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    fn shard(&self, key: &SessionKey) -> &Mutex<Shard> {
        // The map itself uses the low bits and the topmost seven.
        let index = (key.spread() >> 32) as usize % SHARDS;
        &self.shards[index]
    }
}

/// All sessions by their handles, implicit and closing ones included: for lists and for operators.
#[derive(Debug, Default)]
pub(super) struct HandleIndex {
    pub(super) sessions: SortedList<Arc<Slot>>,
    /// How many of them are implicit.
    pub(super) implicit: u64,
    /// The service shuts down: nobody new comes in.
    pub(super) draining: bool,
}

impl Entry for Arc<Slot> {
    type Key = SessionHandle;

    fn key(&self) -> SessionHandle {
        self.handle
    }
}

/// When to look whether a session is over.
///
/// A release mostly moves the end of a session further away. It does not touch this list: the session stands in it under a
/// moment that is not too late, and when that comes it is looked at and, if it lives, entered anew. So a release costs nothing
/// here, and expiry costs as much as there is to expire.
#[derive(Debug, Default)]
pub(super) struct Deadlines(Mutex<SortedList<Deadline>>);

#[derive(Debug)]
struct Deadline {
    moment: Moment,
    slot: Arc<Slot>,
}

/// Deadlines are in the order of their moments; those of one moment in any, by the addresses of their sessions.
impl Entry for Deadline {
    type Key = (Moment, usize);

    fn key(&self) -> (Moment, usize) {
        (self.moment, Arc::as_ptr(&self.slot).addr())
    }
}

impl Deadlines {
    pub(super) fn insert(&self, moment: Moment, slot: &Arc<Slot>) {
        if moment != Moment::NEVER {
            self.0.lock().insert(Deadline { moment, slot: Arc::clone(slot) });
        }
    }

    pub(super) fn remove(&self, moment: Moment, slot: &Arc<Slot>) {
        if moment != Moment::NEVER {
            let removed = self.0.lock().remove((moment, Arc::as_ptr(slot).addr()));
            drop(removed);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.lock().len()
    }

    /// Takes out some of what is due at `now`: none only if nothing is.
    pub(super) fn take_due(&self, now: Moment) -> impl Iterator<Item = Arc<Slot>> + use<> {
        let due = self.0.lock().take_first(|deadline| deadline.moment <= now);
        due.into_iter().map(|deadline| deadline.slot)
    }
}

/// How many explicit sessions there are.
#[derive(Debug, Default)]
pub(super) struct Quotas(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    all: u64,
    by_principal: HashMap<Principal, u64>,
}

/// Why there is no room for one more session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// The resource has as many as it may.
    Server(u64),
    /// The principal has.
    Principal(u64),
}

impl Quotas {
    /// Counts one more session of a principal, if it may be.
    pub(super) fn take(
        &self,
        owner: &Principal,
        most: Option<u64>,
        most_of_principal: Option<u64>,
    ) -> Result<(), NoRoom> {
        let mut counts = self.0.lock();
        let own = counts.by_principal.get(owner).copied().unwrap_or(0);
        if let Some(limit) = most_of_principal.filter(|limit| own >= *limit) {
            return Err(NoRoom::Principal(limit));
        }
        if let Some(limit) = most.filter(|limit| counts.all >= *limit) {
            return Err(NoRoom::Server(limit));
        }
        counts.all += 1;
        match counts.by_principal.get_mut(owner) {
            Some(own) => *own += 1,
            None => drop(counts.by_principal.insert(owner.clone(), 1)),
        }
        Ok(())
    }

    /// A principal has so many sessions that were there before.
    pub(super) fn restore(&self, owner: Principal, count: u64) {
        let mut counts = self.0.lock();
        counts.all += count;
        *counts.by_principal.entry(owner).or_default() += count;
    }

    pub(super) fn count(&self) -> u64 {
        self.0.lock().all
    }

    /// Those who have any.
    pub(super) fn owners(&self) -> Vec<Principal> {
        let counts = self.0.lock();
        let owners = counts.by_principal.iter().filter(|(_, count)| **count > 0);
        owners.map(|(owner, _)| owner.clone()).collect()
    }

    /// Counts one less.
    pub(super) fn give_back(&self, owner: &Principal) {
        let mut counts = self.0.lock();
        counts.all = counts.all.saturating_sub(1);
        if let Some(own) = counts.by_principal.get_mut(owner) {
            *own -= 1;
            if *own == 0 {
                counts.by_principal.remove(owner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_count_by_principal_and_in_all() {
        // Behaviour 63.
        let quotas = Quotas::default();
        let (one, other) = (Principal::new("one"), Principal::new("other"));
        let take = |who| quotas.take(who, Some(3), Some(2));
        assert_eq!((take(&one), take(&one), take(&one)), (Ok(()), Ok(()), Err(NoRoom::Principal(2))));
        assert_eq!((take(&other), take(&other)), (Ok(()), Err(NoRoom::Server(3))));
        quotas.give_back(&one);
        assert_eq!(take(&other), Ok(()));
        quotas.give_back(&one);
        assert_eq!(quotas.owners(), [other]);
    }
}
