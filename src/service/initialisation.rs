//! The document that a session configuration names in `onCreate`.

use std::path::Path;

use super::ConfigurationError;
use crate::document::{Limits, PerformDocument, SessionConfiguration, read_whole};
use crate::engine::{Catalogue, InitialDocument, PlanError};

/// Reads the document that runs in new sessions, if the session configuration names one; its location is relative to the
/// file that the configuration stands in.
///
/// # Errors
///
/// What is wrong, at its place in the document; or at the place that names it, when it can't be read.
pub(crate) fn initial_document(
    configuration: &SessionConfiguration,
    file: &Path,
    catalogue: &Catalogue,
) -> Result<Option<InitialDocument>, ConfigurationError> {
    let Some(location) = &configuration.on_create else { return Ok(None) };
    let path = file.parent().unwrap_or(Path::new("")).join(location);
    let limits = Limits::default();
    let bytes = read_whole(&path, limits.document_bytes).map_err(|error| {
        // Clients may see this, and the location may begin at the root of the machine.
        let message = format!("the document that `onCreate` names can't be read: {error}");
        ConfigurationError::new(file, configuration.places.on_create, message)
    })?;
    let document = PerformDocument::parse_with(&bytes, &limits, None)
        .map_err(|error| ConfigurationError::of_document(&path, &error))?;
    let document = InitialDocument::new(document, catalogue);
    document.map(Some).map_err(|error: PlanError| ConfigurationError::new(&path, error.position(), error.message()))
}
