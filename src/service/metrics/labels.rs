//! Labels, and what their values may be.

use std::hash::Hash;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

/// What a family can be kept by.
pub(super) trait Labels: Clone + Hash + Eq + EncodeLabelSet + std::fmt::Debug + Send + Sync + 'static {}

impl<T: Clone + Hash + Eq + EncodeLabelSet + std::fmt::Debug + Send + Sync + 'static> Labels for T {}

/// Histograms of times.
pub(super) type Seconds<L> = Family<L, Histogram, fn() -> Histogram>;

/// A request without data takes a fraction of a millisecond, a large result minutes.
const BOUNDS: [f64; 17] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

pub(super) fn seconds() -> Histogram {
    Histogram::new(BOUNDS)
}

/// A number for a gauge.
pub(super) fn to_gauge(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The resource; empty for what concerns none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfResource {
    pub(super) resource: String,
}

/// Explicit sessions and implicit ones apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfKind {
    pub(super) resource: String,
    pub(super) kind: &'static str,
}

/// Why something happened.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfReason {
    pub(super) resource: String,
    pub(super) reason: &'static str,
}

/// What a store could not do, and why.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfFailure {
    pub(super) resource: String,
    pub(super) operation: &'static str,
    pub(super) reason: &'static str,
}

/// A request by its method.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfMethod {
    pub(super) resource: String,
    pub(super) method: MethodLabel,
}

/// A request by its answer; the code is that of the fault, and empty where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfAnswer {
    pub(super) resource: String,
    pub(super) method: MethodLabel,
    pub(super) status: u16,
    pub(super) code: &'static str,
}

/// The methods that are told apart; a client may send any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum MethodLabel {
    Get,
    Post,
    Put,
    Delete,
    Other,
}

impl MethodLabel {
    /// How many there are.
    pub(super) const COUNT: usize = 5;

    pub(super) fn of(method: &http::Method) -> Self {
        match *method {
            http::Method::GET => Self::Get,
            http::Method::POST => Self::Post,
            http::Method::PUT => Self::Put,
            http::Method::DELETE => Self::Delete,
            _ => Self::Other,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Other => "other",
        }
    }
}

impl EncodeLabelValue for MethodLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.as_str().encode(encoder)
    }
}
