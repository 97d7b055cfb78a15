//! `Prefer: respond-async` (RFC 7240): a client that does not want to wait.

use axum::response::Response;
use http::header::LOCATION;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::engine::Answered;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const RESPOND_ASYNC: &str = "respond-async";

/// When a client wants its answer.
pub(super) fn answered(headers: &HeaderMap) -> Answered {
    let preferences = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    let prefers_async = preferences.flat_map(|value| value.split(',')).any(|preference| {
        let name = preference.split([';', '=']).next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case(RESPOND_ASYNC)
    });
    if prefers_async { Answered::AtOnce } else { Answered::WhenComplete }
}

/// Marks an answer to a request that goes on: where it is found how far it has got (RFC 9110,
/// section 15.3.3).
pub(super) fn mark_accepted(response: &mut Response, head: &Parts) {
    *response.status_mut() = StatusCode::ACCEPTED;
    let headers = response.headers_mut();
    let location = format!("{}/session", head.uri.path().trim_end_matches('/'));
    if let Ok(location) = HeaderValue::try_from(location) {
        headers.insert(LOCATION, location);
    }
    if answered(&head.headers) == Answered::AtOnce {
        headers.insert(PREFERENCE_APPLIED, HeaderValue::from_static(RESPOND_ASYNC));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preference_is_found_among_others() {
        for (prefer, expected) in [
            ("respond-async", Answered::AtOnce),
            ("wait=10, Respond-Async ; x=1", Answered::AtOnce),
            ("respond-async=\"\"", Answered::AtOnce),
            ("respond-asynchronously", Answered::WhenComplete),
            ("return=minimal", Answered::WhenComplete),
        ] {
            let headers = HeaderMap::from_iter([(PREFER, HeaderValue::from_static(prefer))]);
            assert_eq!(answered(&headers), expected, "{prefer}");
        }
        assert_eq!(answered(&HeaderMap::new()), Answered::WhenComplete);
    }
}
