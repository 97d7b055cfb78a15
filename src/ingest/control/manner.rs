use http::Method;

use crate::ingest::settings::IngestSettings;

/// In which manners an ingestion goes on: what its settings come to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner<'a>(pub(super) &'a IngestSettings);

impl Manner<'_> {
    /// Until a condition holds.
    pub(super) fn polls(self) -> bool {
        self.0.key.as_ref().is_some_and(|key| key.condition.is_some()) || !self.0.stop.when.is_empty()
    }

    /// From page to page.
    pub(super) fn pages(self) -> bool {
        self.0.paging.is_on || self.0.paging.next.is_some()
    }

    /// Until as many records came as there are.
    pub(super) fn counts(self) -> bool {
        self.0.paging.total.is_some()
    }

    /// Whether the session key is sent back, so that a blank one is the end.
    pub(super) fn has_cursor(self) -> bool {
        let Some(key) = &self.0.key else { return false };
        key.is_sent_back || (key.condition.is_none() && key.failure.is_none())
    }

    /// Whether a request may be sent again though the first may have had its effect. What is sent over and over in the course
    /// of things creates nothing.
    pub(super) fn is_repeatable(self) -> bool {
        self.polls() || self.pages() || self.counts() || is_idempotent(self.0)
    }
}

/// Whether a request may create something on the other side each time it is sent, so that it is sent once and never again after
/// it may have had its effect.
#[must_use]
pub fn creates(settings: &IngestSettings) -> bool {
    !Manner(settings).is_repeatable()
}

/// Whether an ingestion goes on until a condition holds.
#[must_use]
pub fn polls(settings: &IngestSettings) -> bool {
    Manner(settings).polls()
}

/// RFC 9110, section 9.2.2, and the header `Idempotency-Key`.
fn is_idempotent(settings: &IngestSettings) -> bool {
    let request = &settings.request;
    [Method::GET, Method::HEAD, Method::PUT, Method::DELETE, Method::OPTIONS].contains(&request.method)
        || request.headers.iter().any(|(name, _)| name == "idempotency-key")
}
