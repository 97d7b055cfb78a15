//! Cross-origin resource sharing (Fetch standard): which pages of others a browser lets send requests and read the answers.
//!
//! Each resource lists origins of its own in its session configuration, which may change while the service runs, and the header
//! that carries a session id has its name from there too. `tower_http::cors` can decide about an origin by request; what it
//! exposes and allows is one list for all, it answers any OPTIONS for anything, and an origin that is not listed gets a 200. So
//! these few headers are written here.

use axum::body::Body;
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    CACHE_CONTROL, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::carrier::Carrier;
use super::cross_site::is_listed;
use super::refusal::Refusal;

/// How long a browser remembers that a page may send requests, in seconds.
const REMEMBERED: HeaderValue = HeaderValue::from_static("600");

/// The methods of the routes of a resource.
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, DELETE");

/// What a page may send, beside the session header.
const SENT: &str = "accept, authorization, content-type, idempotency-key, prefer, x-requested-with";

/// What a page may read of an answer, beside the session header.
const READ: &str = "location, preference-applied, rejoin-replayed, rejoin-request-id, rejoin-request-status, \
                    rejoin-session-expires, rejoin-stream, retry-after";

/// Whether a browser asks by this request if a page may send another (a "preflight").
pub(super) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS && headers.contains_key(ORIGIN) && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The origin of the page that sends a request, if it is listed.
pub(super) fn listed_origin(carrier: &Carrier, headers: &HeaderMap) -> Option<HeaderValue> {
    let mut origins = headers.get_all(ORIGIN).iter();
    let origin = origins.next().filter(|origin| is_listed(origin, carrier.origins()))?;
    origins.next().is_none().then(|| origin.clone())
}

/// What a page may send, for a browser that asks; [`share`] says which page.
pub(super) fn permission(carrier: &Carrier) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    insert(headers, &ACCESS_CONTROL_ALLOW_HEADERS, &format!("{}, {SENT}", carrier.header()));
    headers.insert(ACCESS_CONTROL_MAX_AGE, REMEMBERED);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The answer to a browser that asks for a page whose origin is not listed.
pub(super) fn refusal() -> Refusal {
    let message = "pages of this origin may not send requests here: the session configuration does not list it \
                   (`carrier/origin`)";
    Refusal::new(403, "Forbidden", message)
}

/// Lets the page of a listed origin read an answer; `origin` is [`listed_origin`] of the request.
///
/// Credentials, which are cookies here, go along only where the resource has a cookie.
pub(super) fn share(carrier: &Carrier, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
    if carrier.origins().is_empty() {
        return;
    }
    headers.append(VARY, HeaderValue::from_static("origin"));
    let Some(origin) = origin else { return };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    if carrier.cookie().is_some() {
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    if !headers.contains_key(ACCESS_CONTROL_ALLOW_METHODS) {
        insert(headers, &ACCESS_CONTROL_EXPOSE_HEADERS, &format!("{}, {READ}", carrier.header()));
    }
}

fn insert(headers: &mut HeaderMap, name: &http::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
