//! What is counted of sessions.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use uuid::Uuid;

use super::labels::{OfKind, OfReason, OfResource, Seconds, to_gauge};
use super::register_seconds;
use super::store::{StoreFamilies, StoreMetrics};
use crate::session::{
    Access, EndReason, Outcome, Participant, SessionError, SessionEvent, SessionListener, SessionStatistics, StoreEvent,
};

/// The families that the sessions of all resources share.
#[derive(Debug)]
pub(super) struct SessionFamilies {
    sessions: Family<OfKind, Gauge>,
    joined: Family<OfResource, Gauge>,
    waiters: Family<OfResource, Gauge>,
    tombstones: Family<OfResource, Gauge>,
    created: Family<OfKind, Counter>,
    ended: Family<OfReason, Counter>,
    denied: Family<OfReason, Counter>,
    wait: Seconds<OfResource>,
    held: Seconds<OfResource>,
    sweeps: Family<OfResource, Counter>,
    swept: Family<OfResource, Counter>,
    lost: Family<OfResource, Counter>,
    reused: Family<OfResource, Counter>,
    store: StoreFamilies,
}

impl SessionFamilies {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let families = Self {
            sessions: Family::default(),
            joined: Family::default(),
            waiters: Family::default(),
            tombstones: Family::default(),
            created: Family::default(),
            ended: Family::default(),
            denied: Family::default(),
            wait: register_seconds(registry, "session_join_wait", "How long requests waited for their sessions"),
            held: register_seconds(registry, "session_held", "How long requests held their sessions"),
            sweeps: Family::default(),
            swept: Family::default(),
            lost: Family::default(),
            reused: Family::default(),
            store: StoreFamilies::register(registry),
        };
        families.register_numbers(registry);
        families
    }

    fn register_numbers(&self, registry: &mut Registry) {
        registry.register("sessions", "Sessions that are there", self.sessions.clone());
        registry.register("session_requests", "Requests that have joined a session", self.joined.clone());
        registry.register("session_waiters", "Requests that wait for a session", self.waiters.clone());
        registry.register("session_tombstones", "Ended sessions whose ends are remembered", self.tombstones.clone());
        registry.register("sessions_created", "Sessions created", self.created.clone());
        registry.register("sessions_ended", "Sessions ended, by reason", self.ended.clone());
        registry.register(
            "session_denied",
            "Requests that did not get their session, by fault code",
            self.denied.clone(),
        );
        registry.register("session_sweeps", "Looks for sessions that are over", self.sweeps.clone());
        registry.register("session_swept", "Sessions that such a look ended", self.swept.clone());
        registry.register("session_lost", "Sessions taken from requests that held them too long", self.lost.clone());
        registry.register("session_ids_reused", "Ids used again after they were rotated away", self.reused.clone());
    }

    /// Those of one resource.
    pub(super) fn of(&self, resource: &str) -> SessionMetrics {
        let of_resource = OfResource { resource: resource.into() };
        let of_kind = |kind| OfKind { resource: resource.into(), kind };
        let of_reason = |reason| OfReason { resource: resource.into(), reason };
        SessionMetrics {
            explicit: self.sessions.get_or_create_owned(&of_kind("explicit")),
            implicit: self.sessions.get_or_create_owned(&of_kind("implicit")),
            joined: self.joined.get_or_create_owned(&of_resource),
            waiters: self.waiters.get_or_create_owned(&of_resource),
            tombstones: self.tombstones.get_or_create_owned(&of_resource),
            created_explicit: self.created.get_or_create_owned(&of_kind("explicit")),
            created_implicit: self.created.get_or_create_owned(&of_kind("implicit")),
            ended: EndReason::ALL
                .map(|reason| (reason, self.ended.get_or_create_owned(&of_reason(end_reason(reason))))),
            denied: DENIALS.map(|code| (code, self.denied.get_or_create_owned(&of_reason(code)))),
            denied_otherwise: self.denied.get_or_create_owned(&of_reason("Internal")),
            wait: self.wait.get_or_create_owned(&of_resource),
            held: self.held.get_or_create_owned(&of_resource),
            sweeps: self.sweeps.get_or_create_owned(&of_resource),
            swept: self.swept.get_or_create_owned(&of_resource),
            lost: self.lost.get_or_create_owned(&of_resource),
            reused: self.reused.get_or_create_owned(&of_resource),
            store: self.store.of(resource),
        }
    }
}

/// What is counted of the sessions of one resource: most of it as it happens, the rest when it is asked for.
#[derive(Debug)]
pub(in crate::service) struct SessionMetrics {
    explicit: Gauge,
    implicit: Gauge,
    joined: Gauge,
    waiters: Gauge,
    tombstones: Gauge,
    created_explicit: Counter,
    created_implicit: Counter,
    ended: [(EndReason, Counter); EndReason::ALL.len()],
    denied: [(&'static str, Counter); DENIALS.len()],
    denied_otherwise: Counter,
    wait: Histogram,
    held: Histogram,
    sweeps: Counter,
    swept: Counter,
    lost: Counter,
    reused: Counter,
    store: StoreMetrics,
}

/// The codes of [`SessionError`] for which a join is refused. They are there from the start, so that the first of a kind is a
/// rise that an alert sees.
const DENIALS: [&str; 10] = [
    "SessionInUse",
    "SessionQueueFull",
    "SessionNotFound",
    "SessionEnded",
    "SessionQuotaExceeded",
    "SessionConflict",
    "SessionsDisabled",
    "ServerBusy",
    "Draining",
    "StoreUnavailable",
];

/// Documents call the end of an implicit session terminated; here it is a reason of its own.
fn end_reason(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Completed => "completed",
        other => other.name(),
    }
}

impl SessionMetrics {
    /// Takes over how many there are.
    pub(super) fn show(&self, statistics: SessionStatistics) {
        self.explicit.set(to_gauge(statistics.explicit));
        self.implicit.set(to_gauge(statistics.implicit));
        self.waiters.set(to_gauge(statistics.waiters));
        self.tombstones.set(to_gauge(statistics.tombstones));
        if let Some(store) = statistics.store {
            self.store.show(statistics.dormant, store);
        }
    }
}

impl SessionListener for SessionMetrics {
    fn created(&self, session: SessionEvent<'_>) {
        if session.implicit { &self.created_implicit } else { &self.created_explicit }.inc();
    }

    fn joined(&self, _: SessionEvent<'_>, _: Uuid, _: Access, waited: Duration) {
        self.joined.inc();
        self.wait.observe(waited.as_secs_f64());
    }

    fn denied(&self, _: &Participant, reason: &SessionError) {
        let code = reason.code();
        let counter = self.denied.iter().find(|(known, _)| *known == code);
        counter.map_or(&self.denied_otherwise, |(_, counter)| counter).inc();
    }

    fn released(&self, _: SessionEvent<'_>, _: Uuid, _: Outcome, held: Duration) {
        self.joined.dec();
        self.held.observe(held.as_secs_f64());
    }

    fn lost(&self, _: SessionEvent<'_>, _: Option<Uuid>) {
        self.lost.inc();
    }

    fn ended(&self, _: SessionEvent<'_>, reason: EndReason) {
        if let Some((_, counter)) = self.ended.iter().find(|(known, _)| *known == reason) {
            counter.inc();
        }
    }

    fn id_reused(&self, _: SessionEvent<'_>) {
        self.reused.inc();
    }

    fn swept(&self, ended: usize) {
        self.sweeps.inc();
        self.swept.inc_by(ended as u64);
    }

    fn store(&self, event: StoreEvent<'_>) {
        self.store.note(event);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::document::SessionConfiguration;
    use crate::session::{ManualClock, Principal, SessionManager, SessionRequirement, TransientSessionManager};

    #[tokio::test]
    async fn a_session_that_its_holder_lost_is_counted() {
        // Behaviour 66.
        let metrics = Arc::new(SessionFamilies::register(&mut Registry::default()).of("data"));
        let mut settings = SessionConfiguration::default();
        settings.join.execution = Some(Duration::from_secs(1));
        let clock = ManualClock::new();
        let manager = TransientSessionManager::builder(settings)
            .clock(Arc::new(clock.clone()))
            .listener(Arc::clone(&metrics) as _)
            .build();
        let who = Participant { principal: Principal::anonymous(), request_id: Uuid::nil() };
        let holder = manager.join(SessionRequirement::Create { timeout: None }, &who).await.unwrap();
        let id = holder.info().id.clone();
        clock.advance(Duration::from_mins(1));
        let join = SessionRequirement::Join { id, wait: None, access: Access::Exclusive, rotate: false };
        let next = manager.join(join, &who).await.unwrap();
        assert_eq!((metrics.lost.get(), metrics.joined.get()), (1, 2));
        assert!(holder.release(Outcome::Commit).await.is_err());
        assert_eq!((metrics.lost.get(), metrics.joined.get()), (1, 1));
        drop(next);
        assert_eq!(metrics.joined.get(), 0);
        metrics.show(manager.statistics());
        assert_eq!((metrics.explicit.get(), metrics.implicit.get()), (1, 0));
    }
}
