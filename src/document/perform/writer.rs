//! A perform document to text.

use super::{SessionElement, Step, TYPES_NAMESPACE, TimeoutWish};
use crate::document::writer::XmlWriter;
use crate::document::{Unwritable, duration};

pub(super) fn write(
    documentation: &[String],
    session: Option<&SessionElement>,
    steps: &[Step],
) -> Result<String, Unwritable> {
    let mut writer = XmlWriter::new();
    writer.root("perform", TYPES_NAMESPACE);
    for documentation in documentation {
        writer.text_element("documentation", documentation);
    }
    if let Some(session) = session {
        write_session(session, &mut writer);
    }
    write_steps(steps, &mut writer);
    writer.end();
    writer.finish()
}

fn write_session(session: &SessionElement, writer: &mut XmlWriter) {
    writer.start("session");
    writer.optional("id", session.id.as_ref());
    if let Some(mode) = session.mode {
        writer.attribute("mode", mode.as_str());
    }
    match session.timeout {
        Some(TimeoutWish::After(timeout)) => writer.attribute("timeout", duration::write(timeout)),
        Some(TimeoutWish::Unbounded) => writer.attribute("timeout", "unbounded"),
        None => {}
    }
    writer.optional("wait", session.wait.map(duration::write));
    writer.optional("access", session.read.then_some("read"));
    writer.optional("rotate", session.rotate.then_some("true"));
    writer.optional("sequence", session.sequence);
    writer.end();
}

fn write_steps(steps: &[Step], writer: &mut XmlWriter) {
    for step in steps {
        match step {
            Step::Activity(activity) => writer.element(&activity.element),
            Step::Sequence(steps) => write_group("sequence", steps, writer),
            Step::Flow(steps) => write_group("flow", steps, writer),
        }
    }
}

fn write_group(name: &str, steps: &[Step], writer: &mut XmlWriter) {
    writer.start(name);
    write_steps(steps, writer);
    writer.end();
}
