//! What the parts of a manager share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use super::aftermath::{Aftermath, Ending};
use super::kept::Keeper;
use super::policy::Policy;
use super::slot::Slot;
use super::table::{Deadlines, HandleIndex, KeyTable, Quotas};
use super::tombstones::Tombstones;
use crate::session::clock::Time;
use crate::session::{AnswerBook, Clock, Dropped, EndReason, IdSource, Replays, SessionListener};

/// The maps, the clock, the id source and the listeners of one manager.
///
/// Its mutexes and those of the slots are never held while another is taken, but for these: a slot enters itself into the
/// deadlines, and looks whether it has streams; those of the keeper (`kept`) come before all others, its residency before its
/// lists.
#[derive(Debug)]
pub(in crate::session) struct Shared {
    /// For the sessions created from now on.
    pub(super) policy: RwLock<Arc<Policy>>,
    /// Whether there are explicit sessions at all: of the policy, for every join to see.
    pub(super) explicit: AtomicBool,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdSource>,
    pub(super) listeners: Vec<Arc<dyn SessionListener>>,
    pub(super) keys: KeyTable,
    pub(super) handles: Mutex<HandleIndex>,
    pub(super) deadlines: Deadlines,
    pub(super) quotas: Quotas,
    pub(super) tombstones: Mutex<Tombstones>,
    /// Of implicit sessions: apart, so that however many of them do not push out the others.
    pub(super) implicit_tombstones: Mutex<Tombstones>,
    /// Sessions that have ended and wait for the request that holds them.
    pub(super) closing: Mutex<Vec<Arc<Slot>>>,
    /// Told when the last session is gone.
    pub(super) emptied: Notify,
    /// Told when the configuration has changed.
    pub(super) reconfigured: Arc<Notify>,
    /// How many requests wait for a session.
    pub(super) waiters: AtomicU64,
    /// The repeatable requests that run.
    pub(super) replays: Replays,
    /// What is remembered of those that have run.
    pub(super) answers: Mutex<AnswerBook>,
    /// What keeps explicit sessions beyond the process, if anything does.
    pub(super) keeper: Option<Keeper>,
}

impl Shared {
    pub(super) fn time(&self) -> Time {
        Time::read(&*self.clock)
    }

    pub(super) fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy.read())
    }

    /// Does what a slot left to do. No mutex is held here.
    pub(super) fn settle(&self, slot: &Arc<Slot>, aftermath: Aftermath) {
        if let Some(ending) = aftermath.ending {
            self.bury(slot, &ending);
        }
        for waker in aftermath.wakers {
            waker.wake();
        }
        if let Some(remains) = aftermath.remains {
            remains.streams.end();
        }
        if let Some(holder) = aftermath.evicted {
            self.tell(slot, |listener, event| listener.lost(event, holder.request));
        }
        if aftermath.unwritten {
            self.touch_again(slot);
        }
        if aftermath.id_reused {
            self.tell(slot, |listener, event| listener.id_reused(event));
        }
        if let Some((reason, dropped)) = aftermath.finished {
            self.finish(slot, reason, dropped);
        }
    }

    /// Takes an ended session out of the maps and remembers its end: first the one, then the other, so that somebody who looks
    /// meanwhile finds it here or there.
    fn bury(&self, slot: &Arc<Slot>, ending: &Ending) {
        let retention = slot.policy.settings.retention;
        let tombstones = if slot.implicit { &self.implicit_tombstones } else { &self.tombstones };
        for key in &ending.keys {
            let names = (slot.handle, slot.owner.clone());
            tombstones.lock().add(*key, names, ending.ended, retention);
        }
        // From here on the store does not give it out any more: who asks there has to find its end, so that is remembered by now.
        // And it is before it is gone from the maps, so that nobody brings it back.
        self.keep_end(slot, ending);
        if slot.reachable {
            for key in &ending.keys {
                drop(self.keys.remove(key));
            }
        }
        if !slot.implicit {
            self.deadlines.remove(ending.armed, slot);
            self.quotas.give_back(&slot.owner);
            self.answers.lock().forget_session(slot.handle);
        }
        if ending.closing {
            self.closing.lock().push(Arc::clone(slot));
        }
    }

    /// Closes what an ended session held, and forgets it.
    fn finish(&self, slot: &Arc<Slot>, reason: EndReason, dropped: Dropped) {
        self.tell(slot, |listener, event| listener.closing(event, dropped.attributes()));
        dropped.close(slot.handle);
        self.tell(slot, |listener, event| listener.ended(event, reason));
        let mut handles = self.handles.lock();
        let removed = handles.sessions.remove(slot.handle);
        handles.implicit -= u64::from(slot.implicit && removed.is_some());
        let emptied = handles.draining && handles.sessions.is_empty();
        drop(handles);
        drop(removed);
        if emptied {
            self.emptied.notify_waiters();
        }
    }
}
