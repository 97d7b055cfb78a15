//! The ids that name one session: the current one and those that were rotated away.

use std::time::Duration;

use crate::session::key::SessionKey;
use crate::session::{Moment, StoredKey};

/// How long an id holds after the session got a new one: long enough to ask again when the answer with the new id was lost.
pub(super) const ROTATION_GRACE: Duration = Duration::from_secs(30);

/// How many old ids are remembered, to notice that one is used again.
const REMEMBERED: usize = 4;

/// How many keys a session has at the most.
pub(in crate::session) const MOST_KEYS: usize = 1 + REMEMBERED;

/// The keys of one session.
#[derive(Debug)]
pub(super) struct Keys {
    current: SessionKey,
    /// Most sessions have none.
    retired: Option<Box<History>>,
}

/// The keys that were rotated away, the oldest first.
#[derive(Debug, Default)]
struct History {
    keys: Vec<Retired>,
}

#[derive(Debug)]
struct Retired {
    key: SessionKey,
    /// Until when it holds.
    until: Moment,
    /// Whether a newer id was used: the client has it, so whoever comes with this one is somebody else.
    superseded: bool,
}

/// What an id is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presented {
    /// It names the session.
    Valid,
    /// It named the session once.
    OutOfDate,
    /// It was used although a newer one had been: one of the two users is not the client.
    Reused,
}

impl Keys {
    pub(super) fn new(current: SessionKey) -> Self {
        Self { current, retired: None }
    }

    /// Somebody comes with the id of that key.
    pub(super) fn present(&mut self, key: &SessionKey, now: Moment) -> Presented {
        let retired = self.retired.as_mut().map_or(&mut [][..], |history| &mut history.keys);
        let older = if *key == self.current {
            retired.len()
        } else {
            match retired.iter().position(|retired| retired.key == *key) {
                Some(index) if retired[index].superseded => return Presented::Reused,
                Some(index) if now < retired[index].until => index,
                _ => return Presented::OutOfDate,
            }
        };
        for retired in &mut retired[..older] {
            retired.superseded = true;
        }
        Presented::Valid
    }

    /// The session gets a new id, asked for by who came with the key `by`. Answers with the key of an old one that is forgotten
    /// for it: one that is of no use any more, else the oldest but for `by`.
    pub(super) fn rotate(&mut self, new: SessionKey, by: &SessionKey, now: Moment) -> Option<SessionKey> {
        let key = std::mem::replace(&mut self.current, new);
        let retired = &mut self.retired.get_or_insert_default().keys;
        let forgotten = (retired.len() == REMEMBERED).then(|| {
            let superseded = retired.iter().position(|retired| retired.superseded);
            let index = superseded.or_else(|| retired.iter().position(|retired| retired.key != *by));
            retired.remove(index.unwrap_or_default()).key
        });
        retired.push(Retired { key, until: now.after(ROTATION_GRACE), superseded: false });
        forgotten
    }

    /// The request that asked for a new id with the key `by` has failed, and its client may never hear of that id: the old one
    /// holds until a newer one is used.
    pub(super) fn rotation_failed(&mut self, by: &SessionKey) {
        let retired = self.retired.iter_mut().flat_map(|history| &mut history.keys);
        if let Some(retired) = retired.into_iter().find(|retired| retired.key == *by) {
            retired.until = Moment::NEVER;
        }
    }

    /// The keys that a store has kept, as [`Keys::stored`] gave them; nothing if there are none.
    pub(super) fn restored(stored: &[StoredKey]) -> Option<Self> {
        let (current, retired) = stored.split_last()?;
        let retired: Vec<Retired> = retired
            .iter()
            .map(|StoredKey { key, until, superseded }| Retired { key: *key, until: *until, superseded: *superseded })
            .collect();
        let retired = (!retired.is_empty()).then(|| Box::new(History { keys: retired }));
        Some(Self { current: current.key, retired })
    }

    /// The same for a store to keep: the oldest first, the current one last.
    pub(super) fn stored(&self) -> Vec<StoredKey> {
        let retired = self.retired.iter().flat_map(|history| &history.keys);
        let retired = retired.map(|it| StoredKey { key: it.key, until: it.until, superseded: it.superseded });
        let current = StoredKey { key: self.current, until: Moment::NEVER, superseded: false };
        retired.chain(std::iter::once(current)).collect()
    }

    /// Whether older ids hold no longer once somebody comes with the id of that key.
    pub(super) fn outdates_others(&self, key: &SessionKey) -> bool {
        let retired = self.retired.as_ref().map_or(&[][..], |history| &history.keys);
        let older = retired.iter().take_while(|retired| retired.key != *key);
        self.know(key) && older.into_iter().any(|retired| !retired.superseded)
    }

    /// Whether it is or was a key of the session, as far as is remembered.
    pub(super) fn know(&self, key: &SessionKey) -> bool {
        let retired = self.retired.iter().flat_map(|history| &history.keys);
        self.current == *key || retired.into_iter().any(|retired| retired.key == *key)
    }

    /// All keys.
    pub(super) fn all(&self) -> Vec<SessionKey> {
        let retired = self.retired.iter().flat_map(|history| &history.keys).map(|retired| retired.key);
        std::iter::once(self.current).chain(retired).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::SessionId;

    fn key(number: u8) -> SessionKey {
        SessionKey::of(&SessionId::from_bytes([number; 32]))
    }

    const NOW: Moment = Moment::ORIGIN;

    // Behaviour 54.

    #[test]
    fn an_old_id_holds_for_the_grace_time_only() {
        let mut keys = Keys::new(key(1));
        keys.rotate(key(2), &key(1), NOW);
        assert_eq!(keys.present(&key(1), NOW), Presented::Valid);
        assert_eq!(keys.present(&key(1), NOW.after(ROTATION_GRACE)), Presented::OutOfDate);
        assert_eq!(keys.present(&key(2), NOW.after(ROTATION_GRACE)), Presented::Valid);
    }

    #[test]
    fn an_old_id_that_is_used_after_the_new_one_is_noticed() {
        // Behaviour 54.
        let mut keys = Keys::new(key(1));
        keys.rotate(key(2), &key(1), NOW);
        keys.rotate(key(3), &key(2), NOW);
        assert_eq!(keys.present(&key(2), NOW), Presented::Valid);
        assert_eq!(keys.present(&key(1), NOW), Presented::Reused);
        assert_eq!(keys.present(&key(3), NOW), Presented::Valid);
        assert_eq!(keys.present(&key(2), NOW), Presented::Reused);
    }

    #[test]
    fn few_old_ids_are_remembered() {
        let mut keys = Keys::new(key(0));
        let forgotten: Vec<_> = (1..=6).map(|number| keys.rotate(key(number), &key(number - 1), NOW)).collect();
        assert_eq!(forgotten, [None, None, None, None, Some(key(0)), Some(key(1))]);
        assert_eq!(keys.all().len(), MOST_KEYS);
        assert_eq!(keys.present(&key(0), NOW), Presented::OutOfDate);
    }

    #[test]
    fn whoever_asks_again_and_again_with_an_old_id_keeps_it() {
        let mut keys = Keys::new(key(0));
        for number in 1..=20 {
            assert_eq!(keys.present(&key(0), NOW), Presented::Valid, "{number}");
            keys.rotate(key(number), &key(0), NOW);
            keys.rotation_failed(&key(0));
        }
        let later = NOW.after(ROTATION_GRACE);
        assert_eq!(keys.present(&key(0), later), Presented::Valid);
        assert_eq!(keys.present(&key(20), later), Presented::Valid);
        assert_eq!(keys.present(&key(0), later), Presented::Reused);
    }
}
