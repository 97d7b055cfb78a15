//! Sessions that outlive the process: how what happens in memory gets into the store, and comes back from there.
//!
//! A [`Keeper`] stands beside the maps of a manager. A release hands the changes of its request to the scribe and lets the next
//! request in when they are written (`saving`); a checkpoint is written while its request goes on (`keeping`). What nobody waits for (that the idle time began anew, that a session has
//! expired) is written soon after (`lazily`). A session that was not used for a while leaves the memory (`resting`), and is
//! loaded by whoever asks for it (`loading`).

mod encoding;
mod ending;
mod expiry;
mod hidden;
mod joining;
mod keeping;
mod lazily;
mod ledger;
mod listing;
mod loading;
mod record;
mod remembering;
mod residency;
mod resting;
mod rounds;
mod saving;

use std::fmt;
use std::sync::atomic::AtomicUsize;
#[cfg(test)]
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::shared::Shared;
use super::slot::Slot;
use super::start::Inheritance;
use crate::session::durable::Scribe;
use crate::session::{Moment, SessionStore, StoreStatistics, Timeline};
pub(in crate::session) use encoding::snapshot as stored_attributes;
use hidden::Hidden;
pub(super) use ledger::Ledger;
pub(super) use listing::Listed;
pub(super) use loading::Claimed;
use loading::Loads;
pub(in crate::session) use record::ended_record;
use residency::Residency;
use resting::Resting;

/// What a manager needs to keep its sessions in a store.
pub(super) struct Keeper {
    store: Arc<dyn SessionStore>,
    scribe: Scribe,
    /// The time of the store.
    timeline: Timeline,
    /// How often the store was opened before: fences of an earlier time are below all of this one.
    openings: u64,
    residency: Arc<Mutex<Residency>>,
    /// The manager that it belongs to.
    home: Weak<Shared>,
    loads: Loads,
    resting: Mutex<Resting>,
    /// When the store is tidied up again.
    next_tidying: Mutex<Moment>,
    hidden: Hidden,
    /// How many look something up in the store at this moment.
    reading: AtomicUsize,
}

impl Keeper {
    /// A keeper over a store.
    pub(super) fn new(inheritance: Inheritance, scribe: Scribe, home: Weak<Shared>) -> Self {
        Self {
            store: inheritance.store,
            scribe,
            timeline: inheritance.timeline,
            openings: inheritance.openings,
            residency: Arc::default(),
            home,
            loads: Loads::default(),
            resting: Mutex::default(),
            next_tidying: Mutex::new(Moment::ORIGIN),
            hidden: Hidden::default(),
            reading: AtomicUsize::new(0),
        }
    }

    /// What the store takes up.
    pub(super) fn statistics(&self) -> StoreStatistics {
        self.store.statistics()
    }

    /// The least fence of a session that is loaded: higher than all that were given before the store was opened.
    fn least_fence(&self) -> u64 {
        self.openings << 32
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").field("store", &self.store).field("scribe", &self.scribe).finish_non_exhaustive()
    }
}

/// Whether a store keeps a session.
fn is_kept(slot: &Slot) -> bool {
    !slot.implicit
}

impl Shared {
    /// How many errands are on their way to the store.
    #[cfg(test)]
    pub(in crate::session) fn errands(&self) -> usize {
        self.keeper.as_ref().map_or(0, |keeper| keeper.scribe.waiting())
    }

    /// Whether anything is under way between the memory and the store.
    #[cfg(test)]
    pub(in crate::session) fn is_busy(&self) -> bool {
        self.keeper
            .as_ref()
            .is_some_and(|keeper| keeper.scribe.waiting() > 0 || keeper.reading.load(Ordering::SeqCst) > 0)
    }
}
