//! What every handler shares.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use super::authentication::{Authenticator, Departures, Role};
use super::carrier::Carrier;
use super::metrics::{Metrics, RequestMetrics, SessionMetrics};
use super::refusal::Refusal;
use super::reload::{SessionInForce, Watches};
use crate::activity::Aftercare;
use crate::document::{Limits, nearest};
use crate::engine::{Admission, Engine};
use crate::session::{Clock, IdSource};

/// The service as its handlers see it; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct ServiceState(Arc<Shared>);

/// What is behind [`ServiceState`].
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) resources: BTreeMap<String, ServedResource>,
    pub(super) limits: Limits,
    pub(super) body_timeout: Duration,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdSource>,
    pub(super) authenticator: Arc<dyn Authenticator>,
    pub(super) departures: Departures,
    pub(super) draining: AtomicBool,
    /// What is read again when it changes.
    pub(super) watches: Arc<Watches>,
    /// The places that all engines share.
    pub(super) admission: Admission,
    pub(super) metrics: Metrics,
    /// What requests leave to be done.
    pub(super) aftercare: Aftercare,
    /// Who may see the metrics.
    pub(super) metrics_for: Role,
}

/// A data service resource that is being served.
#[derive(Debug)]
pub(super) struct ServedResource {
    pub(super) name: String,
    pub(super) documentation: Vec<String>,
    pub(super) engine: Engine,
    /// What its session configuration says to the service.
    pub(super) session: Arc<SessionInForce>,
    pub(super) session_metrics: Arc<SessionMetrics>,
    pub(super) request_metrics: Arc<RequestMetrics>,
}

impl ServedResource {
    /// How requests carry session ids from now on.
    pub(super) fn carrier(&self) -> Arc<Carrier> {
        self.session.carrier()
    }
}

impl ServiceState {
    pub(super) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// The resource of that name.
    pub(super) fn resource(&self, name: &str) -> Result<&ServedResource, Refusal> {
        self.0.resources.get(name).ok_or_else(|| {
            let hint = nearest(name, self.0.resources.keys().map(String::as_str))
                .map_or_else(|| "GET /services lists them".to_owned(), |near| format!("did you mean `{near}`?"));
            Refusal::new(404, "ResourceNotFound", format!("there is no such data service resource; {hint}"))
        })
    }

    /// What is counted of the requests for a path.
    pub(super) fn request_metrics(&self, path: &str) -> &Arc<RequestMetrics> {
        let name = path.strip_prefix("/services/").and_then(|rest| rest.split('/').next());
        let resource = name.and_then(|name| self.0.resources.get(name));
        resource.map_or(self.0.metrics.elsewhere(), |resource| &resource.request_metrics)
    }

    /// The resource that a path names. What is no UTF-8 names none.
    pub(super) fn resource_at(&self, name: &Result<Path<String>, PathRejection>) -> Result<&ServedResource, Refusal> {
        self.resource(name.as_ref().map_or("", |Path(name)| name))
    }

    /// The resource that serves a path, if any does: the one named behind `/services/`.
    pub(super) fn resource_of_path(&self, path: &str) -> Option<&ServedResource> {
        let name = path.strip_prefix("/services/")?.split('/').next()?;
        self.0.resources.get(&*percent_decode_str(name).decode_utf8().ok()?)
    }

    pub(super) fn new_request_id(&self) -> Result<Uuid, Refusal> {
        self.0.ids.uuid(self.0.clock.wall()).map_err(|error| Refusal::new(503, "ServerBusy", error.to_string()))
    }

    /// Says that the service is about to end.
    pub(super) fn drain(&self) {
        self.0.draining.store(true, Ordering::Release);
    }

    pub(super) fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Acquire)
    }
}

impl std::ops::Deref for ServiceState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
