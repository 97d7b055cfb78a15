use crate::block::StreamType;
use crate::document::activities::shape::{self, ChildShape, Family, Shape, ValueShape};
use crate::document::activities::stream::{Rows, Text};
use crate::document::activities::words::{self, TemporalColumns};
use crate::document::activities::{ActivityElement, ElementWriter, FromStream, ToStream};
use crate::document::{DocumentError, Fields};

/// `sqlResultsToXML`: rows as a WebRowSet, the XML that Java's `javax.sql.rowset` reads.
///
/// ```
/// use rejoin::document::activities::{SqlResultsToXml, TemporalColumns};
///
/// let table = SqlResultsToXml::of("rows").temporal_columns(TemporalColumns::Milliseconds);
/// assert_eq!(table.web_row_set.name(), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlResultsToXml {
    /// The rows.
    pub result_set: FromStream<Rows>,
    /// The WebRowSet.
    pub web_row_set: ToStream<Text>,
    /// How dates, times and time stamps are written; as text if nothing is said.
    pub temporal_columns: TemporalColumns,
}

impl SqlResultsToXml {
    /// The WebRowSet of rows.
    #[must_use]
    pub fn of(rows: impl Into<FromStream<Rows>>) -> Self {
        Self { result_set: rows.into(), web_row_set: ToStream::default(), temporal_columns: TemporalColumns::Text }
    }

    /// The same with dates, times and time stamps written like that.
    #[must_use]
    pub fn temporal_columns(mut self, temporal_columns: TemporalColumns) -> Self {
        self.temporal_columns = temporal_columns;
        self
    }
}

impl ActivityElement for SqlResultsToXml {
    const SHAPE: Shape = Shape::new(
        "sqlResultsToXML",
        Family::Relational,
        "Writes rows as a WebRowSet, the XML that Java's `javax.sql.rowset` reads.",
    )
    .children(&[
        ChildShape::input("resultSet", StreamType::Rows, ""),
        ChildShape::output("webRowSet", StreamType::Text, "`application/xml`"),
        ChildShape::setting(
            "temporalColumns",
            &shape::value(ValueShape::Choice(&words::words(&TemporalColumns::NAMES)), "text"),
            "how dates, times and time stamps are written",
        ),
    ]);

    type Output = ToStream<Text>;

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        Ok(Self {
            result_set: fields.input("resultSet")?,
            web_row_set: fields.output("webRowSet")?,
            temporal_columns: fields
                .setting_or("temporalColumns", TemporalColumns::Text, |value| value.choice(&TemporalColumns::NAMES))?,
        })
    }

    fn write(&self, into: &mut ElementWriter) {
        into.input("resultSet", &self.result_set);
        into.output("webRowSet", &self.web_row_set);
        into.setting_unless("temporalColumns", words::word(&TemporalColumns::NAMES, self.temporal_columns), "text");
    }

    fn name_output(&mut self, step: &str) -> ToStream<Text> {
        self.web_row_set.name_after(step, "webRowSet")
    }
}
