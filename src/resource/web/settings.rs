//! What an operator says of an HTTP service.

use std::path::PathBuf;
use std::time::Duration;

use super::{DefaultProperty, Origin};
use crate::resource::relational::access::PasswordSource;

/// How an HTTP service is reached, and what its operator allows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebSettings {
    /// What is reachable beside the origin of the resource's own URI; that one may stand here again, to be marked.
    pub origins: Vec<OriginSettings>,
    /// Who the service is to which origin.
    pub credentials: Vec<CredentialSettings>,
    /// How long things may take.
    pub timeouts: TimeoutSettings,
    /// How many requests are sent at the same time.
    pub connections: ConnectionSettings,
    /// How many requests are sent in a time; without it as many as there are.
    pub budget: Option<BudgetSettings>,
    /// Files of properties, the later over the earlier.
    pub property_files: Vec<PathBuf>,
    /// Properties, which stand over those of the files.
    pub properties: Vec<DefaultProperty>,
}

/// One origin that is reachable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginSettings {
    /// Which.
    pub origin: Origin,
    /// Whether it may be on a private network or on this machine.
    pub is_private: bool,
}

/// Who the service is to one origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialSettings {
    /// To whom they are sent; `None`: to the origin of the resource's own URI.
    pub origin: Option<Origin>,
    /// What is sent.
    pub method: CredentialMethod,
}

/// What proves who the service is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialMethod {
    /// A user and his password (RFC 7617).
    Basic {
        /// His name.
        user: String,
        /// His password.
        password: PasswordSource,
    },
    /// A token that does not change by itself (RFC 6750).
    Bearer {
        /// The token.
        token: PasswordSource,
    },
    /// A token that is asked for (RFC 6749).
    OAuth(OAuthSettings),
}

/// How a token is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthSettings {
    /// The token end-point, absolute, or relative to the URI of the resource. Its origin has to be reachable.
    pub token_uri: String,
    /// The id of the client.
    pub client: String,
    /// The secret of the client, if it has one.
    pub secret: Option<PasswordSource>,
    /// Where the client and its secret stand in the request.
    pub client_in: ClientPlace,
    /// What the token is got for.
    pub grant: Grant,
    /// What the token is to be good for.
    pub scope: Option<String>,
    /// Parameters that this token end-point wants beside those of the standard, such as `audience`.
    pub parameters: Vec<(String, String)>,
    /// How long before its end a token is replaced.
    pub margin: Duration,
}

/// Where the id and the secret of a client stand (RFC 6749, section 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ClientPlace {
    /// In the header, as the standard prefers.
    #[default]
    Header,
    /// In the form.
    Form,
}

/// What a token is got for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// For the client's own id and secret (RFC 6749, section 4.4).
    ClientCredentials,
    /// For a refresh token (section 6).
    RefreshToken {
        /// Where it is.
        token: PasswordSource,
        /// Whether a new one that comes with an answer is written to the file that the old one came from.
        keeps_new: bool,
    },
}

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeoutSettings {
    /// To open a connection, the name and TLS included.
    pub connect: Duration,
    /// Until the head of the answer is there, and from one piece of the body to the next.
    pub read: Duration,
    /// From the first byte of the request to the last one of the answer, redirects included; waiting for one's turn is not.
    pub total: Duration,
}

impl Default for TimeoutSettings {
    /// Ten seconds, one minute, one hour.
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), read: Duration::from_mins(1), total: Duration::from_hours(1) }
    }
}

/// How many requests are sent to one origin at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionSettings {
    /// So many; a request counts until its answer has been read.
    pub size: usize,
    /// How long a request waits for its turn.
    pub wait: Duration,
    /// How long a connection stays open that nobody uses.
    pub idle: Duration,
}

impl Default for ConnectionSettings {
    /// Sixteen requests, one minute, one minute and a half.
    fn default() -> Self {
        Self { size: 16, wait: Duration::from_mins(1), idle: Duration::from_secs(90) }
    }
}

/// How many requests are sent to one origin in a time, by all sessions together: a bucket of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetSettings {
    /// So many requests …
    pub requests: u32,
    /// … in this time, …
    pub per: Duration,
    /// … and so many at once when nothing was sent for a while.
    pub burst: u32,
    /// How long a request waits for its turn.
    pub wait: Duration,
}
