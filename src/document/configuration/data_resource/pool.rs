//! The connections of a data resource.

use std::time::Duration;

use super::milliseconds;
use crate::document::writer::XmlWriter;
use crate::document::{DocumentError, Element, Located};

/// `<pool size wait idle/>` of a database, `<connections size wait idle/>` of an HTTP service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PoolConfiguration {
    /// The most at the same time: connections of one user, requests to one origin.
    pub size: Option<u32>,
    /// How long a statement, or a request, waits for one.
    pub wait: Option<Duration>,
    /// How long one stays open that nobody uses.
    pub idle: Option<Duration>,
}

impl PoolConfiguration {
    pub(super) fn read(element: &Element) -> Result<Located<Self>, DocumentError> {
        let mut fields = element.fields();
        let size = fields.attribute("size").map(|value| value.integer(1..=10_000)).transpose()?;
        let wait = fields.attribute("wait").map(|value| value.duration()).transpose()?;
        let idle = fields.attribute("idle").map(|value| value.duration()).transpose()?;
        fields.finish()?;
        Ok(Located::new(Self { size, wait, idle }, element.position()))
    }

    pub(super) fn write(self, element: &str, writer: &mut XmlWriter) {
        writer.start(element);
        writer.optional("size", self.size);
        writer.optional("wait", self.wait.map(milliseconds));
        writer.optional("idle", self.idle.map(milliseconds));
        writer.end();
    }
}
