//! Sessions that outlive the process: how what happens in memory gets into the store, and comes back from there.
//!
//! A [`Keeper`] stands beside the maps of a manager. A release hands the changes of its request to the scribe and lets the next
//! request in when they are written (`saving`). What nobody waits for (that the idle time began anew, that a session has
//! expired) is written soon after (`lazily`). A session that was not used for a while leaves the memory (`resting`), and is
//! loaded by whoever asks for it (`loading`).

mod encoding;
mod ending;
mod joining;
mod lazily;
mod ledger;
mod loading;
mod record;
mod remembering;
mod residency;
mod resting;
mod saving;

use std::fmt;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::shared::Shared;
use super::slot::Slot;
use crate::session::SessionStore;
use crate::session::durable::Scribe;
pub(super) use ledger::Ledger;
pub(super) use loading::Claimed;
use loading::Loads;
use residency::Residency;
use resting::Resting;

/// What a manager needs to keep its sessions in a store.
pub(super) struct Keeper {
    store: Arc<dyn SessionStore>,
    scribe: Scribe,
    /// How often the store was opened before: fences of an earlier time are below all of this one.
    openings: u64,
    residency: Arc<Mutex<Residency>>,
    /// The manager that it belongs to.
    home: Weak<Shared>,
    loads: Loads,
    resting: Mutex<Resting>,
}

impl Keeper {
    /// A keeper over a store that was opened so often before.
    pub(super) fn new(store: Arc<dyn SessionStore>, scribe: Scribe, openings: u64, home: Weak<Shared>) -> Self {
        Self {
            store,
            scribe,
            openings,
            residency: Arc::default(),
            home,
            loads: Loads::default(),
            resting: Mutex::default(),
        }
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
