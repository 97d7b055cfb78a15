//! What the clients did, counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of all clients of a part.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) changes: Count,
    pub(crate) refused: Count,
    pub(crate) unavailable: Count,
    pub(crate) creations: Count,
    pub(crate) ends: Count,
    pub(crate) rotations: Count,
    pub(crate) replays: Count,
    pub(crate) looks: Count,
    /// Requests that broke off: their effect was there afterwards, or nothing of it.
    pub(crate) lost: Count,
    pub(crate) landed: Count,
    /// Sessions that ended by themselves, when they were to.
    pub(crate) deadlines: Count,
}

#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self) {
        self.add_many(1);
    }

    pub(crate) fn add_many(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Report {
    /// All requests that changed something and were answered.
    pub(crate) fn answered(&self) -> u64 {
        [&self.changes, &self.creations, &self.ends, &self.rotations].map(Count::get).iter().sum()
    }

    pub(crate) fn summary(&self) -> String {
        format!(
            "{} changes, {} creations, {} ends and {} rotations were answered; {} requests failed on purpose, {} for want of \
             the store; {} replays gave the first answer; {} requests broke off, of which {} had taken effect; \
             {} sessions were compared, {} ended by themselves in time",
            self.changes.get(),
            self.creations.get(),
            self.ends.get(),
            self.rotations.get(),
            self.refused.get(),
            self.unavailable.get(),
            self.replays.get(),
            self.lost.get(),
            self.landed.get(),
            self.looks.get(),
            self.deadlines.get(),
        )
    }
}
