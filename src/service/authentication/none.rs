use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use http::HeaderMap;

use super::{AuthenticationError, Authenticator, AuthenticatorError, Caller, Role};
use crate::document::Element;
use crate::session::Principal;

/// `<authentication impl="none" role="user"/>`: everybody is the anonymous principal.
#[derive(Debug, Clone, Copy)]
pub(super) struct NoAuthentication {
    /// What everybody may do.
    role: Role,
}

impl NoAuthentication {
    pub(super) fn make(element: &Element, _: &Path) -> Result<Arc<dyn Authenticator>, AuthenticatorError> {
        let mut fields = element.fields();
        fields.attribute("impl");
        let role = fields.attribute("role").map(|role| role.choice(&Role::NAMED)).transpose()?.unwrap_or_default();
        fields.finish()?;
        Ok(Arc::new(Self { role }))
    }
}

#[async_trait]
impl Authenticator for NoAuthentication {
    async fn authenticate(&self, _: &HeaderMap) -> Result<Caller, AuthenticationError> {
        Ok(Caller { principal: Principal::anonymous(), role: self.role })
    }
}
