//! The names of our HTTP headers.

use http::HeaderName;

/// The session that the request was joined to; in a request, the session to join.
pub(super) const SESSION: HeaderName = HeaderName::from_static("rejoin-session");

/// When the session ends if nobody joins it before, as RFC 3339.
pub(super) const SESSION_EXPIRES: HeaderName = HeaderName::from_static("rejoin-session-expires");

/// How the request ended: a trailer, because only the end is known at the end.
pub(super) const REQUEST_STATUS: HeaderName = HeaderName::from_static("rejoin-request-status");

/// The request's id, as in the log.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("rejoin-request-id");
