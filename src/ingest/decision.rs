//! The decision log: what was asked, what came, and which rule decided what to do next.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::builder::{Int64Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use chrono::{DateTime, Utc};

/// A line of the decision log. It holds no query, no header and no credential.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionRow {
    /// Which unit, from 1.
    pub unit: u64,
    /// Which of its requests, from 1.
    pub request: u64,
    /// When it was sent.
    pub time: DateTime<Utc>,
    /// The method.
    pub method: String,
    /// The address without its query.
    pub address: String,
    /// The status, if an answer came.
    pub status: Option<u16>,
    /// How many records it held.
    pub rows: u64,
    /// The session key in it, if it was a page that had one.
    pub key: Option<String>,
    /// The rule that decided.
    pub rule: String,
    /// What was done: `again`, `retry`, `complete`, `pause`, `fail`.
    pub action: &'static str,
    /// How long until the next request may be sent.
    pub wait: Option<Duration>,
    /// What went wrong or does not fit, for people.
    pub note: Option<String>,
}

impl DecisionRow {
    /// The columns of the log.
    #[must_use]
    pub fn schema() -> SchemaRef {
        let moment = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let columns = [
            ("unit", DataType::Int64),
            ("request", DataType::Int64),
            ("time", moment),
            ("method", DataType::Utf8),
            ("address", DataType::Utf8),
            ("status", DataType::Int64),
            ("rows", DataType::Int64),
            ("key", DataType::Utf8),
            ("rule", DataType::Utf8),
            ("action", DataType::Utf8),
            ("waitMillis", DataType::Int64),
            ("note", DataType::Utf8),
        ];
        let fields = columns.map(|(name, data_type)| Field::new(name, data_type, true));
        Arc::new(Schema::new(fields.to_vec()))
    }

    /// The columns of the log of a job: `phase`, and those of [`DecisionRow::schema`].
    #[must_use]
    pub fn schema_of_phases() -> SchemaRef {
        let own = Arc::new(Field::new("phase", DataType::Utf8, true));
        let fields: Vec<_> = std::iter::once(own).chain(Self::schema().fields().iter().cloned()).collect();
        Arc::new(Schema::new(fields))
    }

    /// The line as a row of the log of a job, in that phase.
    ///
    /// # Errors
    ///
    /// As for [`DecisionRow::to_rows`].
    pub fn to_rows_of(&self, phase: &str) -> Result<RecordBatch, ArrowError> {
        let rows = self.to_rows()?;
        let columns = std::iter::once(text(Some(phase))).chain(rows.columns().iter().cloned()).collect();
        RecordBatch::try_new(Self::schema_of_phases(), columns)
    }

    /// The line as a row.
    ///
    /// # Errors
    ///
    /// None that can happen: the columns are those of [`DecisionRow::schema`].
    pub fn to_rows(&self) -> Result<RecordBatch, ArrowError> {
        let count = |number: u64| integer(i64::try_from(number).ok());
        let mut time = TimestampMicrosecondBuilder::new().with_timezone("UTC");
        time.append_value(self.time.timestamp_micros());
        let wait = self.wait.map(|wait| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        let columns: Vec<ArrayRef> = vec![
            count(self.unit),
            count(self.request),
            Arc::new(time.finish()),
            text(Some(&self.method)),
            text(Some(&self.address)),
            integer(self.status.map(i64::from)),
            count(self.rows),
            text(self.key.as_deref()),
            text(Some(&self.rule)),
            text(Some(self.action)),
            integer(wait),
            text(self.note.as_deref()),
        ];
        RecordBatch::try_new(Self::schema(), columns)
    }
}

fn integer(value: Option<i64>) -> ArrayRef {
    let mut column = Int64Builder::new();
    column.append_option(value);
    Arc::new(column.finish())
}

fn text(value: Option<&str>) -> ArrayRef {
    let mut column = StringBuilder::new();
    column.append_option(value);
    Arc::new(column.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_row_of_the_columns() {
        let line = DecisionRow {
            unit: 1,
            request: 2,
            time: DateTime::UNIX_EPOCH,
            method: "GET".into(),
            address: "http://api/jobs".into(),
            status: Some(200),
            rows: 3,
            key: None,
            rule: "poll".into(),
            action: "again",
            wait: Some(Duration::from_secs(1)),
            note: None,
        };
        let rows = line.to_rows().unwrap();
        assert_eq!((rows.num_rows(), rows.num_columns()), (1, 12));
        assert_eq!(rows.column(7).null_count(), 1);
        let rows = line.to_rows_of("poll").unwrap();
        assert_eq!((rows.num_rows(), rows.schema().field(0).name().as_str()), (1, "phase"));
    }
}
