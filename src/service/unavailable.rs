//! What configuration documents may say and this version can't do. It is refused, never passed over: by the server, and by
//! `rejoin check` of a single document.

use http::HeaderName;

use crate::document::{
    DataResourceConfiguration, DocumentError, PasswordSource, Position, ResourceConfiguration, SessionConfiguration,
};

/// One thing that is refused, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) position: Position,
    pub(crate) message: String,
}

impl Refused {
    pub(super) fn new(position: Position, message: impl Into<String>) -> Self {
        Self { position, message: message.into() }
    }
}

impl From<DocumentError> for Refused {
    fn from(error: DocumentError) -> Self {
        Self::new(error.position(), error.message())
    }
}

/// Headers that mean something already: a session id in one of them would be lost, sent on, or taken for something else.
const STANDARD_HEADERS: &[&str] = &[
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "idempotency-key",
    "keep-alive",
    "location",
    "origin",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "referer",
    "rejoin-request-id",
    "rejoin-request-status",
    "rejoin-session-expires",
    "retry-after",
    "sec-fetch-site",
    "server",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "www-authenticate",
];

/// What is refused of a resource document.
pub(crate) fn refused_in_resource(resource: &ResourceConfiguration) -> Vec<Refused> {
    resource.data_resources.iter().filter_map(refused_password).collect()
}

fn refused_password(resource: &DataResourceConfiguration) -> Option<Refused> {
    let is_sqlite = resource.uri.value.split(':').next().is_some_and(|scheme| scheme.eq_ignore_ascii_case("sqlite"));
    let (name, position) = match resource.password.as_ref().filter(|_| is_sqlite)? {
        PasswordSource::File(file) => ("passwordFile", file.position),
        PasswordSource::Environment(variable) => ("passwordEnv", variable.position),
    };
    Some(Refused::new(position, format!("`{name}`: a `sqlite:` database has no password; leave it out")))
}

/// What is refused of a session document, beside what the parts refuse that it names.
pub(crate) fn refused_in_session(session: &SessionConfiguration) -> Vec<Refused> {
    let mut refused = Vec::new();
    if let Err(message) = session_header(&session.carrier.header) {
        refused.push(Refused::new(session.places.header, message));
    }
    refused
}

/// The header of that name, if it may carry a session id.
///
/// # Errors
///
/// What is wrong with the name.
pub(super) fn session_header(name: &str) -> Result<HeaderName, String> {
    let header: HeaderName = name.parse().map_err(|_| format!("`{name}` is no name of an HTTP header"))?;
    if STANDARD_HEADERS.contains(&header.as_str()) {
        return Err(format!(
            "`{name}` has another meaning in HTTP; choose a header of your own, such as `Rejoin-Session`"
        ));
    }
    Ok(header)
}
