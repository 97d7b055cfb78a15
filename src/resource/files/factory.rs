use std::sync::Arc;

use super::Folder;
use crate::resource::{DataResource, DataResourceFactory, ResourceError, ResourceSettings};

/// Opens folders: `file:`.
#[derive(Debug, Clone, Copy)]
pub struct FileFactory;

impl DataResourceFactory for FileFactory {
    fn scheme(&self) -> &'static str {
        "file"
    }

    fn open(&self, settings: &ResourceSettings) -> Result<Arc<dyn DataResource>, ResourceError> {
        Ok(Arc::new(Folder::at(settings)?))
    }
}
