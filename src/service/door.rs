//! The door of a resource: what every answer under `/services/{resource}` gets, whoever made it.
//!
//! A page that may read the answers of a resource may read its faults too, also those of the entrance, so this stands outside of
//! everything else. And a cookie that names no session any more is taken back with the fault that says so: a browser would send
//! it for ever.

use std::sync::Arc;

use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, Method};

use super::carrier::{Carrier, FoundCookie};
use super::cors::{is_preflight, listed_origin, permission, refusal, share};
use super::refusal::{FaultCode, Refusal};
use super::state::ServiceState;

/// A request at the door of a resource.
#[derive(Debug)]
pub(super) struct Door {
    carrier: Arc<Carrier>,
    /// The origin of the page, if it is listed.
    origin: Option<HeaderValue>,
    cookie: Option<FoundCookie>,
}

impl Door {
    /// The door that a request comes to; `None` where there is nothing to do about its answer.
    pub(super) fn of(state: &ServiceState, head: &Parts) -> Option<Self> {
        let carrier = state.resource_of_path(head.uri.path())?.carrier();
        if carrier.cookie().is_none() && carrier.origins().is_empty() && head.method != Method::OPTIONS {
            return None;
        }
        let origin = listed_origin(&carrier, &head.headers);
        // Under `/sessions` a session goes by its handle: what is said there is not said of the one that the cookie names.
        let is_by_handle = head.uri.path().split('/').nth(3) == Some("sessions");
        let cookie = carrier.cookie().filter(|_| !is_by_handle).map(|cookie| cookie.find(&head.headers));
        Some(Self { carrier, origin, cookie })
    }

    /// The answer to a browser that asks whether a page may send a request here; `None` when it does not ask.
    pub(super) fn permission(&self, head: &Parts) -> Option<Result<Response, Refusal>> {
        if !is_preflight(&head.method, &head.headers) {
            return None;
        }
        Some(self.origin.as_ref().map(|_| permission(&self.carrier)).ok_or_else(refusal))
    }

    /// Adds to an answer what is due.
    pub(super) fn leave(&self, response: &mut Response) {
        let names_nothing = match self.cookie {
            Some(FoundCookie::Id(_)) => {
                response.extensions().get::<FaultCode>().is_some_and(FaultCode::is_of_no_session)
            }
            Some(FoundCookie::Malformed) => true,
            Some(FoundCookie::Nothing | FoundCookie::Ambiguous) | None => false,
        };
        if names_nothing {
            self.carrier.take_cookie(response.headers_mut());
        }
        share(&self.carrier, self.origin.as_ref(), response.headers_mut());
    }
}
