use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How often principals have gone: whoever was let in before and has begun nothing yet may be one of them.
#[derive(Debug, Clone, Default)]
pub(in crate::service) struct Departures(Arc<AtomicU64>);

/// When somebody was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) struct LetIn(u64);

impl Departures {
    /// Now.
    pub(in crate::service) fn now(&self) -> LetIn {
        LetIn(self.0.load(Ordering::Acquire))
    }

    /// Somebody has gone.
    pub(in crate::service) fn add(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}
