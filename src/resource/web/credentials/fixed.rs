//! A user with his password, or a token that somebody else has got.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use parking_lot::Mutex;

use super::{Pass, header, read_secret};
use crate::resource::relational::access::PasswordSource;
use crate::resource::web::WebError;

/// Credentials that change by hand only. They are read once, and again when they are refused.
pub(in crate::resource::web) struct Fixed {
    /// For Basic; without one it is Bearer.
    user: Option<String>,
    secret: PasswordSource,
    read: Mutex<Option<Pass>>,
}

impl Fixed {
    pub(in crate::resource::web) fn new(user: Option<String>, secret: PasswordSource) -> Self {
        Self { user, secret, read: Mutex::new(None) }
    }

    pub(super) async fn pass(&self) -> Result<Pass, WebError> {
        let read = self.read.lock().clone();
        match read {
            Some(pass) => Ok(pass),
            None => self.read_again().await,
        }
    }

    /// What the source holds now, if it is not what was refused.
    pub(in crate::resource::web) async fn instead_of(&self, refused: &Pass) -> Result<Option<Pass>, WebError> {
        let pass = self.read_again().await?;
        Ok(Some(pass).filter(|pass| pass.header != refused.header))
    }

    async fn read_again(&self) -> Result<Pass, WebError> {
        let secret = read_secret(&self.secret).await?;
        let header = match &self.user {
            Some(user) => header("Basic", &BASE64_STANDARD.encode(format!("{user}:{}", secret.reveal())))?,
            None => header("Bearer", secret.reveal().trim())?,
        };
        let mut read = self.read.lock();
        let generation = match &*read {
            Some(pass) if pass.header == header => pass.generation,
            Some(pass) => pass.generation + 1,
            None => 1,
        };
        Ok(read.insert(Pass { header, generation }).clone())
    }
}
