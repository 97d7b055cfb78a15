use crate::block::StreamType;
use crate::document::activities::shape::{self, ChildShape, Family, Shape, ValueShape};
use crate::document::activities::stream::{Bytes, Rows};
use crate::document::activities::words::{self, ArrowCompression};
use crate::document::activities::{ActivityElement, ElementWriter, FromStream, ToStream};
use crate::document::{DocumentError, Fields};

/// `sqlResultsToArrow`: rows as an Arrow IPC stream.
///
/// ```
/// use rejoin::document::activities::{ArrowCompression, SqlResultsToArrow};
///
/// let arrow = SqlResultsToArrow::of("rows").compression(ArrowCompression::Zstd);
/// assert_eq!(&*arrow.result_set.name().value, "rows");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlResultsToArrow {
    /// The rows.
    pub result_set: FromStream<Rows>,
    /// The Arrow stream.
    pub arrow_output: ToStream<Bytes>,
    /// How the values are compressed; not at all if nothing is said.
    pub compression: ArrowCompression,
}

impl SqlResultsToArrow {
    /// The Arrow stream of rows.
    #[must_use]
    pub fn of(rows: impl Into<FromStream<Rows>>) -> Self {
        Self { result_set: rows.into(), arrow_output: ToStream::default(), compression: ArrowCompression::None }
    }

    /// The same with its values compressed.
    #[must_use]
    pub fn compression(mut self, compression: ArrowCompression) -> Self {
        self.compression = compression;
        self
    }
}

impl ActivityElement for SqlResultsToArrow {
    const SHAPE: Shape = Shape::new("sqlResultsToArrow", Family::Relational, "Writes rows as an Arrow IPC stream.")
        .children(&[
            ChildShape::input("resultSet", StreamType::Rows, ""),
            ChildShape::output("arrowOutput", StreamType::Bytes, "`application/vnd.apache.arrow.stream`"),
            ChildShape::setting(
                "compression",
                &shape::value(ValueShape::Choice(&words::words(&ArrowCompression::NAMES)), "none"),
                "how the values are compressed",
            ),
        ]);

    type Output = ToStream<Bytes>;

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        Ok(Self {
            result_set: fields.input("resultSet")?,
            arrow_output: fields.output("arrowOutput")?,
            compression: fields
                .setting_or("compression", ArrowCompression::None, |value| value.choice(&ArrowCompression::NAMES))?,
        })
    }

    fn write(&self, into: &mut ElementWriter) {
        into.input("resultSet", &self.result_set);
        into.output("arrowOutput", &self.arrow_output);
        into.setting_unless("compression", words::word(&ArrowCompression::NAMES, self.compression), "none");
    }

    fn name_output(&mut self, step: &str) -> ToStream<Bytes> {
        self.arrow_output.name_after(step, "arrowOutput")
    }
}
