//! Sessions that nobody uses leave the memory: the store has them.

use std::collections::VecDeque;
use std::sync::Arc;

use super::is_kept;
use super::ledger::Rest;
use crate::session::Moment;
use crate::session::resident::shared::Shared;
use crate::session::resident::slot::{Slot, State};

/// So many sessions that nobody uses stay in memory: a client that sends one request after the other finds its session there.
/// They take less than a few megabytes.
const MOST_SESSIONS: usize = 4096;

/// The attributes of those take so much at the most.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// So many are looked at when one more comes: the list shrinks faster than it grows.
const LOOKS: usize = 8;

/// The sessions that were used lately, in the order of a clock hand: who was used again since the hand passed is passed over.
#[derive(Debug, Default)]
pub(super) struct Resting {
    ring: VecDeque<(Arc<Slot>, u64)>,
    bytes: u64,
}

impl Resting {
    fn push(&mut self, slot: Arc<Slot>, bytes: u64) {
        self.bytes += bytes;
        self.ring.push_back((slot, bytes));
    }

    fn pop_excess(&mut self) -> Option<Arc<Slot>> {
        if self.ring.len() <= MOST_SESSIONS && self.bytes <= MOST_BYTES {
            return None;
        }
        let (slot, bytes) = self.ring.pop_front()?;
        self.bytes -= bytes;
        Some(slot)
    }
}

impl Shared {
    /// All of a session is written: it may leave the memory when others need the room.
    pub(in crate::session::resident) fn rest(&self, slot: &Arc<Slot>) {
        let Some(keeper) = self.keeper.as_ref().filter(|_| is_kept(slot)) else { return };
        self.touch_again(slot);
        if self.handles.lock().draining {
            self.unload(slot);
            return;
        }
        let Some(bytes) = slot.state().lie_down() else { return };
        keeper.resting.lock().push(Arc::clone(slot), bytes);
        for _ in 0..LOOKS {
            let Some(eldest) = keeper.resting.lock().pop_excess() else { return };
            let again = eldest.state().get_up();
            match again {
                Some(bytes) => keeper.resting.lock().push(eldest, bytes),
                None => drop(self.unload(&eldest)),
            }
        }
    }

    /// The service shuts down: a session that nobody holds leaves the memory, as soon as all of it is written. Answers whether
    /// nobody holds it.
    pub(in crate::session::resident) fn let_go(&self, slot: &Arc<Slot>) -> bool {
        let (is_joined, is_there) = {
            let state = slot.state();
            (state.is_joined(), state.ended.is_none() && state.ledger.is_some())
        };
        if is_there && !is_joined && !self.unload(slot) {
            self.touch(slot);
        }
        !is_joined
    }

    /// A session leaves the memory, if nobody has anything to do with it and the store has all of it. Answers whether it did.
    pub(in crate::session::resident) fn unload(&self, slot: &Arc<Slot>) -> bool {
        let Some(keeper) = &self.keeper else { return false };
        // Nobody loads it as long as this is held.
        let residency = keeper.residency.lock();
        if residency.is_claimed(slot.handle) {
            return false;
        }
        let Some((keys, armed)) = slot.state().leave_memory() else { return false };
        let mut handles = self.handles.lock();
        let removed = handles.sessions.remove(slot.handle);
        let emptied = handles.draining && handles.sessions.is_empty();
        drop(handles);
        for key in &keys {
            drop(self.keys.remove(key));
        }
        self.deadlines.remove(armed, slot);
        drop(residency);
        drop(removed);
        if emptied {
            self.emptied.notify_waiters();
        }
        true
    }
}

impl State {
    /// The session enters the list of those that were used lately. Answers with its bytes if it was not in there.
    fn lie_down(&mut self) -> Option<u64> {
        let bytes = self.attributes.byte_size();
        let ledger = self.ledger.as_mut()?;
        match ledger.rest {
            Rest::None if self.ended.is_none() => {
                ledger.rest = Rest::Resting;
                Some(bytes)
            }
            Rest::Resting => {
                ledger.rest = Rest::UsedAgain;
                None
            }
            Rest::None | Rest::UsedAgain | Rest::Unloaded => None,
        }
    }

    /// It comes out of the list. Answers with its bytes if it was used since and goes in again.
    fn get_up(&mut self) -> Option<u64> {
        let bytes = self.attributes.byte_size();
        let ledger = self.ledger.as_mut()?;
        let stays = ledger.rest == Rest::UsedAgain && self.ended.is_none();
        if ledger.rest != Rest::Unloaded {
            ledger.rest = if stays { Rest::Resting } else { Rest::None };
        }
        stays.then_some(bytes)
    }

    /// It leaves the memory, if nothing stands in the way. Answers with its keys and with its place in the list of deadlines.
    fn leave_memory(&mut self) -> Option<(Vec<crate::session::SessionKey>, Moment)> {
        let in_use = self.is_joined() || self.saving || self.ended.is_some() || self.is_perishable();
        let ledger = self.ledger.as_mut()?;
        if in_use || !ledger.is_written() || ledger.perishable || ledger.is_unloaded() {
            return None;
        }
        ledger.rest = Rest::Unloaded;
        Some((self.keys.all(), std::mem::replace(&mut self.armed, Moment::NEVER)))
    }
}
