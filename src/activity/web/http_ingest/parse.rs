//! From the element to settings.

use super::HttpIngest;
use super::credentials::Authenticate;
use super::download::record_schema;
use super::outputs::OutputPorts;
use crate::activity::{FileFolder, OutputPort, Setup, WebSource};
use crate::document::activities::{self, ActivityElement, IngestProperty};
use crate::document::{DocumentError, Element, Fields, Located, Position};
use crate::ingest::properties::{Property, PropertyPlace, PropertyProblems, SecondaryNames, read};
use crate::ingest::settings::IngestSettings;
use crate::resource::web::DefaultProperty;

pub(super) fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<HttpIngest, DocumentError> {
    let element = fields.element();
    let from = activities::HttpIngest::read(fields)?;
    let source = setup.web_of(element, from.resource.as_ref())?;
    let authenticate = from.authenticate.map(|written| Authenticate::of(written, &source)).transpose()?.map(Box::new);
    let secondary = from.secondary.as_ref().map(|rows| setup.reads(rows));
    let ports = OutputPorts::declare(&from.outputs, setup);
    let own = own_properties(from.properties);
    let defaults = defaults(&source);
    let known = authenticate.as_ref().map(|authenticate| authenticate.names());
    let names = match &known {
        _ if secondary.is_some() => SecondaryNames::Any,
        Some(names) => SecondaryNames::Given(names.clone()),
        None => SecondaryNames::None,
    };
    let mut settings = read(&defaults, &own, &names).map_err(|problems| refuse(element.position(), &problems))?;
    if let Some(authenticate) = &authenticate {
        // When those are refused, there may be new ones.
        settings.units.columns.authentication.extend(authenticate.names());
        settings.retry.credential_attempts = authenticate.attempts;
        settings.retry.credential_delay = authenticate.delay;
    }
    let folder = folder(element, &mut settings, setup)?;
    if folder.is_some() && ports.responses != OutputPort::NOWHERE {
        let message = "the bytes of a download are in its file: leave the output `responses` out, or `rejoin.download`";
        return Err(DocumentError::invalid(element.position(), message));
    }
    let state = from.session_state;
    Ok(HttpIngest { source, settings: Box::new(settings), authenticate, state, secondary, folder, ports })
}

/// Where files go, if answers become files. Then the records are those of the files.
fn folder(
    element: &Element,
    settings: &mut IngestSettings,
    setup: &mut Setup<'_>,
) -> Result<Option<FileFolder>, DocumentError> {
    let Some(download) = &settings.download else { return Ok(None) };
    let folder = setup.writable_folder(download.resource.as_deref(), element.position())?;
    if settings.page.derived.is_empty() {
        settings.page.schema.get_or_insert_with(record_schema);
    }
    Ok(Some(folder))
}

/// The properties of an element.
pub(in crate::activity::web) fn own_properties(written: Vec<Located<IngestProperty>>) -> Vec<Property> {
    let own = |Located { value: IngestProperty { key, value }, position }| Property {
        key: String::into(key),
        value: String::into(value),
        place: PropertyPlace::Document(position),
    };
    written.into_iter().map(own).collect()
}

/// The properties that hold for every ingestion over an HTTP service.
pub(in crate::activity::web) fn defaults(source: &WebSource) -> Vec<Property> {
    source.defaults().iter().map(default).collect()
}

fn default(property: &DefaultProperty) -> Property {
    let DefaultProperty { key, value, place } = property.clone();
    Property { key, value, place: PropertyPlace::Resource(place) }
}

/// All problems in one error, at the place of the first one that stands in the document.
pub(in crate::activity::web) fn refuse(place: Position, problems: &PropertyProblems) -> DocumentError {
    let own = |place: &Option<PropertyPlace>| match place {
        Some(PropertyPlace::Document(position)) => Some(*position),
        _ => None,
    };
    let position: Option<Position> = problems.0.iter().find_map(|problem| own(&problem.place));
    let text = problems.to_string();
    DocumentError::invalid(position.unwrap_or(place), text)
}
