use std::fmt;

use async_trait::async_trait;
use http::HeaderMap;

use super::Caller;
use crate::session::Principal;

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

/// What an [`Authenticator`] found when it looked for what has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// Who was known when it last looked and is not any more: removed, or disabled. The service ends their sessions in all
    /// resources.
    pub gone: Vec<Principal>,
}

/// Finds out who sends a request, from its headers.
///
/// It is asked for every request but those of the health routes and those by which browsers ask whether they may send one.
/// `docs/extending.md` and `examples/own_authenticator.rs` show one of one's own.
#[async_trait]
pub trait Authenticator: Send + Sync + fmt::Debug {
    /// Who sends a request with these headers.
    ///
    /// The principal has to be a stable id: one that nobody else gets, and that stays when a name changes. Sessions belong to
    /// it. Work that blocks or takes long goes to `tokio::task::spawn_blocking`, and there has to be a bound on how much of
    /// it waits: what comes here is from anybody.
    ///
    /// # Errors
    ///
    /// [`AuthenticationError`]; no message names a password or a token.
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, AuthenticationError>;

    /// Looks for what has changed where the callers are known from, and answers who is gone since it last looked.
    ///
    /// The service calls it about once a second, never twice at a time, on a thread that may block.
    fn refresh(&self) -> Refreshed {
        Refreshed::default()
    }

    /// Those of some principals that nobody can be any more: whoever they were was removed, or disabled.
    ///
    /// The service asks it when it has started, with those who have sessions in a store, and ends the sessions of whom this
    /// names: they left while the service did not run, so that [`Authenticator::refresh`] could not tell. Without it nobody has
    /// left: that somebody is not known is no reason to end anything, only that he is known to be gone.
    ///
    /// It is asked on a thread that may block.
    fn departed(&self, principals: &[Principal]) -> Vec<Principal> {
        let _ = principals;
        Vec::new()
    }
}
