//! Who the service is to an origin.
//!
//! Nothing of it stands in an error or in a log: headers are marked as secret, passwords are read where they are needed.

mod fixed;
mod grant;
mod kept_token;
mod token_answer;
mod token_source;

use std::sync::Arc;

use http::HeaderValue;

pub(super) use self::fixed::Fixed;
pub(super) use self::token_source::{TokenParts, TokenSource};
use super::WebError;
use crate::resource::relational::access::{PasswordSource, Secret};

/// What is sent to one origin as `Authorization`.
pub(super) enum Credentials {
    /// What does not change but by hand.
    Fixed(Fixed),
    /// A token that is asked for.
    Token(Arc<TokenSource>),
}

/// A value of `Authorization`, and which one of its kind it is.
#[derive(Debug, Clone)]
pub(super) struct Pass {
    pub(super) header: HeaderValue,
    /// Counts up with every new value.
    pub(super) generation: u64,
}

impl Credentials {
    /// What is to be sent now.
    pub(super) async fn pass(&self) -> Result<Pass, WebError> {
        match self {
            Self::Fixed(fixed) => fixed.pass().await,
            Self::Token(source) => source.pass().await,
        }
    }
}

/// Reads a secret where reading may block.
async fn read_secret(source: &PasswordSource) -> Result<Secret, WebError> {
    let source = source.clone();
    let read = tokio::task::spawn_blocking(move || source.read()).await;
    let read = read.map_err(|error| error.to_string()).and_then(|read| read.map_err(|error| error.to_string()));
    read.map_err(|message| WebError::Credentials { message })
}

/// A value of `Authorization`, which shows itself nowhere.
fn header(scheme: &str, secret: &str) -> Result<HeaderValue, WebError> {
    let value = HeaderValue::try_from(format!("{scheme} {secret}"));
    let mut value = value.map_err(|_| WebError::Credentials {
        message: "a token has characters that can't stand in a header, such as a line break".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}
