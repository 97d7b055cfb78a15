//! A session status to its element.

use super::{AttributesStatus, SessionStatusDocument};
use crate::document::writer::XmlWriter;
use crate::document::{GrantedTimeout, duration, time};

/// The attributes and the content of the element that was just begun.
pub(super) fn content(writer: &mut XmlWriter, status: &SessionStatusDocument) {
    writer.attribute("handle", &status.handle);
    writer.attribute("state", status.state.name());
    writer.attribute("implicit", status.implicit);
    writer.optional("owner", status.owner.as_deref());
    writer.optional("label", status.label.as_deref());
    writer.attribute("created", time::write(&status.created));
    writer.optional("released", status.released.as_ref().map(time::write));
    match status.timeout {
        Some(GrantedTimeout::After(timeout)) => writer.attribute("timeout", duration::write(timeout)),
        Some(GrantedTimeout::Unbounded) => writer.attribute("timeout", "unbounded"),
        None => {}
    }
    writer.optional("idleExpires", status.idle_expires.as_ref().map(time::write));
    writer.optional("lifetimeExpires", status.lifetime_expires.as_ref().map(time::write));
    writer.attribute("fence", status.fence);
    writer.attribute("waiters", status.waiters);
    writer.attribute("readers", status.readers);
    attributes(writer, &status.attributes);
    if let Some(request) = &status.request {
        writer.start("request");
        writer.attribute("id", &request.id);
        writer.attribute("since", time::write(&request.since));
        writer.end();
    }
}

fn attributes(writer: &mut XmlWriter, attributes: &AttributesStatus) {
    writer.start("attributes");
    writer.attribute("count", attributes.count);
    writer.attribute("bytes", attributes.bytes);
    for attribute in &attributes.list {
        writer.start("attribute");
        writer.attribute("name", &attribute.name);
        writer.attribute("type", &attribute.type_name);
        writer.optional("bytes", attribute.bytes);
        writer.optional("static", attribute.is_static.then_some(true));
        writer.end();
    }
    writer.end();
}
