//! Streams of the session, which clients write and read while the request runs.

use super::shape::{ChildShape, Family, Shape};
use super::stream::Any;
use super::{ActivityElement, ElementWriter, FromStream, ToStream};
use crate::block::StreamType;
use crate::document::{DocumentError, Fields};

/// `inputStream`: takes in what a client writes to the stream of the session that has the name of the step.
///
/// ```
/// use rejoin::document::activities::{ActivityElement, InputStream};
///
/// let mut feed = InputStream::default();
/// assert_eq!(feed.name_output("feed"), "feed.toLocal".into());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InputStream {
    /// What the client writes.
    pub to_local: ToStream<Any>,
}

impl ActivityElement for InputStream {
    const SHAPE: Shape = Shape::new(
        "inputStream",
        Family::Delivery,
        "Takes in what a client writes to the stream of the session that has the name of the activity.",
    )
    .children(&[ChildShape::output("toLocal", StreamType::Any, "as the client writes them")]);

    type Output = ToStream<Any>;

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        Ok(Self { to_local: fields.output("toLocal")? })
    }

    fn write(&self, into: &mut ElementWriter) {
        into.output("toLocal", &self.to_local);
    }

    fn name_output(&mut self, step: &str) -> ToStream<Any> {
        self.to_local.name_after(step, "toLocal")
    }
}

/// `outputStream`: makes a stream of text or bytes a stream of the session, by the name of the step.
///
/// ```
/// use rejoin::document::activities::OutputStream;
///
/// assert_eq!(&*OutputStream::of("csv").from_local.name().value, "csv");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputStream {
    /// What the client reads.
    pub from_local: FromStream<Any>,
}

impl OutputStream {
    /// Lets a client read a stream.
    #[must_use]
    pub fn of(stream: impl Into<FromStream<Any>>) -> Self {
        Self { from_local: stream.into() }
    }
}

impl ActivityElement for OutputStream {
    const SHAPE: Shape = Shape::new(
        "outputStream",
        Family::Delivery,
        "Makes a stream of text or bytes the stream of the session that has the name of the activity, for a client to read.",
    )
    .children(&[ChildShape::input("fromLocal", StreamType::Any, "text or bytes")]);

    type Output = ();

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        Ok(Self { from_local: fields.input("fromLocal")? })
    }

    fn write(&self, into: &mut ElementWriter) {
        into.input("fromLocal", &self.from_local);
    }

    fn name_output(&mut self, _step: &str) {}
}
