//! What stands for the data resources that a document names, where they are not at hand.

use std::sync::Arc;

use async_trait::async_trait;

use crate::resource::files::{Folder, FolderSettings};
use crate::resource::relational::RelationalResource;
use crate::resource::web::{HttpResource, WebResource};
use crate::resource::{DataResource, Product, ResourceError, ResourceRegistry, ResourceSettings};

/// An empty database, an HTTP service and a folder at once: whatever an activity needs. Nothing is sent or written anywhere.
#[derive(Debug)]
pub(super) struct AnyResource {
    database: Arc<dyn DataResource>,
    service: Arc<dyn DataResource>,
    folder: Folder,
}

impl AnyResource {
    /// With the HTTP service that is at hand, if one is.
    pub(super) fn new(service: Option<&Arc<dyn DataResource>>) -> Result<Self, ResourceError> {
        let service = match service {
            Some(service) => Arc::clone(service),
            None => Arc::new(HttpResource::open(&ResourceSettings::new("http://service.invalid/", "."))?),
        };
        let mut folder = ResourceSettings::new("file:none/", ".");
        folder.folder = FolderSettings { is_writable: true, ..FolderSettings::default() };
        Ok(Self {
            folder: Folder::at(&folder)?,
            database: ResourceRegistry::with_defaults().open(&ResourceSettings::new("sqlite::memory:", "."))?,
            service,
        })
    }
}

#[async_trait]
impl DataResource for AnyResource {
    fn product(&self) -> Product {
        self.database.product()
    }

    async fn health(&self) -> Result<(), ResourceError> {
        Ok(())
    }

    fn as_relational(&self) -> Option<&dyn RelationalResource> {
        self.database.as_relational()
    }

    fn as_web(&self) -> Option<&dyn WebResource> {
        self.service.as_web()
    }

    fn as_files(&self) -> Option<&Folder> {
        Some(&self.folder)
    }
}
