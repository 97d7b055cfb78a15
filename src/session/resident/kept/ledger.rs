//! What is noted of a session about what the store has of it.

use crate::session::{Moment, SessionRecord};

/// What the store has of a session, and what is on its way there. It stands under the mutex of the session.
#[derive(Debug)]
pub(in crate::session::resident) struct Ledger {
    /// The version that the store has; 0 as long as it has none.
    pub(super) version: u64,
    /// The version that it will have when everything that is being written is.
    pub(super) drafted: u64,
    /// The number of the last request that was numbered by its client.
    pub(super) sequence: u64,
    /// When the last checkpoint was made: nothing that is written later says that the session was left earlier.
    pub(super) kept: Moment,
    /// When the maintenance looks whether it is over.
    pub(super) due: Moment,
    /// Whether the store knows that it holds something which is lost with the process.
    pub(super) perishable: bool,
    /// How many requests run in it whose clients were told so.
    pub(super) anchors: u32,
    /// What has changed beside the attributes waits to be written.
    pub(super) queued: bool,
    /// Somebody is on the way who writes it.
    pub(super) errand: bool,
    /// Whether it may leave the memory, or has.
    pub(super) rest: Rest,
    /// The bytes that are counted for it among those that were used lately.
    pub(super) resting_bytes: u64,
}

/// On the way out of the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// It is in use, or was not looked at.
    None,
    /// It stands in the list of those that were used lately.
    Resting,
    /// It stands there, and was used again since.
    UsedAgain,
    /// It has left the memory: whoever has it still looks for it again.
    Unloaded,
}

/// Of a session that the store does not know yet.
impl Default for Ledger {
    fn default() -> Self {
        Self {
            version: 0,
            drafted: 0,
            sequence: 0,
            kept: Moment::ORIGIN,
            due: Moment::NEVER,
            perishable: false,
            anchors: 0,
            queued: false,
            errand: false,
            rest: Rest::None,
            resting_bytes: 0,
        }
    }
}

impl Ledger {
    /// Of a session that was loaded.
    pub(super) fn of(record: &SessionRecord) -> Self {
        Self {
            version: record.version,
            drafted: record.version,
            sequence: record.sequence,
            due: record.due,
            perishable: record.perishable,
            ..Self::default()
        }
    }

    /// Whether a request runs in it whose client was told so.
    pub(in crate::session::resident) fn is_anchored(&self) -> bool {
        self.anchors > 0
    }

    /// Something has changed that is to be written, though nobody waits for it.
    pub(in crate::session::resident) fn mark_unwritten(&mut self) {
        self.queued = true;
    }

    /// A request whose client was told that it runs is done.
    pub(in crate::session::resident) fn weigh_anchor(&mut self) {
        self.anchors = self.anchors.saturating_sub(1);
    }

    /// Whether somebody has to be sent to write what waits for it; one is enough.
    pub(super) fn send_errand(&mut self) -> bool {
        self.queued && !self.is_unloaded() && !std::mem::replace(&mut self.errand, true)
    }

    pub(in crate::session::resident) fn is_queued(&self) -> bool {
        self.queued
    }

    pub(in crate::session::resident) fn set_queued(&mut self, queued: bool) {
        self.queued = queued;
    }

    /// Whether it has left the memory.
    pub(in crate::session::resident) fn is_unloaded(&self) -> bool {
        self.rest == Rest::Unloaded
    }

    /// Whether the store has, or is about to have, something of it.
    pub(super) fn is_known(&self) -> bool {
        self.drafted > 0
    }

    /// Whether all of it is in the store.
    pub(super) fn is_written(&self) -> bool {
        self.version > 0 && self.drafted == self.version && !self.queued
    }

    /// What was drafted is written.
    pub(super) fn confirm(&mut self, version: u64) {
        self.version = self.version.max(version);
        self.drafted = self.drafted.max(version);
    }

    /// What was drafted is not written, nor anything that was drafted after it.
    pub(super) fn revert(&mut self) {
        self.drafted = self.version;
    }
}
