use std::sync::Arc;

use super::HttpResource;
use crate::resource::{DataResource, DataResourceFactory, ResourceError, ResourceSettings};

/// Opens HTTP services.
#[derive(Debug, Clone, Copy)]
pub struct HttpFactory(&'static str);

impl HttpFactory {
    /// `http:`, without TLS.
    pub const HTTP: Self = Self("http");
    /// `https:`
    pub const HTTPS: Self = Self("https");
}

impl DataResourceFactory for HttpFactory {
    fn scheme(&self) -> &'static str {
        self.0
    }

    fn open(&self, settings: &ResourceSettings) -> Result<Arc<dyn DataResource>, ResourceError> {
        Ok(Arc::new(HttpResource::open(settings)?))
    }
}
