use crate::block::StreamType;
use crate::document::activities::shape::{ChildShape, Family, Shape};
use crate::document::activities::stream::{Rows, Text};
use crate::document::activities::{ActivityElement, ElementWriter, FromStream, ToStream};
use crate::document::{DocumentError, Fields};

/// `webRowSetToRows`: rows from a WebRowSet, ours or Java's.
///
/// ```
/// use rejoin::document::activities::WebRowSetToRows;
///
/// let rows = WebRowSetToRows::of("table").rows;
/// assert_eq!(rows.name(), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebRowSetToRows {
    /// The WebRowSet.
    pub web_row_set_input: FromStream<Text>,
    /// The rows.
    pub rows: ToStream<Rows>,
}

impl WebRowSetToRows {
    /// The rows of a WebRowSet.
    #[must_use]
    pub fn of(table: impl Into<FromStream<Text>>) -> Self {
        Self { web_row_set_input: table.into(), rows: ToStream::default() }
    }
}

impl ActivityElement for WebRowSetToRows {
    const SHAPE: Shape =
        Shape::new("webRowSetToRows", Family::Relational, "Reads rows from a WebRowSet, ours or Java's.").children(&[
            ChildShape::input("webRowSetInput", StreamType::Text, ""),
            ChildShape::output("rows", StreamType::Rows, ""),
        ]);

    type Output = ToStream<Rows>;

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        Ok(Self { web_row_set_input: fields.input("webRowSetInput")?, rows: fields.output("rows")? })
    }

    fn write(&self, into: &mut ElementWriter) {
        into.input("webRowSetInput", &self.web_row_set_input);
        into.output("rows", &self.rows);
    }

    fn name_output(&mut self, step: &str) -> ToStream<Rows> {
        self.rows.name_after(step, "rows")
    }
}
