use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::files::{FileFactory, FolderSettings};
use super::relational::access::AccessSettings;
use super::relational::mysql::MySqlFactory;
use super::relational::postgres::PostgresFactory;
use super::relational::sqlite::SqliteFactory;
use super::uri::{scheme_of, without_secrets};
use super::web::{HttpFactory, WebSettings};
use super::{DataResource, ResourceError};
use crate::session::{Clock, SystemClock};

/// What a [`DataResourceFactory`] opens a resource from.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ResourceSettings {
    /// The URI, whole, with its scheme.
    pub uri: String,
    /// The folder of the configuration document that holds the URI: what relative paths are relative to.
    pub directory: PathBuf,
    /// Who connects and how, where the resource is a database.
    pub access: AccessSettings,
    /// What is allowed and with what credentials, where the resource is an HTTP service.
    pub web: WebSettings,
    /// What may be done, where the resource is a folder.
    pub folder: FolderSettings,
    /// What the resource waits by.
    pub clock: Arc<dyn Clock>,
}

impl ResourceSettings {
    /// The settings of a resource whose configuration stands in `directory`.
    #[must_use]
    pub fn new(uri: impl Into<String>, directory: impl Into<PathBuf>) -> Self {
        Self {
            uri: uri.into(),
            directory: directory.into(),
            access: AccessSettings::default(),
            web: WebSettings::default(),
            folder: FolderSettings::default(),
            clock: Arc::new(SystemClock),
        }
    }
}

/// Opens the data resources of one URI scheme: what another crate implements to bring its own source of data.
pub trait DataResourceFactory: Send + Sync {
    /// The scheme, in lower case and without the colon.
    fn scheme(&self) -> &'static str;

    /// Opens the resource without waiting for what is behind it.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Configuration`] when the URI can't be understood.
    fn open(&self, settings: &ResourceSettings) -> Result<Arc<dyn DataResource>, ResourceError>;
}

/// The factories of data resources by URI scheme.
///
/// ```
/// use rejoin::resource::{ResourceRegistry, ResourceSettings};
///
/// let registry = ResourceRegistry::with_defaults();
/// let resource = registry.open(&ResourceSettings::new("sqlite::memory:", ".")).unwrap();
/// assert_eq!(resource.product().name, "SQLite");
///
/// let error = registry.open(&ResourceSettings::new("sqlight:orders.db", ".")).unwrap_err();
/// let problem = "data resource URI `sqlight:orders.db`: unknown scheme `sqlight`; expected one of ";
/// assert!(error.to_string().starts_with(problem));
/// ```
pub struct ResourceRegistry {
    factories: BTreeMap<&'static str, Box<dyn DataResourceFactory>>,
}

impl ResourceRegistry {
    /// A registry that knows no scheme.
    #[must_use]
    pub fn new() -> Self {
        Self { factories: BTreeMap::new() }
    }

    /// A registry of all schemes that this crate brings.
    #[must_use]
    pub fn with_defaults() -> Self {
        let mut registry = Self::new();
        registry.register(FileFactory);
        registry.register(HttpFactory::HTTP);
        registry.register(HttpFactory::HTTPS);
        registry.register(MySqlFactory::mariadb());
        registry.register(MySqlFactory::mysql());
        registry.register(PostgresFactory::POSTGRES);
        registry.register(PostgresFactory::POSTGRESQL);
        registry.register(SqliteFactory);
        registry
    }

    /// Adds a factory, or puts it in the place of the one that had its scheme.
    pub fn register(&mut self, factory: impl DataResourceFactory + 'static) {
        self.factories.insert(factory.scheme(), Box::new(factory));
    }

    /// Opens the resource of a URI.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Configuration`] when the scheme is unknown or its factory can't understand the URI.
    pub fn open(&self, settings: &ResourceSettings) -> Result<Arc<dyn DataResource>, ResourceError> {
        let uri = &settings.uri;
        let refused = |problem: String| ResourceError::Configuration {
            message: format!("data resource URI `{}`: {problem}; expected {}", without_secrets(uri), self.known()),
        };
        let Some(scheme) = scheme_of(uri) else {
            return Err(refused("it has no scheme".to_owned()));
        };
        match self.factories.get(scheme.to_ascii_lowercase().as_str()) {
            Some(factory) => factory.open(settings),
            None => Err(refused(format!("unknown scheme `{scheme}`"))),
        }
    }

    fn known(&self) -> String {
        let names: Vec<String> = self.factories.keys().map(|scheme| format!("`{scheme}`")).collect();
        match names.as_slice() {
            [only] => only.clone(),
            _ => format!("one of {}", names.join(", ")),
        }
    }
}

impl Default for ResourceRegistry {
    fn default() -> Self {
        Self::with_defaults()
    }
}

impl std::fmt::Debug for ResourceRegistry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.factories.keys()).finish()
    }
}
