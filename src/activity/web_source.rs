//! What the requests of an activity are sent to.

use std::sync::Arc;

use super::ActivityError;
use crate::resource::web::{DefaultProperty, WebResource};
use crate::resource::{DataResource, ResourceError};

/// The HTTP service of an activity, as its element names it: [`Setup::web`](super::Setup::web).
#[derive(Debug, Clone)]
pub struct WebSource {
    name: Box<str>,
    resource: Arc<dyn DataResource>,
}

impl WebSource {
    pub(super) fn new(name: &str, resource: &Arc<dyn DataResource>) -> Self {
        Self { name: name.into(), resource: Arc::clone(resource) }
    }

    /// Its name among the data resources of its data service resource; empty where it has none.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The properties that its operator has given it.
    #[must_use]
    pub fn defaults(&self) -> &[DefaultProperty] {
        self.resource.as_web().map(WebResource::defaults).unwrap_or_default()
    }

    /// What sends requests.
    ///
    /// # Errors
    ///
    /// [`ActivityError::Resource`] when the data resource has changed into another kind.
    pub fn resource(&self) -> Result<&dyn WebResource, ActivityError> {
        let unsupported = || ResourceError::unsupported("the data resource is no HTTP service any more");
        self.resource.as_web().ok_or_else(|| unsupported().into())
    }
}
