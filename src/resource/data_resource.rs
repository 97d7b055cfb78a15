use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::ResourceError;
use super::files::Folder;
use super::relational::RelationalResource;
use super::relational::access::Requester;
use super::web::WebResource;

/// The product behind a data resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its name, such as `SQLite`.
    pub name: Cow<'static, str>,
    /// Its version, as it says it itself.
    pub version: Cow<'static, str>,
}

/// A source of data that activities work on: a database, a folder, a service.
///
/// One value serves all requests at the same time. It is opened without touching what is behind it, so that a service
/// starts when its database does not; [`DataResource::health`] tells whether it answers.
#[async_trait]
pub trait DataResource: fmt::Debug + Send + Sync {
    /// The product behind the resource.
    fn product(&self) -> Product;

    /// Asks the source for a sign of life.
    ///
    /// # Errors
    ///
    /// What keeps the source from working, mostly [`ResourceError::Unavailable`].
    async fn health(&self) -> Result<(), ResourceError>;

    /// The resource as a requester sees it: where a role map gives him a user of his own, with that user's connections.
    /// `None`: there is no difference.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Denied`] when the resource is not for him.
    fn on_behalf_of(&self, requester: &Requester) -> Result<Option<Arc<dyn DataResource>>, ResourceError> {
        let _ = requester;
        Ok(None)
    }

    /// The resource as a relational database, if it is one.
    fn as_relational(&self) -> Option<&dyn RelationalResource> {
        None
    }

    /// The resource as an HTTP service, if it is one.
    fn as_web(&self) -> Option<&dyn WebResource> {
        None
    }

    /// The resource as a folder of files, if it is one.
    fn as_files(&self) -> Option<&Folder> {
        None
    }
}
