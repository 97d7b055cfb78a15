//! From the element to settings.

use super::HttpIngest;
use super::credentials::Authenticate;
use super::download::record_schema;
use super::keep::{Save, SessionState};
use super::outputs::OutputPorts;
use crate::activity::{FileFolder, OutputPort, Setup, WebSource};
use crate::block::StreamType;
use crate::document::{DocumentError, Element, Fields, Position};
use crate::ingest::properties::{Property, PropertyPlace, PropertyProblems, SecondaryNames, read};
use crate::ingest::settings::IngestSettings;
use crate::resource::web::DefaultProperty;

pub(super) fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<HttpIngest, DocumentError> {
    let element = fields.element();
    let source = setup.web(fields)?;
    let own = own_properties(fields)?;
    let authenticate = fields.child("authenticate").map(|child| Authenticate::parse(child, &source)).transpose()?;
    let state = fields.child("sessionState").map(session_state).transpose()?;
    let secondary = fields.child("secondary").map(|child| setup.input_of(child, StreamType::Rows)).transpose()?;
    let ports = OutputPorts::declare(fields, setup)?;
    let defaults = defaults(&source);
    let known = authenticate.as_ref().map(Authenticate::names);
    let names = match &known {
        _ if secondary.is_some() => SecondaryNames::Any,
        Some(names) => SecondaryNames::Given(names.clone()),
        None => SecondaryNames::None,
    };
    let mut settings = read(&defaults, &own, &names).map_err(|problems| refuse(element, &problems))?;
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
    Ok(HttpIngest { source, settings, authenticate, state, secondary, folder, ports })
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

/// The `property` children that come next.
pub(in crate::activity::web) fn own_properties(fields: &mut Fields<'_>) -> Result<Vec<Property>, DocumentError> {
    fields.children("property").into_iter().map(property).collect()
}

/// The properties that hold for every ingestion over an HTTP service.
pub(in crate::activity::web) fn defaults(source: &WebSource) -> Vec<Property> {
    source.defaults().iter().map(default).collect()
}

fn property(element: &Element) -> Result<Property, DocumentError> {
    let mut fields = element.fields();
    let key = fields.required_attribute("key")?.one_word()?;
    fields.finish_attributes()?;
    let value = element.text()?;
    let place = PropertyPlace::Document(element.position());
    Ok(Property { key: key.value.into(), value: value.trim().into(), place })
}

fn default(property: &DefaultProperty) -> Property {
    let DefaultProperty { key, value, place } = property.clone();
    Property { key, value, place: PropertyPlace::Resource(place) }
}

fn session_state(element: &Element) -> Result<SessionState, DocumentError> {
    let mut fields = element.fields();
    let attribute = fields.required_attribute("attribute")?.name()?.to_owned();
    let choices = [("page", Save::Page), ("request", Save::Request)];
    let save = fields.attribute("save").map_or(Ok(Save::Page), |save| save.choice(&choices))?;
    fields.finish()?;
    Ok(SessionState { attribute, save })
}

/// All problems in one error, at the place of the first one that stands in the document.
pub(in crate::activity::web) fn refuse(element: &Element, problems: &PropertyProblems) -> DocumentError {
    let place = |place: &Option<PropertyPlace>| match place {
        Some(PropertyPlace::Document(position)) => Some(*position),
        _ => None,
    };
    let position: Option<Position> = problems.0.iter().find_map(|problem| place(&problem.place));
    let text = problems.to_string();
    DocumentError::invalid(position.unwrap_or(element.position()), text)
}
