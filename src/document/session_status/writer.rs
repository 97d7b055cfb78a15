//! A session status to its element.

use super::{AttributesStatus, ProgressStatus, SessionStatusDocument};
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
    for stream in &status.streams {
        writer.start("stream");
        writer.attribute("name", &stream.name);
        writer.attribute("direction", stream.direction.name());
        writer.attribute("state", stream.state.name());
        writer.optional("contentType", stream.content_type.as_deref());
        writer.end();
    }
    for request in &status.requests {
        writer.start("request");
        writer.attribute("id", &request.id);
        writer.optional("since", request.since.as_ref().map(time::write));
        if let Some(progress) = &request.progress {
            self::progress(writer, progress);
        }
        writer.end();
    }
}

fn progress(writer: &mut XmlWriter, progress: &ProgressStatus) {
    writer.attribute("status", progress.status.as_str());
    writer.attribute("started", time::write(&progress.started));
    writer.optional("ended", progress.ended.as_ref().map(time::write));
    for (name, status) in &progress.results {
        writer.start("result");
        writer.attribute("name", name);
        writer.attribute("status", status.as_str());
        writer.end();
    }
    if let Some(error) = &progress.error {
        writer.element(&error.to_element());
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
