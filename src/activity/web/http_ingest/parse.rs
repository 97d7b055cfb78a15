//! From the element to settings.

use super::keep::{Save, SessionState};
use super::{HttpIngest, OutputPorts};
use crate::activity::Setup;
use crate::block::StreamType;
use crate::document::{DocumentError, Element, Fields, Position};
use crate::ingest::properties::{Property, PropertyPlace, PropertyProblems, SecondaryNames, read};
use crate::resource::web::DefaultProperty;

pub(super) fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<HttpIngest, DocumentError> {
    let element = fields.element();
    let source = setup.web(fields)?;
    let own = fields.children("property").into_iter().map(property).collect::<Result<Vec<_>, _>>()?;
    let state = fields.child("sessionState").map(session_state).transpose()?;
    let secondary = fields.child("secondary").map(|child| setup.input_of(child, StreamType::Rows)).transpose()?;
    let ports = OutputPorts {
        records: setup.optional_output(fields, "records", StreamType::Rows)?,
        json: setup.optional_output(fields, "json", StreamType::Text)?,
        responses: setup.optional_output(fields, "responses", StreamType::Bytes)?,
        decisions: setup.optional_output(fields, "decisions", StreamType::Rows)?,
    };
    let defaults: Vec<Property> = source.defaults().iter().map(default).collect();
    let names = if secondary.is_some() { SecondaryNames::Any } else { SecondaryNames::None };
    let settings = read(&defaults, &own, &names).map_err(|problems| refuse(element, &problems))?;
    if settings.download.is_some() {
        let message = "`httpIngest` writes no files in this version: leave `rejoin.download` and `ms.extractor.target.file.name` \
                       out, and take the bytes of the answers from the output `responses`";
        return Err(DocumentError::invalid(element.position(), message));
    }
    Ok(HttpIngest { source, settings: Box::new(settings), state, secondary, ports })
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
fn refuse(element: &Element, problems: &PropertyProblems) -> DocumentError {
    let place = |place: &Option<PropertyPlace>| match place {
        Some(PropertyPlace::Document(position)) => Some(*position),
        _ => None,
    };
    let position: Option<Position> = problems.0.iter().find_map(|problem| place(&problem.place));
    let text = problems.to_string();
    DocumentError::invalid(position.unwrap_or(element.position()), text)
}
