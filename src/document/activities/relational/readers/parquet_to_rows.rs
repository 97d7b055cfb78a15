use crate::block::StreamType;
use crate::document::activities::shape::{ChildShape, Family, Shape};
use crate::document::activities::stream::{Bytes, Rows};
use crate::document::activities::{ActivityElement, ElementWriter, FromStream, ToStream};
use crate::document::{DocumentError, Fields};

/// `parquetToRows`: rows from a Parquet file.
///
/// ```
/// use rejoin::document::activities::ParquetToRows;
///
/// let rows = ParquetToRows::of("file").rows;
/// assert_eq!(rows.name(), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParquetToRows {
    /// The file.
    pub parquet_input: FromStream<Bytes>,
    /// The rows.
    pub rows: ToStream<Rows>,
}

impl ParquetToRows {
    /// The rows of a Parquet file.
    #[must_use]
    pub fn of(file: impl Into<FromStream<Bytes>>) -> Self {
        Self { parquet_input: file.into(), rows: ToStream::default() }
    }
}

impl ActivityElement for ParquetToRows {
    const SHAPE: Shape =
        Shape::new("parquetToRows", Family::Relational, "Reads rows from a Parquet file.").children(&[
            ChildShape::input("parquetInput", StreamType::Bytes, ""),
            ChildShape::output("rows", StreamType::Rows, ""),
        ]);

    type Output = ToStream<Rows>;

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        Ok(Self { parquet_input: fields.input("parquetInput")?, rows: fields.output("rows")? })
    }

    fn write(&self, into: &mut ElementWriter) {
        into.input("parquetInput", &self.parquet_input);
        into.output("rows", &self.rows);
    }

    fn name_output(&mut self, step: &str) -> ToStream<Rows> {
        self.rows.name_after(step, "rows")
    }
}
