//! Reading a folder of configuration documents.

use std::path::{Path, PathBuf};

use super::Server;
use super::builder::SERVICE_FILE;
use crate::document::{
    ActivityConfiguration, DocumentError, Limits, Position, ResourceConfiguration, ServiceConfiguration,
    SessionConfiguration, read_whole,
};

/// A configuration as `rejoin serve` reads it: `service.xml` and all documents that it names.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// `service.xml`
    pub service: ServiceConfiguration,
    /// Where that stands.
    pub file: PathBuf,
    /// The data service resources, in the order of `service.xml`.
    pub resources: Vec<ConfiguredResource>,
}

/// One data service resource with the documents that configure it.
#[derive(Debug, Clone)]
pub struct ConfiguredResource {
    /// The name under which it is served.
    pub name: String,
    /// The resource configuration document.
    pub resource: ResourceConfiguration,
    /// Where that stands: what data resource URIs are relative to.
    pub file: PathBuf,
    /// The session configuration, or the default.
    pub session: SessionConfiguration,
    /// Where that stands, if it is a document.
    pub session_file: Option<PathBuf>,
    /// The activity configuration and where it stands.
    pub activities: Option<(ActivityConfiguration, PathBuf)>,
}

/// What is wrong in a configuration, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}:{position}: {message}", file.display())]
pub struct ConfigurationError {
    /// The file.
    pub file: PathBuf,
    /// The place in it.
    pub position: Position,
    /// What is wrong and what was expected.
    pub message: String,
}

/// Everything that is wrong in a configuration: all of it, so that it can be mended in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigurationErrors(pub Vec<ConfigurationError>);

impl std::fmt::Display for ConfigurationErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigurationErrors {}

impl ConfigurationError {
    pub(super) fn new(file: &Path, position: Position, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), position, message: message.into() }
    }

    pub(crate) fn of_document(file: &Path, error: &DocumentError) -> Self {
        Self::new(file, error.position(), error.message())
    }
}

impl Configuration {
    /// Reads `service.xml` of a folder and every document that it names.
    ///
    /// # Errors
    ///
    /// [`ConfigurationErrors`] with everything that is wrong in any of them.
    pub fn load(dir: &Path) -> Result<Self, ConfigurationErrors> {
        match Self::read(dir) {
            (Some(configuration), errors) if errors.is_empty() => Ok(configuration),
            (_, errors) => Err(ConfigurationErrors(errors)),
        }
    }

    /// Everything for which a folder would not be served, as far as its documents tell: no store of sessions is opened.
    pub(crate) fn problems(dir: &Path) -> Vec<ConfigurationError> {
        let (configuration, mut errors) = Self::read(dir);
        if let Some(configuration) = configuration {
            errors.extend(
                Server::builder()
                    .configuration(configuration)
                    .without_stores()
                    .build()
                    .err()
                    .into_iter()
                    .flat_map(|more| more.0),
            );
        }
        errors
    }

    /// As much as can be read, and what can't: in the place of a document that can't be read stand the defaults.
    fn read(dir: &Path) -> (Option<Self>, Vec<ConfigurationError>) {
        let mut loader = Loader::default();
        let file = dir.join(SERVICE_FILE);
        let service = loader.read(&file, None, ServiceConfiguration::parse);
        let mut resources = Vec::new();
        for named in service.iter().flat_map(|service| &service.resources) {
            let location = Location { from: &file, position: named.location.position };
            resources.extend(loader.resource(&named.name.value, &beside(&file, &named.location.value), location));
        }
        (service.map(|service| Self { service, file, resources }), loader.errors)
    }
}

/// The path of a location that stands in `file`.
fn beside(file: &Path, location: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(location)
}

/// Where a document is named by another.
#[derive(Clone, Copy)]
struct Location<'a> {
    from: &'a Path,
    position: Position,
}

#[derive(Default)]
struct Loader {
    errors: Vec<ConfigurationError>,
}

impl Loader {
    /// Reads one document; what is wrong with it is noted, at the place that names it when it can't be read at all.
    fn read<T>(
        &mut self,
        file: &Path,
        named: Option<Location<'_>>,
        parse: impl FnOnce(&[u8], &Limits) -> Result<T, DocumentError>,
    ) -> Option<T> {
        let limits = Limits::default();
        let bytes = match read_whole(file, limits.document_bytes) {
            Ok(bytes) => bytes,
            Err(error) => {
                let message = format!("{} can't be read: {error}", file.display());
                let Location { from, position } = named.unwrap_or(Location { from: file, position: Position::START });
                self.errors.push(ConfigurationError::new(from, position, message));
                return None;
            }
        };
        match parse(&bytes, &limits) {
            Ok(document) => Some(document),
            Err(error) => {
                self.errors.push(ConfigurationError::of_document(file, &error));
                None
            }
        }
    }

    fn resource(&mut self, name: &str, file: &Path, named: Location<'_>) -> Option<ConfiguredResource> {
        let resource = self.read(file, Some(named), ResourceConfiguration::parse)?;
        let session_file = resource
            .session_configuration
            .as_ref()
            .map(|location| (beside(file, &location.value), Location { from: file, position: location.position }));
        let activities_file = resource
            .activity_configuration
            .as_ref()
            .map(|location| (beside(file, &location.value), Location { from: file, position: location.position }));
        let session = match &session_file {
            Some((path, named)) => self.read(path, Some(*named), SessionConfiguration::parse).unwrap_or_default(),
            None => SessionConfiguration::default(),
        };
        let activities = activities_file
            .and_then(|(path, named)| Some((self.read(&path, Some(named), ActivityConfiguration::parse)?, path)));
        let session_file = session_file.map(|(path, _)| path);
        Some(ConfiguredResource { name: name.into(), resource, file: file.into(), session, session_file, activities })
    }
}
