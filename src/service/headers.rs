//! The names of our HTTP headers.

use http::HeaderName;

/// When the session ends if nobody joins it before, as RFC 3339.
pub(super) const SESSION_EXPIRES: HeaderName = HeaderName::from_static("rejoin-session-expires");

/// How the request ended: a trailer, because only the end is known at the end.
pub(super) const REQUEST_STATUS: HeaderName = HeaderName::from_static("rejoin-request-status");

/// A client's mark that a request is a repetition: not available in this version.
pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Whether there is more of a session stream to read: `open` or `ended`.
pub(super) const STREAM: HeaderName = HeaderName::from_static("rejoin-stream");

/// The request's id, as in the log.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("rejoin-request-id");
