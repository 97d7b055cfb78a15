//! Who a program says that it is.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;

use super::Error;

/// What says who sends a request. It is a secret: `Debug` does not show it.
///
/// ```
/// use rejoin::client::Credentials;
///
/// let ada = Credentials::basic("ada", "a long password");
/// assert!(!format!("{ada:?}").contains("password"));
/// ```
#[derive(Clone)]
pub enum Credentials {
    /// A user with a password (RFC 7617).
    Basic {
        /// The name, without a colon.
        user: String,
        /// The password.
        password: String,
    },
    /// A token (RFC 6750).
    Bearer {
        /// The token.
        token: String,
    },
}

impl Credentials {
    /// A user with a password.
    ///
    /// ```
    /// use rejoin::client::Credentials;
    ///
    /// let ada = Credentials::basic("ada", "a long password");
    /// ```
    #[must_use]
    pub fn basic(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self::Basic { user: user.into(), password: password.into() }
    }

    /// A token.
    ///
    /// ```
    /// use rejoin::client::Credentials;
    ///
    /// let nightly_job = Credentials::bearer("a-token");
    /// ```
    #[must_use]
    pub fn bearer(token: impl Into<String>) -> Self {
        Self::Bearer { token: token.into() }
    }

    /// The header `Authorization`.
    pub(super) fn header(&self) -> Result<HeaderValue, Error> {
        let value = match self {
            Self::Basic { user, .. } if user.contains(':') => {
                return Err(Error::Setting("there can't be a colon in the name of a user".into()));
            }
            Self::Basic { user, password } => format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))),
            Self::Bearer { token } => format!("Bearer {token}"),
        };
        let mut header = HeaderValue::try_from(value)
            .map_err(|_| Error::Setting("the token has characters that can't stand in a header".into()))?;
        header.set_sensitive(true);
        Ok(header)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic { user, .. } => f.debug_struct("Basic").field("user", user).finish_non_exhaustive(),
            Self::Bearer { .. } => f.debug_struct("Bearer").finish_non_exhaustive(),
        }
    }
}
