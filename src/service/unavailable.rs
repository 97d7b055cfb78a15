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
    "allow",
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
    "prefer",
    "preference-applied",
    "range",
    "referer",
    "rejoin-request-id",
    "rejoin-request-status",
    "rejoin-session-expires",
    "rejoin-stream",
    "retry-after",
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
    "x-requested-with",
];

/// How the names of whole families of them begin: those of CORS, and what no page may set (Fetch standard, "forbidden
/// request-header").
const STANDARD_BEGINNINGS: [&str; 3] = ["access-control-", "proxy-", "sec-"];

/// What is refused of a resource document.
pub(crate) fn refused_in_resource(resource: &ResourceConfiguration) -> Vec<Refused> {
    resource.data_resources.iter().flat_map(refused_of_kind).collect()
}

/// What the kind of a data resource, which the scheme of its URI says, can't have.
fn refused_of_kind(resource: &DataResourceConfiguration) -> Vec<Refused> {
    let scheme = resource.uri.value.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let mut refused = match scheme.as_str() {
        "http" | "https" => refused_of_http(resource),
        "file" => refused_of_folder(resource),
        "sqlite" => refused_of_sqlite(resource),
        _ => Vec::new(),
    };
    let is_database = matches!(scheme.as_str(), "sqlite" | "postgres" | "postgresql" | "mysql" | "mariadb");
    let what = if scheme == "file" { "a folder" } else { "a database" };
    if let Some((name, position)) = resource.web.first().filter(|_| is_database || scheme == "file") {
        refused
            .push(Refused::new(position, format!("`{name}` is for HTTP services, and this is {what}: leave it out")));
    }
    let is_folderless = is_database || scheme.starts_with("http");
    if let Some(folder) = resource.folder.as_ref().filter(|_| is_folderless) {
        let message = "`folder` is for folders (`file:`), and this is none: leave it out";
        refused.push(Refused::new(folder.position, message));
    }
    refused
}

/// Nobody connects to a folder: the service has it.
fn refused_of_folder(resource: &DataResourceConfiguration) -> Vec<Refused> {
    let said = [
        resource.login.user.as_ref().map(|user| ("user", user.position)),
        password_of(resource),
        resource.pool.as_ref().map(|pool| ("pool", pool.position)),
        resource.statement_timeout.map(|_| ("statement", resource.uri.position)),
        resource.tls.as_ref().map(|tls| ("tls", tls.position)),
        resource.role_map.as_ref().map(|map| ("roleMap", map.position)),
    ];
    let refuse = |(name, position)| {
        Refused::new(
            position,
            format!("`{name}`: a folder has neither users nor connections nor statements; leave it out"),
        )
    };
    said.into_iter().flatten().map(refuse).collect()
}

/// An HTTP service has no users of its own, and nobody's statements.
fn refused_of_http(resource: &DataResourceConfiguration) -> Vec<Refused> {
    let no_credentials = "an HTTP service takes `credentials`, in which it says to which origin they go";
    let said = [
        resource.login.user.as_ref().map(|user| ("user", user.position, no_credentials)),
        password_of(resource).map(|(name, position)| (name, position, no_credentials)),
        resource.pool.as_ref().map(|pool| ("pool", pool.position, "an HTTP service takes `connections`")),
        resource.statement_timeout.map(|_| ("statement", resource.uri.position, "an HTTP service takes `timeouts`")),
        resource.role_map.as_ref().map(|map| ("roleMap", map.position, "an HTTP service has no users of a database")),
    ];
    let refuse = |(name, position, why)| Refused::new(position, format!("`{name}`: {why}; leave it out"));
    said.into_iter().flatten().map(refuse).collect()
}

fn password_of(resource: &DataResourceConfiguration) -> Option<(&'static str, Position)> {
    resource.login.password.as_ref().map(|source| match source {
        PasswordSource::File(file) => ("passwordFile", file.position),
        PasswordSource::Environment(variable) => ("passwordEnv", variable.position),
    })
}

/// `SQLite` is a file: it knows no users, and nobody connects to it.
fn refused_of_sqlite(resource: &DataResourceConfiguration) -> Vec<Refused> {
    let said = [
        resource.login.user.as_ref().map(|user| ("user", user.position)),
        password_of(resource),
        resource.pool.as_ref().map(|pool| ("pool", pool.position)),
        resource.tls.as_ref().map(|tls| ("tls", tls.position)),
        resource.role_map.as_ref().map(|map| ("roleMap", map.position)),
    ];
    let refuse = |(name, position)| {
        Refused::new(
            position,
            format!("`{name}`: a `sqlite:` database is a file without users and connections; leave it out"),
        )
    };
    said.into_iter().flatten().map(refuse).collect()
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
    let is_of_family = STANDARD_BEGINNINGS.iter().any(|beginning| header.as_str().starts_with(beginning));
    if is_of_family || STANDARD_HEADERS.contains(&header.as_str()) {
        return Err(format!(
            "`{name}` has another meaning in HTTP; choose a header of your own, such as `Rejoin-Session`"
        ));
    }
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_with_a_meaning_of_its_own_carries_no_session_id() {
        let others =
            ["Host", "Prefer", "X-Requested-With", "Rejoin-Stream", "Access-Control-Allow-Origin", "Sec-Fetch-Mode"];
        for name in others {
            assert!(session_header(name).is_err(), "{name}");
        }
        for name in ["Rejoin-Session", "X-S", "Jarvis-SessionID", "Secret"] {
            assert!(session_header(name).is_ok(), "{name}");
        }
    }
}
