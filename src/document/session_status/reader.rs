//! A session status from its element.

use super::{
    AttributeStatus, AttributesStatus, ProgressStatus, RequestStatus, SessionState, SessionStatusDocument,
    StreamDescription, StreamDirection, StreamState,
};
use crate::document::response::STATUSES;
use crate::document::{DocumentError, Element, Fields, GrantedTimeout, ResponseError, Status, Value};

pub(super) fn read(element: &Element) -> Result<SessionStatusDocument, DocumentError> {
    let mut fields = element.fields();
    let status = SessionStatusDocument {
        handle: fields.required_attribute("handle")?.one_word()?.value,
        state: fields.required_attribute("state")?.choice(&SessionState::NAMES)?,
        implicit: fields.required_attribute("implicit")?.boolean()?,
        owner: text(fields.attribute("owner"))?,
        label: text(fields.attribute("label"))?,
        created: fields.required_attribute("created")?.time()?,
        released: fields.attribute("released").map(|value| value.time()).transpose()?,
        timeout: fields.attribute("timeout").map(|value| timeout(&value)).transpose()?,
        idle_expires: fields.attribute("idleExpires").map(|value| value.time()).transpose()?,
        lifetime_expires: fields.attribute("lifetimeExpires").map(|value| value.time()).transpose()?,
        fence: count(&mut fields, "fence")?,
        waiters: count(&mut fields, "waiters")?,
        readers: count(&mut fields, "readers")?,
        attributes: attributes(fields.required_child("attributes")?)?,
        streams: fields.children("stream").into_iter().map(stream).collect::<Result<_, _>>()?,
        requests: requests(fields.children("request"))?,
    };
    fields.finish()?;
    Ok(status)
}

fn attributes(element: &Element) -> Result<AttributesStatus, DocumentError> {
    let mut fields = element.fields();
    let (of_all, bytes) = (count(&mut fields, "count")?, count(&mut fields, "bytes")?);
    let list = fields.children("attribute").into_iter().map(attribute).collect::<Result<_, _>>()?;
    fields.finish()?;
    Ok(AttributesStatus { count: of_all, bytes, list })
}

fn attribute(element: &Element) -> Result<AttributeStatus, DocumentError> {
    let mut fields = element.fields();
    let attribute = AttributeStatus {
        name: fields.required_attribute("name")?.non_empty()?.value,
        type_name: fields.required_attribute("type")?.non_empty()?.value,
        bytes: fields.attribute("bytes").map(|value| value.integer(0..=u64::MAX)).transpose()?,
        is_static: fields.attribute("static").map_or(Ok(false), |value| value.boolean())?,
    };
    fields.finish()?;
    Ok(attribute)
}

fn request(element: &Element) -> Result<RequestStatus, DocumentError> {
    let mut fields = element.fields();
    let id = fields.required_attribute("id")?.one_word()?.value;
    let since = fields.attribute("since").map(|value| value.time()).transpose()?;
    let status = fields.attribute("status").map(|value| value.choice(&STATUSES)).transpose()?;
    let started = fields.attribute("started").map(|value| value.time()).transpose()?;
    let ended = fields.attribute("ended").map(|value| value.time()).transpose()?;
    let results: Vec<_> = fields.children("result").into_iter().map(result).collect::<Result<_, _>>()?;
    let error = fields.child("error").map(ResponseError::read).transpose()?;
    fields.finish()?;
    let contradictory = |what| DocumentError::invalid(element.position(), format!("contradictory `request`: {what}"));
    let progress = match (status, started) {
        (Some(status), Some(started)) => Some(ProgressStatus { status, started, ended, results, error }),
        (None, None) if ended.is_some() || !results.is_empty() || error.is_some() => {
            return Err(contradictory("it tells how far it has got, so it needs `status` and `started`"));
        }
        (None, None) if since.is_none() => return Err(contradictory("it needs `since` or `status`")),
        (None, None) => None,
        _ => return Err(contradictory("`status` and `started` go together")),
    };
    Ok(RequestStatus { id, since, progress })
}

/// The one that holds the session and the last asynchronous one, at the most.
fn requests(elements: Vec<&Element>) -> Result<Vec<RequestStatus>, DocumentError> {
    if let Some(third) = elements.get(2) {
        return Err(DocumentError::invalid(third.position(), "a third `request`; expected two at the most"));
    }
    elements.into_iter().map(request).collect()
}

fn result(element: &Element) -> Result<(String, Status), DocumentError> {
    let mut fields = element.fields();
    let name = fields.required_attribute("name")?.name()?.to_owned();
    let status = fields.required_attribute("status")?.choice(&STATUSES)?;
    fields.finish()?;
    Ok((name, status))
}

fn stream(element: &Element) -> Result<StreamDescription, DocumentError> {
    let mut fields = element.fields();
    let stream = StreamDescription {
        name: fields.required_attribute("name")?.name()?.to_owned(),
        direction: fields.required_attribute("direction")?.choice(&StreamDirection::NAMES)?,
        state: fields.required_attribute("state")?.choice(&StreamState::NAMES)?,
        content_type: text(fields.attribute("contentType"))?,
    };
    fields.finish()?;
    Ok(stream)
}

/// A whole number, zero or above, that has to be there.
pub(super) fn count(fields: &mut Fields<'_>, name: &'static str) -> Result<u64, DocumentError> {
    fields.required_attribute(name)?.integer(0..=u64::MAX)
}

fn timeout(value: &Value<'_>) -> Result<GrantedTimeout, DocumentError> {
    Ok(value.duration_or_unbounded()?.map_or(GrantedTimeout::Unbounded, GrantedTimeout::After))
}

fn text(value: Option<Value<'_>>) -> Result<Option<String>, DocumentError> {
    Ok(value.map(|value| value.non_empty()).transpose()?.map(|text| text.value))
}
