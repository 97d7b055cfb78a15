//! What is counted of the stores that keep sessions.

use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::labels::{OfFailure, OfResource, to_gauge};
use crate::session::{StoreError, StoreEvent, StoreOperation, StoreStatistics};

/// Histograms with bounds of their own.
type Histograms = Family<OfResource, Histogram, fn() -> Histogram>;

/// A commit takes what the disk takes to sync: a tenth of a millisecond where its cache is safe, ten on one that turns.
const SECONDS: [f64; 15] =
    [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// As many as write at a time: with 64 connections about half of them.
const WRITES: [f64; 11] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];

/// The families that the stores of all resources share.
#[derive(Debug, Clone)]
pub(super) struct StoreFamilies {
    dormant: Family<OfResource, Gauge>,
    bytes: Family<OfResource, Gauge>,
    damaged: Family<OfResource, Gauge>,
    recovery: Family<OfResource, Gauge<f64, AtomicU64>>,
    commit: Histograms,
    batch: Histograms,
    load: Histograms,
    failures: Family<OfFailure, Counter>,
}

impl StoreFamilies {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let seconds = || Histograms::new_with_constructor(|| Histogram::new(SECONDS));
        let families = Self {
            dormant: Family::default(),
            bytes: Family::default(),
            damaged: Family::default(),
            recovery: Family::default(),
            commit: seconds(),
            batch: Histograms::new_with_constructor(|| Histogram::new(WRITES)),
            load: seconds(),
            failures: Family::default(),
        };
        registry.register(
            "sessions_dormant",
            "Explicit sessions that are in the store and not in memory",
            families.dormant.clone(),
        );
        registry.register_with_unit("store", "What the store takes up on disk", Unit::Bytes, families.bytes.clone());
        registry.register(
            "store_damaged_sessions",
            "Sessions that were passed over since the start because their records are damaged",
            families.damaged.clone(),
        );
        families.register_times(registry);
        registry.register("store_batch_writes", "Writes that one commit made", families.batch.clone());
        registry.register("store_failures", "What the store could not do, and why", families.failures.clone());
        families
    }

    fn register_times(&self, registry: &mut Registry) {
        let recovery = "How long it took at the start until the stored sessions were there again";
        registry.register_with_unit("store_recovery", recovery, Unit::Seconds, self.recovery.clone());
        let commit = "How long the store took to commit a batch of writes";
        registry.register_with_unit("store_commit", commit, Unit::Seconds, self.commit.clone());
        let load = "How long it took to load a session that was not in memory";
        registry.register_with_unit("store_load", load, Unit::Seconds, self.load.clone());
    }

    /// That of one resource.
    pub(super) fn of(&self, resource: &str) -> StoreMetrics {
        StoreMetrics { resource: resource.into(), families: self.clone(), open: OnceLock::new() }
    }
}

/// What is counted of the store of one resource. It shows nothing before a store was opened.
#[derive(Debug)]
pub(super) struct StoreMetrics {
    resource: String,
    families: StoreFamilies,
    open: OnceLock<OpenMetrics>,
}

#[derive(Debug)]
struct OpenMetrics {
    dormant: Gauge,
    bytes: Gauge,
    damaged: Gauge,
    recovery: Gauge<f64, AtomicU64>,
    commit: Histogram,
    batch: Histogram,
    load: Histogram,
    /// They are there from the start, so that the first failure is a rise that an alert sees.
    failures: Vec<(StoreOperation, &'static str, Counter)>,
}

impl StoreMetrics {
    /// Counts what happened.
    pub(super) fn note(&self, event: StoreEvent<'_>) {
        let open = self.open();
        match event {
            StoreEvent::Recovered { took, .. } => drop(open.recovery.set(took.as_secs_f64())),
            StoreEvent::Committed { writes, took } => {
                open.commit.observe(took.as_secs_f64());
                open.batch.observe(f64::from(u32::try_from(writes).unwrap_or(u32::MAX)));
            }
            StoreEvent::Loaded { took } => open.load.observe(took.as_secs_f64()),
            StoreEvent::Failed { operation, error } => open.failed(operation, error),
        }
    }

    /// Takes over how many there are.
    pub(super) fn show(&self, dormant: u64, statistics: StoreStatistics) {
        let open = self.open();
        open.dormant.set(to_gauge(dormant));
        open.bytes.set(to_gauge(statistics.bytes));
        open.damaged.set(to_gauge(statistics.damaged));
    }

    fn open(&self) -> &OpenMetrics {
        self.open.get_or_init(|| OpenMetrics::of(&self.families, &self.resource))
    }
}

impl OpenMetrics {
    fn of(families: &StoreFamilies, resource: &str) -> Self {
        let of_resource = OfResource { resource: resource.into() };
        let failures = StoreOperation::ALL.into_iter().flat_map(|operation| {
            StoreError::RUNNING.map(|reason| {
                let labels = OfFailure { resource: resource.into(), operation: operation.name(), reason };
                (operation, reason, families.failures.get_or_create_owned(&labels))
            })
        });
        Self {
            dormant: families.dormant.get_or_create_owned(&of_resource),
            bytes: families.bytes.get_or_create_owned(&of_resource),
            damaged: families.damaged.get_or_create_owned(&of_resource),
            recovery: families.recovery.get_or_create_owned(&of_resource),
            commit: families.commit.get_or_create_owned(&of_resource),
            batch: families.batch.get_or_create_owned(&of_resource),
            load: families.load.get_or_create_owned(&of_resource),
            failures: failures.collect(),
        }
    }

    fn failed(&self, operation: StoreOperation, error: &StoreError) {
        let known = |&&(of, reason, _): &&(StoreOperation, &str, Counter)| of == operation && reason == error.name();
        // What only an opening can end with is none of these, and then there is no store to watch.
        if let Some((_, _, counter)) = self.failures.iter().find(known) {
            counter.inc();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use prometheus_client::encoding::text::encode;

    use super::*;

    fn text(registry: &Registry) -> String {
        let mut text = String::new();
        encode(&mut text, registry).unwrap();
        text
    }

    #[test]
    fn a_resource_without_a_store_shows_nothing_of_one() {
        let mut registry = Registry::default();
        let families = StoreFamilies::register(&mut registry);
        let (with, _without) = (families.of("with"), families.of("without"));
        assert!(!text(&registry).contains("store"));
        with.note(StoreEvent::Recovered { sessions: 3, took: Duration::from_millis(250) });
        let text = text(&registry);
        assert!(text.contains("store_recovery_seconds{resource=\"with\"} 0.25\n"), "{text}");
        assert!(text.contains("store_failures_total{resource=\"with\",operation=\"commit\",reason=\"full\"} 0\n"));
        assert!(!text.contains("without"), "{text}");
    }

    #[test]
    fn commits_loads_and_failures_are_counted() {
        let mut registry = Registry::default();
        let store = StoreFamilies::register(&mut registry).of("data");
        store.note(StoreEvent::Committed { writes: 3, took: Duration::from_micros(300) });
        store.note(StoreEvent::Committed { writes: 1, took: Duration::from_secs(7) });
        store.note(StoreEvent::Loaded { took: Duration::from_micros(20) });
        store.note(StoreEvent::Failed { operation: StoreOperation::Commit, error: &StoreError::Full });
        store.show(5, StoreStatistics { bytes: 4096, damaged: 3 });
        let text = text(&registry);
        for sample in [
            "store_commit_seconds_bucket{le=\"0.00025\",resource=\"data\"} 0",
            "store_commit_seconds_bucket{le=\"0.0005\",resource=\"data\"} 1",
            "store_commit_seconds_bucket{le=\"5.0\",resource=\"data\"} 1",
            "store_commit_seconds_count{resource=\"data\"} 2",
            "store_batch_writes_sum{resource=\"data\"} 4.0",
            "store_load_seconds_bucket{le=\"0.00005\",resource=\"data\"} 1",
            "store_failures_total{resource=\"data\",operation=\"commit\",reason=\"full\"} 1",
            "sessions_dormant{resource=\"data\"} 5",
            "store_bytes{resource=\"data\"} 4096",
            "store_damaged_sessions{resource=\"data\"} 3",
        ] {
            assert!(text.lines().any(|line| line == sample), "{sample} is not in\n{text}");
        }
    }
}
