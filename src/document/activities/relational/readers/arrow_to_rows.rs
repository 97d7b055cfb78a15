use crate::block::StreamType;
use crate::document::activities::shape::{ChildShape, Family, Shape};
use crate::document::activities::stream::{Bytes, Rows};
use crate::document::activities::{ActivityElement, ElementWriter, FromStream, ToStream};
use crate::document::{DocumentError, Fields};

/// `arrowToRows`: rows from an Arrow IPC stream.
///
/// ```
/// use rejoin::document::activities::ArrowToRows;
///
/// let rows = ArrowToRows::of("arrow").rows;
/// assert_eq!(rows.name(), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrowToRows {
    /// The Arrow stream.
    pub arrow_input: FromStream<Bytes>,
    /// The rows.
    pub rows: ToStream<Rows>,
}

impl ArrowToRows {
    /// The rows of an Arrow stream.
    #[must_use]
    pub fn of(arrow: impl Into<FromStream<Bytes>>) -> Self {
        Self { arrow_input: arrow.into(), rows: ToStream::default() }
    }
}

impl ActivityElement for ArrowToRows {
    const SHAPE: Shape = Shape::new("arrowToRows", Family::Relational, "Reads rows from an Arrow IPC stream.")
        .children(&[
            ChildShape::input("arrowInput", StreamType::Bytes, ""),
            ChildShape::output("rows", StreamType::Rows, ""),
        ]);

    type Output = ToStream<Rows>;

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        Ok(Self { arrow_input: fields.input("arrowInput")?, rows: fields.output("rows")? })
    }

    fn write(&self, into: &mut ElementWriter) {
        into.input("arrowInput", &self.arrow_input);
        into.output("rows", &self.rows);
    }

    fn name_output(&mut self, step: &str) -> ToStream<Rows> {
        self.rows.name_after(step, "rows")
    }
}
