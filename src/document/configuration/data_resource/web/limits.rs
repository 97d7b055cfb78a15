//! How much, and how long.

use std::time::Duration;

use super::milliseconds;
use crate::document::writer::XmlWriter;
use crate::document::{DocumentError, Element, Located};

/// `<timeouts connect read total/>`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeoutsConfiguration {
    /// To open a connection.
    pub connect: Option<Duration>,
    /// To the head of an answer, and from one piece of its body to the next.
    pub read: Option<Duration>,
    /// For the whole exchange.
    pub total: Option<Duration>,
}

/// `<budget requests per burst wait/>`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetConfiguration {
    /// So many requests to one origin …
    pub requests: u32,
    /// … in this time.
    pub per: Duration,
    /// So many at once when nothing was sent for a while.
    pub burst: Option<u32>,
    /// How long a request waits for its turn.
    pub wait: Option<Duration>,
}

impl TimeoutsConfiguration {
    pub(super) fn read(element: &Element) -> Result<Located<Self>, DocumentError> {
        let mut fields = element.fields();
        let connect = fields.attribute("connect").map(|value| value.duration()).transpose()?;
        let read = fields.attribute("read").map(|value| value.duration()).transpose()?;
        let total = fields.attribute("total").map(|value| value.duration()).transpose()?;
        fields.finish()?;
        Ok(Located::new(Self { connect, read, total }, element.position()))
    }

    pub(super) fn write(self, writer: &mut XmlWriter) {
        writer.start("timeouts");
        writer.optional("connect", self.connect.map(milliseconds));
        writer.optional("read", self.read.map(milliseconds));
        writer.optional("total", self.total.map(milliseconds));
        writer.end();
    }
}

impl BudgetConfiguration {
    pub(super) fn read(element: &Element) -> Result<Located<Self>, DocumentError> {
        let mut fields = element.fields();
        let requests = fields.required_attribute("requests")?.integer(1..=1_000_000)?;
        let per = fields.required_attribute("per")?.duration()?;
        let burst = fields.attribute("burst").map(|value| value.integer(1..=1_000_000)).transpose()?;
        let wait = fields.attribute("wait").map(|value| value.duration()).transpose()?;
        fields.finish()?;
        Ok(Located::new(Self { requests, per, burst, wait }, element.position()))
    }

    pub(super) fn write(self, writer: &mut XmlWriter) {
        writer.start("budget");
        writer.attribute("requests", self.requests);
        writer.attribute("per", milliseconds(self.per));
        writer.optional("burst", self.burst);
        writer.optional("wait", self.wait.map(milliseconds));
        writer.end();
    }
}
