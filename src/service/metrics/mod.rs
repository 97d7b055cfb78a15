//! Counts and times of what the service does, for Prometheus: `GET /metrics`.
//!
//! Every server has a registry of its own, so that several in one process don't mix. What is counted per resource is looked up
//! once, when the server is built; a request only touches counters. No label has a value that a client may choose: no id, no
//! handle, no principal, and of a URL only the name of a resource that is served.

mod body;
mod labels;
mod requests;
mod route;
mod sessions;
mod store;
mod text;

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use labels::Seconds;
use requests::RequestFamilies;
pub(super) use requests::RequestMetrics;
pub(super) use route::metrics;
use sessions::SessionFamilies;
pub(super) use sessions::SessionMetrics;
use std::sync::Arc;

use crate::engine::AdmissionCounts;

/// Everything that one server counts.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    sessions: SessionFamilies,
    requests: RequestFamilies,
    /// Of requests that are for no resource, or for one that is not served.
    elsewhere: Arc<RequestMetrics>,
    connections: Gauge,
    running: Gauge,
    waiting: Gauge,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("rejoin");
        let (connections, running, waiting) = (Gauge::default(), Gauge::default(), Gauge::default());
        registry.register("http_connections", "Connections that are open", connections.clone());
        registry.register("requests_running", "Perform requests that have a place to run", running.clone());
        registry.register(
            "requests_waiting",
            "Perform requests that are being read, or wait for a session or a place to run",
            waiting.clone(),
        );
        let requests = RequestFamilies::register(&mut registry);
        let sessions = SessionFamilies::register(&mut registry);
        let elsewhere = Arc::new(requests.of(""));
        Self { registry, sessions, requests, elsewhere, connections, running, waiting }
    }

    /// What is counted of the sessions of a resource.
    pub(super) fn sessions_of(&self, resource: &str) -> Arc<SessionMetrics> {
        Arc::new(self.sessions.of(resource))
    }

    /// What is counted of the requests for a resource.
    pub(super) fn requests_of(&self, resource: &str) -> Arc<RequestMetrics> {
        Arc::new(self.requests.of(resource))
    }

    /// What is counted of all other requests.
    pub(super) fn elsewhere(&self) -> &Arc<RequestMetrics> {
        &self.elsewhere
    }

    /// How many connections are open.
    pub(super) fn connections(&self) -> Gauge {
        self.connections.clone()
    }

    fn show_admission(&self, counts: AdmissionCounts) {
        self.running.set(labels::to_gauge(counts.running));
        self.waiting.set(labels::to_gauge(counts.waiting));
    }
}

/// Registers a family of histograms of times in seconds.
fn register_seconds<L: labels::Labels>(registry: &mut Registry, name: &str, help: &str) -> Seconds<L> {
    let family = Seconds::new_with_constructor(labels::seconds as fn() -> _);
    registry.register_with_unit(name, help, Unit::Seconds, family.clone());
    family
}
