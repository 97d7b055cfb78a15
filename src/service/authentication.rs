//! On whose behalf a request comes, and what the one may do.

use std::fmt;

use async_trait::async_trait;
use http::HeaderMap;

use crate::session::Principal;

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Perform documents in sessions of one's own.
    User,
    /// See and end the sessions of everybody, too.
    Operator,
}

impl Role {
    /// The name, as configuration documents and files of users give it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Operator => "operator",
        }
    }
}

/// Who sends a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Whom the sessions belong to.
    pub principal: Principal,
    /// What the caller may do.
    pub role: Role,
}

/// Why a request has no caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthenticationError {
    /// It says nothing of who sends it, or what it says is wrong. Which of the two is not told.
    #[error("say who you are: {challenge}")]
    Unauthenticated {
        /// The value of `WWW-Authenticate` (RFC 9110, section 11.6.1).
        challenge: String,
    },
    /// It can't be found out now.
    #[error("who you are can't be checked now; try again")]
    Unavailable,
}

/// Finds out who sends a request, from its headers.
///
/// It is asked for every request but those of the health routes and those by which browsers ask whether they may send one.
#[async_trait]
pub trait Authenticator: Send + Sync + fmt::Debug {
    /// Who sends a request with these headers.
    ///
    /// # Errors
    ///
    /// [`AuthenticationError`]; no message names a password or a token.
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, AuthenticationError>;
}

/// `impl="none"`: everybody is the anonymous principal.
#[derive(Debug, Clone, Copy)]
pub(super) struct NoAuthentication {
    /// What everybody may do.
    pub(super) role: Role,
}

#[async_trait]
impl Authenticator for NoAuthentication {
    async fn authenticate(&self, _: &HeaderMap) -> Result<Caller, AuthenticationError> {
        Ok(Caller { principal: Principal::anonymous(), role: self.role })
    }
}
