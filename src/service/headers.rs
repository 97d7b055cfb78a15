//! The names of our HTTP headers.

use http::HeaderName;

/// When the session ends if nobody joins it before, as RFC 3339.
pub(super) const SESSION_EXPIRES: HeaderName = HeaderName::from_static("rejoin-session-expires");

/// How the request ended: a trailer, because only the end is known at the end.
pub(super) const REQUEST_STATUS: HeaderName = HeaderName::from_static("rejoin-request-status");

/// The name that a client gives to a request that it may send again.
pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// `true` of an answer that is told again.
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("rejoin-replayed");

/// Whether there is more of a session stream to read: `open` or `ended`.
pub(super) const STREAM: HeaderName = HeaderName::from_static("rejoin-stream");

/// The request's id, as in the log.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("rejoin-request-id");
