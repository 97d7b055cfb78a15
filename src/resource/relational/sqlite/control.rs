//! How a running statement is stopped, and how its progress is seen.
//!
//! `SQLite` calls a connection's progress handler every so many steps of its virtual machine, and its busy handler while
//! it waits for a lock. Both look at the [`Control`] of the statement that runs, so a statement stops within
//! microseconds when its request is cancelled or its reader has gone, also while it gives no rows. An interrupt from
//! another thread (`sqlite3_interrupt`) would do less: one that comes just before the first step is lost, and one that
//! comes just after the last step hits the next statement of the connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::block::ReaderWatch;

/// How many steps `SQLite` makes between two looks at the [`Control`]: some 10 µs.
pub(super) const STEPS: i32 = 1000;

/// What a running statement and those who may stop it share.
#[derive(Debug)]
pub(super) struct Control {
    cancel: CancellationToken,
    reader: Option<ReaderWatch>,
    looks: AtomicU32,
}

impl Control {
    pub(super) fn new(cancel: CancellationToken, reader: Option<ReaderWatch>) -> Self {
        Self { cancel, reader, looks: AtomicU32::new(0) }
    }

    /// Whether the statement has to stop.
    pub(super) fn is_stopped(&self) -> bool {
        self.cancel.is_cancelled() || self.reader.as_ref().is_some_and(ReaderWatch::reader_gone)
    }

    /// How often `SQLite` has looked, which measures the work that it has done.
    pub(super) fn looks(&self) -> u32 {
        self.looks.load(Ordering::Relaxed)
    }

    /// Counts one look, and tells whether the statement has to stop.
    fn look(&self) -> bool {
        self.looks.fetch_add(1, Ordering::Relaxed);
        self.is_stopped()
    }
}

/// The place of a connection where the control of its present statement stands.
#[derive(Debug, Clone, Default)]
pub(super) struct ControlSlot(Arc<Mutex<Option<Arc<Control>>>>);

impl ControlSlot {
    /// Puts a control into the slot for as long as the guard lives.
    pub(super) fn occupy(&self, control: &Arc<Control>) -> ControlGuard {
        *self.0.lock() = Some(Arc::clone(control));
        ControlGuard(self.clone())
    }

    /// Whether the present statement has to stop; counts the look.
    pub(super) fn look(&self) -> bool {
        self.0.lock().as_ref().is_some_and(|control| control.look())
    }
}

/// Empties the slot when dropped.
#[derive(Debug)]
pub(super) struct ControlGuard(ControlSlot);

impl Drop for ControlGuard {
    fn drop(&mut self) {
        *self.0.0.lock() = None;
    }
}
