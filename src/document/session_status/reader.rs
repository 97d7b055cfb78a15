//! A session status from its element.

use super::{AttributeStatus, AttributesStatus, RequestStatus, SessionState, SessionStatusDocument};
use crate::document::{DocumentError, Element, Fields, GrantedTimeout, Value};

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
        request: fields.child("request").map(request).transpose()?,
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
    let request = RequestStatus {
        id: fields.required_attribute("id")?.one_word()?.value,
        since: fields.required_attribute("since")?.time()?,
    };
    fields.finish()?;
    Ok(request)
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
