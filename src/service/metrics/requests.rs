//! What is counted of requests and their answers.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::response::Response;
use http::Method;
use http_body::Body as _;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::body::MeasuredBody;
use super::labels::{MethodLabel, OfAnswer, OfMethod, OfReason, OfResource, Seconds};
use super::register_seconds;
use crate::service::refusal::FaultCode;

/// How requests are counted whose clients left before there was an answer. No answer has this status.
const GONE_STATUS: u16 = 499;
const GONE_CODE: &str = "ClientGone";

/// The families that the requests for all resources share.
#[derive(Debug, Clone)]
pub(super) struct RequestFamilies {
    answers: Family<OfAnswer, Counter>,
    first_byte: Seconds<OfMethod>,
    duration: Seconds<OfMethod>,
    bytes: Family<OfResource, Counter>,
    broken: Family<OfResource, Counter>,
    repeats: Family<OfReason, Counter>,
}

impl RequestFamilies {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let (answers, bytes) = (Family::default(), Family::default());
        let (broken, repeats) = (Family::default(), Family::default());
        registry.register("repeats", "Requests that were sent again and not run, by why", Family::clone(&repeats));
        registry.register("http_requests", "Requests, by status and fault code", Family::clone(&answers));
        registry.register("http_response_bytes", "Bytes of answers, without their heads", Family::clone(&bytes));
        registry.register("http_responses_broken", "Answers that broke off before their ends", Family::clone(&broken));
        Self {
            answers,
            bytes,
            broken,
            repeats,
            first_byte: register_seconds(
                registry,
                "http_first_byte",
                "From the head of a request to the head of its answer",
            ),
            duration: register_seconds(
                registry,
                "http_request_duration",
                "From the head of a request to the end of its answer",
            ),
        }
    }

    /// Those of one resource.
    pub(super) fn of(&self, resource: &str) -> RequestMetrics {
        let of_resource = OfResource { resource: resource.into() };
        RequestMetrics {
            resource: resource.into(),
            by_method: [const { OnceLock::new() }; MethodLabel::COUNT],
            bytes: self.bytes.get_or_create_owned(&of_resource),
            broken: self.broken.get_or_create_owned(&of_resource),
            families: self.clone(),
        }
    }
}

/// What is counted of the requests for one resource.
#[derive(Debug)]
pub(in crate::service) struct RequestMetrics {
    resource: String,
    families: RequestFamilies,
    /// Made with the first request of each method.
    by_method: [OnceLock<MethodMetrics>; MethodLabel::COUNT],
    pub(super) bytes: Counter,
    pub(super) broken: Counter,
}

#[derive(Debug)]
struct MethodMetrics {
    /// Answers of status 200 without a fault: nearly all.
    ok: Counter,
    first_byte: Histogram,
    duration: Histogram,
}

impl RequestMetrics {
    /// A request has come.
    pub(in crate::service) fn begin(self: &Arc<Self>, method: &Method) -> Watch {
        Watch { metrics: Arc::clone(self), method: MethodLabel::of(method), begun: Instant::now(), answered: false }
    }

    /// A request that was sent again was not run, for that reason.
    pub(in crate::service) fn repeated(&self, reason: &'static str) {
        self.families.repeats.get_or_create_owned(&OfReason { resource: self.resource.clone(), reason }).inc();
    }

    fn of_method(&self, method: MethodLabel) -> &MethodMetrics {
        self.by_method[method as usize].get_or_init(|| {
            let of_method = OfMethod { resource: self.resource.clone(), method };
            MethodMetrics {
                ok: self.answers(method, 200, ""),
                first_byte: self.families.first_byte.get_or_create_owned(&of_method),
                duration: self.families.duration.get_or_create_owned(&of_method),
            }
        })
    }

    fn answers(&self, method: MethodLabel, status: u16, code: &'static str) -> Counter {
        let labels = OfAnswer { resource: self.resource.clone(), method, status, code };
        self.families.answers.get_or_create_owned(&labels)
    }
}

/// A request that is being watched, from its head to the head of its answer. Dropping it is noted as a client that has gone.
#[derive(Debug)]
pub(in crate::service) struct Watch {
    metrics: Arc<RequestMetrics>,
    method: MethodLabel,
    begun: Instant,
    answered: bool,
}

impl Watch {
    /// Counts the answer. Its body is measured as it goes out, if its length is not known by now.
    pub(in crate::service) fn answered(mut self, response: Response) -> Response {
        self.answered = true;
        let method = self.metrics.of_method(self.method);
        let code = response.extensions().get::<FaultCode>().map_or("", |FaultCode(code)| *code);
        match (response.status().as_u16(), code) {
            (200, "") => drop(method.ok.inc()),
            (status, code) => drop(self.metrics.answers(self.method, status, code).inc()),
        }
        let elapsed = self.begun.elapsed().as_secs_f64();
        method.first_byte.observe(elapsed);
        if let Some(length) = response.body().size_hint().exact() {
            method.duration.observe(elapsed);
            self.metrics.bytes.inc_by(length);
            return response;
        }
        let sending = Sending { metrics: Arc::clone(&self.metrics), method: self.method, begun: self.begun };
        response.map(|body| axum::body::Body::new(MeasuredBody::new(body, sending)))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.answered {
            self.metrics.answers(self.method, GONE_STATUS, GONE_CODE).inc();
        }
    }
}

/// An answer that is going out.
#[derive(Debug)]
pub(super) struct Sending {
    metrics: Arc<RequestMetrics>,
    method: MethodLabel,
    begun: Instant,
}

impl Sending {
    pub(super) fn sent(&self, bytes: usize) {
        self.metrics.bytes.inc_by(bytes as u64);
    }

    /// The answer has ended, whole or not.
    pub(super) fn ended(&self, whole: bool) {
        self.metrics.of_method(self.method).duration.observe(self.begun.elapsed().as_secs_f64());
        if !whole {
            self.metrics.broken.inc();
        }
    }
}
