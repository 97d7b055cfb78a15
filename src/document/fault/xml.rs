//! A fault as XML.

use super::{Fault, REASONS};
use crate::document::response::{read_message, with_message};
use crate::document::writer::XmlWriter;
use crate::document::{DocumentError, Element, Limits, TYPES_NAMESPACE, root, time};

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Fault, DocumentError> {
    let element = Element::parse(bytes, limits)?;
    root::check(&element, "fault", TYPES_NAMESPACE)?;
    let mut fields = element.fields();
    let code = fields.required_attribute("code")?.name()?.to_owned();
    let status = fields.required_attribute("status")?.integer(400..=599)?;
    let request_id = fields.required_attribute("requestId")?.one_word()?.value;
    let retryable = fields.required_attribute("retryable")?.boolean()?;
    let retry_after = fields.attribute("retryAfter").map(|value| value.integer(0..=u32::MAX)).transpose()?;
    let recreate_session = fields.required_attribute("recreateSession")?.boolean()?;
    let reason = fields.attribute("reason").map(|value| value.choice(&REASONS)).transpose()?;
    let time = fields.attribute("time").map(|value| value.time()).transpose()?;
    let (message, location) = read_message(&mut fields)?;
    fields.finish()?;
    let fault =
        Fault { code, status, request_id, retryable, retry_after, recreate_session, reason, time, message, location };
    Ok(fault)
}

pub(super) fn write(fault: &Fault) -> String {
    let mut element = Element::new("fault", Some(TYPES_NAMESPACE))
        .with_attribute("code", &fault.code)
        .with_attribute("status", fault.status)
        .with_attribute("requestId", &fault.request_id)
        .with_attribute("retryable", fault.retryable);
    if let Some(retry_after) = fault.retry_after {
        element = element.with_attribute("retryAfter", retry_after);
    }
    element = element.with_attribute("recreateSession", fault.recreate_session);
    if let Some(reason) = fault.reason {
        element = element.with_attribute("reason", reason.as_str());
    }
    if let Some(moment) = &fault.time {
        element = element.with_attribute("time", time::write(moment));
    }
    let mut writer = XmlWriter::new();
    writer.element(&with_message(element, &fault.message, fault.location));
    writer.finish_lossy()
}
