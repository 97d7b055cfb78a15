//! The statements that we prepare on a connection ourselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;

/// The statements that we prepare on a connection ourselves.
#[derive(Debug, Default)]
pub(super) struct OwnStatements {
    /// Whether the server knows what is run around every query.
    pub(super) has_around: AtomicBool,
    count: AtomicU64,
    /// Names that nobody needs any more.
    forgotten: Arc<Mutex<Vec<String>>>,
}

impl OwnStatements {
    /// A statement that will be prepared when it is run first.
    pub(super) fn another(&self) -> OwnStatement {
        OwnStatement {
            name: format!("rejoin_{}", self.count.fetch_add(1, Ordering::Relaxed)),
            is_known: AtomicBool::new(false),
            forgotten: Arc::clone(&self.forgotten),
        }
    }

    /// The names that the server is to forget; they are given once.
    pub(super) fn forgotten(&self) -> Vec<String> {
        std::mem::take(&mut *self.forgotten.lock())
    }
}

/// A statement that we prepare ourselves; the server is told to forget it with one of the next queries after it was dropped.
#[derive(Debug)]
pub(super) struct OwnStatement {
    pub(super) name: String,
    /// Whether the server knows it.
    pub(super) is_known: AtomicBool,
    forgotten: Arc<Mutex<Vec<String>>>,
}

impl Drop for OwnStatement {
    fn drop(&mut self) {
        if self.is_known.load(Ordering::Relaxed) {
            self.forgotten.lock().push(std::mem::take(&mut self.name));
        }
    }
}
