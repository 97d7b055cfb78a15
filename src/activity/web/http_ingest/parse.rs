//! From the element to settings.

use super::download::record_schema;
use super::{HttpIngest, OutputPorts};
use crate::activity::{FileFolder, OutputPort, Setup};
use crate::document::activities::{self, ActivityElement, IngestProperty};
use crate::document::{DocumentError, Element, Fields, Located, Position};
use crate::ingest::properties::{Property, PropertyPlace, PropertyProblems, SecondaryNames, read};
use crate::ingest::settings::IngestSettings;
use crate::resource::web::DefaultProperty;

pub(super) fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<HttpIngest, DocumentError> {
    let element = fields.element();
    let from = activities::HttpIngest::read(fields)?;
    let source = setup.web_of(element, from.resource.as_ref())?;
    let secondary = from.secondary.as_ref().map(|rows| setup.reads(rows));
    let ports = OutputPorts {
        records: setup.writes(&from.records, None),
        json: setup.writes(&from.json, None),
        responses: setup.writes(&from.responses, None),
        decisions: setup.writes(&from.decisions, None),
    };
    let own: Vec<Property> = from.properties.into_iter().map(own).collect();
    let defaults: Vec<Property> = source.defaults().iter().map(default).collect();
    let names = if secondary.is_some() { SecondaryNames::Any } else { SecondaryNames::None };
    let mut settings = read(&defaults, &own, &names).map_err(|problems| refuse(element, &problems))?;
    let folder = folder(element, &mut settings, setup)?;
    if folder.is_some() && ports.responses != OutputPort::NOWHERE {
        let message = "the bytes of a download are in its file: leave the output `responses` out, or `rejoin.download`";
        return Err(DocumentError::invalid(element.position(), message));
    }
    Ok(HttpIngest { source, settings, state: from.session_state, secondary, folder, ports })
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

fn own(Located { value: IngestProperty { key, value }, position }: Located<IngestProperty>) -> Property {
    Property { key: key.into(), value: value.into(), place: PropertyPlace::Document(position) }
}

fn default(property: &DefaultProperty) -> Property {
    let DefaultProperty { key, value, place } = property.clone();
    Property { key, value, place: PropertyPlace::Resource(place) }
}

/// All problems in one error, at the place of the first one that stands in the document.
fn refuse(element: &Element, problems: &PropertyProblems) -> DocumentError {
    let place = |place: &Option<PropertyPlace>| match place {
        Some(PropertyPlace::Document(position)) => Some(*position),
        _ => None,
    };
    let position: Option<Position> = problems.0.iter().find_map(|problem| place(&problem.place));
    let text = problems.to_string();
    DocumentError::invalid(position.unwrap_or(element.position()), text)
}
