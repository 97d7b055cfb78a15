use crate::block::StreamType;
use crate::document::activities::shape::{self, ChildShape, Family, Shape, ValueShape};
use crate::document::activities::stream::{Bytes, Rows};
use crate::document::activities::words::{self, ParquetCompression};
use crate::document::activities::{ActivityElement, ElementWriter, FromStream, ToStream};
use crate::document::{DocumentError, Fields};

/// `sqlResultsToParquet`: rows as a Parquet file.
///
/// ```
/// use rejoin::document::activities::{ParquetCompression, SqlResultsToParquet};
///
/// let file = SqlResultsToParquet::of("rows");
/// assert_eq!(file.compression, ParquetCompression::Snappy);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlResultsToParquet {
    /// The rows.
    pub result_set: FromStream<Rows>,
    /// The file.
    pub parquet_output: ToStream<Bytes>,
    /// How the values are compressed; by Snappy if nothing is said.
    pub compression: ParquetCompression,
}

impl SqlResultsToParquet {
    /// The file of rows.
    #[must_use]
    pub fn of(rows: impl Into<FromStream<Rows>>) -> Self {
        Self { result_set: rows.into(), parquet_output: ToStream::default(), compression: ParquetCompression::Snappy }
    }

    /// The same with its values compressed like that.
    #[must_use]
    pub fn compression(mut self, compression: ParquetCompression) -> Self {
        self.compression = compression;
        self
    }
}

impl ActivityElement for SqlResultsToParquet {
    const SHAPE: Shape = Shape::new("sqlResultsToParquet", Family::Relational, "Writes rows as a Parquet file.")
        .children(&[
            ChildShape::input("resultSet", StreamType::Rows, ""),
            ChildShape::output("parquetOutput", StreamType::Bytes, "`application/vnd.apache.parquet`"),
            ChildShape::setting(
                "compression",
                &shape::value(ValueShape::Choice(&words::words(&ParquetCompression::NAMES)), "snappy"),
                "how the values are compressed",
            ),
        ]);

    type Output = ToStream<Bytes>;

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        Ok(Self {
            result_set: fields.input("resultSet")?,
            parquet_output: fields.output("parquetOutput")?,
            compression: fields.setting_or("compression", ParquetCompression::Snappy, |value| {
                value.choice(&ParquetCompression::NAMES)
            })?,
        })
    }

    fn write(&self, into: &mut ElementWriter) {
        into.input("resultSet", &self.result_set);
        into.output("parquetOutput", &self.parquet_output);
        into.setting_unless("compression", words::word(&ParquetCompression::NAMES, self.compression), "snappy");
    }

    fn name_output(&mut self, step: &str) -> ToStream<Bytes> {
        self.parquet_output.name_after(step, "parquetOutput")
    }
}
