//! Who connects to a database, and how: what its element in the configuration says.
//!
//! A [`RoleMap`] decides by the principal of a request, or his role, as which user of the database its statements run. Each
//! such user has a pool of connections of his own: none is ever handed from one to another.

mod login;
mod requester;
mod role_map;

use std::path::PathBuf;
use std::time::Duration;

pub use login::{Login, PasswordSource, Secret};
pub use requester::Requester;
pub use role_map::{Otherwise, RoleMap, Who};

use crate::resource::ResourceError;

/// How a database is reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessSettings {
    /// As whom, where no role map says otherwise.
    pub login: Login,
    /// Who is whom in the database; without one everybody is `login`.
    pub role_map: Option<RoleMap>,
    /// The connections of each user.
    pub pool: PoolSettings,
    /// The protection of the connections.
    pub tls: TlsSettings,
    /// How long one statement may take; it is stopped then. Without one, as long as its request may.
    pub statement_timeout: Option<Duration>,
}

impl AccessSettings {
    /// As whom the statements of a requester run.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Denied`] when the role map has no place for him.
    pub fn login_of(&self, requester: &Requester) -> Result<&Login, ResourceError> {
        match &self.role_map {
            Some(map) => map.login_of(requester, &self.login),
            None => Ok(&self.login),
        }
    }
}

/// How many connections there are, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolSettings {
    /// The most connections of one user of the database. A transaction and an open cursor keep one each.
    pub size: usize,
    /// How long a statement waits for one before it ends as [`ResourceError::Busy`].
    pub wait: Duration,
    /// How long one that nobody uses stays open.
    pub idle: Duration,
}

impl Default for PoolSettings {
    /// Sixteen connections, five seconds, five minutes.
    fn default() -> Self {
        Self { size: 16, wait: Duration::from_secs(5), idle: Duration::from_mins(5) }
    }
}

/// How connections are protected.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsSettings {
    /// Whether, and what is checked.
    pub mode: TlsMode,
    /// A file of certificates (PEM) that are trusted; without one, those that the system trusts.
    pub authority: Option<PathBuf>,
}

/// Whether connections are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TlsMode {
    /// `Verify`, but to the machine itself (a loopback address or a socket file) without TLS.
    #[default]
    Automatic,
    /// Encrypted, and the server shows a certificate that is trusted and has its name.
    Verify,
    /// Not encrypted.
    Off,
}
