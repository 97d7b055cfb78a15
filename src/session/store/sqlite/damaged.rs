//! Rows of sessions that are found damaged while the store is in use.

use std::collections::HashSet;

use parking_lot::Mutex;

use super::fault::Fault;

/// Of so many it is remembered which they are; more are not told of one by one.
const REMEMBERED: usize = 10_000;

/// The sessions whose rows were found damaged, each told of once.
///
/// One of them is no reason to keep the others from being listed, or from ending in time: it is passed over. Who asks for it
/// itself is told ([`StoreError::Damaged`](crate::session::StoreError)), and so is the next start.
#[derive(Debug, Default)]
pub(super) struct DamagedRows(Mutex<HashSet<Vec<u8>>>);

impl DamagedRows {
    /// A row was passed over.
    pub(super) fn note(&self, handle: &[u8], fault: &Fault) {
        let mut known = self.0.lock();
        if known.len() < REMEMBERED && known.insert(handle.to_vec()) {
            drop(known);
            tracing::error!(?fault, "a stored session is damaged: it is passed over where sessions are listed or end");
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.0.lock().len() as u64
    }
}
