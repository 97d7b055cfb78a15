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

/// The sessions that were used lately, in the order of a clock hand: who was used again since the hand passed is passed over.
#[derive(Debug, Default)]
pub(super) struct Resting {
    ring: VecDeque<Arc<Slot>>,
    /// Of their attributes, as each was when it was used last.
    bytes: u64,
}

/// How a session comes to rest.
struct Bedding {
    is_new: bool,
    /// The bytes that are counted for it from now on, and those that were.
    bytes: u64,
    before: u64,
}

impl Resting {
    fn put(&mut self, slot: &Arc<Slot>, bedding: &Bedding) {
        self.bytes = self.bytes.saturating_sub(bedding.before).saturating_add(bedding.bytes);
        if bedding.is_new {
            self.ring.push_back(Arc::clone(slot));
        }
    }

    fn pop_excess(&mut self) -> Option<Arc<Slot>> {
        let is_excess = self.ring.len() > MOST_SESSIONS || self.bytes > MOST_BYTES;
        if is_excess { self.ring.pop_front() } else { None }
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
        let Some(bedding) = slot.state().lie_down() else { return };
        keeper.resting.lock().put(slot, &bedding);
        // Each that is looked at leaves, or loses what it was passed over for: this ends.
        loop {
            let Some(eldest) = keeper.resting.lock().pop_excess() else { return };
            let risen = eldest.state().get_up();
            match risen {
                Risen::Again => keeper.resting.lock().ring.push_back(eldest),
                Risen::Up(bytes) => {
                    let mut resting = keeper.resting.lock();
                    resting.bytes = resting.bytes.saturating_sub(bytes);
                    drop(resting);
                    self.unload(&eldest);
                }
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

/// What becomes of a session that the hand of the clock points at.
enum Risen {
    /// It was used since, and stays.
    Again,
    /// It stands in the list no longer. So many bytes were counted for it.
    Up(u64),
}

impl State {
    /// The session enters the list of those that were used lately, or was used again.
    fn lie_down(&mut self) -> Option<Bedding> {
        let bytes = self.attributes.byte_size();
        let ledger = self.ledger.as_mut().filter(|_| self.ended.is_none())?;
        let is_new = match ledger.rest {
            Rest::Unloaded => return None,
            Rest::None => true,
            Rest::Resting | Rest::UsedAgain => false,
        };
        ledger.rest = if is_new { Rest::Resting } else { Rest::UsedAgain };
        let before = std::mem::replace(&mut ledger.resting_bytes, bytes);
        Some(Bedding { is_new, bytes, before })
    }

    fn get_up(&mut self) -> Risen {
        let has_ended = self.ended.is_some();
        let Some(ledger) = &mut self.ledger else { return Risen::Up(0) };
        match ledger.rest {
            Rest::UsedAgain if !has_ended => {
                ledger.rest = Rest::Resting;
                return Risen::Again;
            }
            Rest::Unloaded => {}
            Rest::None | Rest::Resting | Rest::UsedAgain => ledger.rest = Rest::None,
        }
        Risen::Up(std::mem::take(&mut ledger.resting_bytes))
    }

    /// It leaves the memory, if nothing stands in the way. Answers with its keys and with its place in the list of deadlines.
    fn leave_memory(&mut self) -> Option<(Vec<crate::session::SessionKey>, Moment)> {
        let in_use = self.is_joined() || self.is_being_written() || self.ended.is_some() || self.is_perishable();
        let ledger = self.ledger.as_mut()?;
        if in_use || !ledger.is_written() || ledger.perishable || ledger.is_unloaded() {
            return None;
        }
        ledger.rest = Rest::Unloaded;
        Some((self.keys.all(), std::mem::replace(&mut self.armed, Moment::NEVER)))
    }
}
