//! What is remembered of sessions that have ended.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::aftermath::Ended;
use crate::session::key::{BuildKeyHasher, SessionKey};
use crate::session::{Moment, Principal, SessionHandle};

/// The ended sessions of a resource, the latest ones, for a time.
///
/// Of each there is the hash of its id, whose it was, and why and when it ended: enough to tell its owner *ended* from *never
/// existed*.
#[derive(Debug)]
pub(super) struct Tombstones {
    by_key: HashMap<SessionKey, Tombstone, BuildKeyHasher>,
    /// The oldest first.
    in_order: VecDeque<(Moment, SessionKey)>,
    capacity: usize,
}

/// An ended session.
#[derive(Debug, Clone)]
pub(super) struct Tombstone {
    pub(super) handle: SessionHandle,
    pub(super) owner: Principal,
    pub(super) ended: Ended,
    /// Until when it is remembered.
    until: Moment,
}

impl Tombstones {
    /// Room for so many; the oldest give way.
    ///
    /// The room is taken at once, so that nobody ever waits while the map grows. It takes memory only as it is used.
    pub(super) fn new(capacity: usize) -> Self {
        let by_key = HashMap::with_capacity_and_hasher(capacity, BuildKeyHasher::default());
        Self { by_key, in_order: VecDeque::with_capacity(capacity), capacity }
    }

    /// Remembers a session for the time of `retention` after its end.
    pub(super) fn add(
        &mut self,
        key: SessionKey,
        (handle, owner): (SessionHandle, Principal),
        ended: Ended,
        retention: Duration,
    ) {
        self.purge(ended.moment);
        if retention.is_zero() {
            return;
        }
        if self.in_order.len() >= self.capacity {
            self.forget_oldest();
        }
        let until = ended.moment.after(retention);
        self.in_order.push_back((until, key));
        self.by_key.insert(key, Tombstone { handle, owner, ended, until });
    }

    /// What is remembered under a key at `now`.
    pub(super) fn find(&self, key: &SessionKey, now: Moment) -> Option<&Tombstone> {
        self.by_key.get(key).filter(|tombstone| now < tombstone.until)
    }

    /// Forgets what was remembered for long enough.
    pub(super) fn purge(&mut self, now: Moment) {
        while self.in_order.front().is_some_and(|(until, _)| *until <= now) {
            self.forget_oldest();
        }
    }

    /// How many ends are remembered.
    pub(super) fn len(&self) -> usize {
        self.in_order.len()
    }

    fn forget_oldest(&mut self) {
        if let Some((_, key)) = self.in_order.pop_front() {
            self.by_key.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::session::{EndReason, SessionId};

    const SECOND: Duration = Duration::from_secs(1);

    fn key(number: u8) -> SessionKey {
        SessionKey::of(&SessionId::from_bytes([number; 32]))
    }

    fn add(tombstones: &mut Tombstones, number: u8, moment: Moment, retention: Duration) {
        let names = (SessionHandle::new(uuid::Uuid::nil()), Principal::anonymous());
        let ended = Ended { reason: EndReason::Idle, moment, at: DateTime::UNIX_EPOCH };
        tombstones.add(key(number), names, ended, retention);
    }

    #[test]
    fn a_tombstone_is_forgotten_when_its_time_is_over() {
        // Behaviour 36.
        let mut tombstones = Tombstones::new(10);
        let start = Moment::ORIGIN;
        add(&mut tombstones, 1, start, SECOND * 5);
        assert!(tombstones.find(&key(1), start.after(SECOND * 4)).is_some());
        assert!(tombstones.find(&key(1), start.after(SECOND * 5)).is_none());
        tombstones.purge(start.after(SECOND * 5));
        assert_eq!((tombstones.in_order.len(), tombstones.by_key.len()), (0, 0));
    }

    #[test]
    fn the_oldest_give_way_to_new_ones() {
        // Behaviour 36: bounded.
        let mut tombstones = Tombstones::new(3);
        for number in 0..5 {
            add(&mut tombstones, number, Moment::ORIGIN, SECOND);
        }
        let known: Vec<_> = (0..5).filter(|number| tombstones.find(&key(*number), Moment::ORIGIN).is_some()).collect();
        assert_eq!(known, [2, 3, 4]);
        assert_eq!(tombstones.in_order.len(), 3);
    }

    #[test]
    fn without_retention_nothing_is_remembered() {
        // Behaviour 36.
        let mut tombstones = Tombstones::new(3);
        add(&mut tombstones, 1, Moment::ORIGIN, Duration::ZERO);
        assert_eq!(tombstones.in_order.len(), 0);
    }
}
