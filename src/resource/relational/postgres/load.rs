//! Loading many rows: `COPY … FROM STDIN`.

use std::borrow::Cow;
use std::fmt::Write;
use std::pin::pin;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::IntervalMonthDayNanoType;
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, IntervalUnit, Schema};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::SinkExt;

use super::connection::Connection;
use super::control::Control;
use super::scope::{Scope, Work, tell};
use super::streaming::Broken;
use super::text::push_hex;
use crate::block::{Block, BlockReader};
use crate::format::{CsvOptions, CsvWriter};
use crate::resource::ResourceError;
use crate::resource::relational::{BulkLoad, Dialect};

/// Loads rows into a table, all or none; gives their number.
pub(super) async fn run<S: Scope>(
    scope: &S,
    load: &BulkLoad,
    rows: &mut BlockReader,
    control: &Control,
) -> Result<u64, ResourceError> {
    // The rows may come from a query of the same transaction, which has its turn first.
    let Some(first) = next(rows, control).await? else { return Ok(0) };
    scope.writing(LoadWork { load, first, rows }, control).await
}

async fn next(rows: &mut BlockReader, control: &Control) -> Result<Option<RecordBatch>, ResourceError> {
    // What broke the stream is reported where it happened.
    match control.wait(rows.next()).await?.map_err(|_| ResourceError::Cancelled)? {
        Some(Block::Rows(rows)) => Ok(Some(rows)),
        Some(_) => Err(ResourceError::unsupported("only rows can be loaded into a table")),
        None => Ok(None),
    }
}

struct LoadWork<'a> {
    load: &'a BulkLoad,
    first: RecordBatch,
    rows: &'a mut BlockReader,
}

#[async_trait]
impl Work for LoadWork<'_> {
    type Done = u64;

    async fn run(&mut self, connection: &Connection, control: &Control) -> Result<u64, Broken> {
        let schema = self.first.schema();
        if schema.fields().is_empty() {
            return Err(Broken::Refused(ResourceError::unsupported("rows without columns can't be loaded")));
        }
        if self.load.create {
            let create = Dialect::Postgres.create_table(&self.load.table, &schema).map_err(Broken::Refused)?;
            tell(connection, &create, control).await?;
            connection.note_change();
        }
        self.copy(connection, &copy_statement(self.load, &schema), control).await
    }
}

impl LoadWork<'_> {
    async fn copy(&mut self, connection: &Connection, copy: &str, control: &Control) -> Result<u64, Broken> {
        let driver = |error| Broken::Driver(error, 0);
        let mut sink = pin!(control.wait(connection.client().copy_in::<_, Bytes>(copy)).await?.map_err(driver)?);
        let refused = |problem: String| Broken::Refused(ResourceError::unsupported(problem));
        let mut writer = CsvWriter::new(CsvOptions::default()).map_err(|error| refused(error.to_string()))?;
        let mut block = Some(self.first.clone());
        let (mut room, mut before) = (0, 0);
        while let Some(rows) = block {
            refuse_finer_spans(&rows, before).map_err(Broken::Refused)?;
            before += rows.num_rows() as u64;
            let rows = with_readable_bytes(&rows);
            let mut text = String::with_capacity(room);
            // A writer that is left early has the server forget all rows.
            writer.rows(&rows, &mut text).map_err(|error| refused(error.to_string()))?;
            room = text.len() + text.len() / 8;
            control.wait(sink.send(Bytes::from(text))).await?.map_err(driver)?;
            block = next(self.rows, control).await.map_err(Broken::Refused)?;
        }
        control.wait(sink.finish()).await?.map_err(driver)
    }
}

/// The statement for these columns, by their names.
fn copy_statement(load: &BulkLoad, schema: &Schema) -> String {
    let mut copy = format!("COPY {} (", Dialect::Postgres.table(&load.table));
    for (index, field) in schema.fields().iter().enumerate() {
        let _ = write!(copy, "{}{}", if index > 0 { ", " } else { "" }, Dialect::Postgres.quoted(field.name()));
    }
    copy.push_str(") FROM STDIN (FORMAT csv)");
    copy
}

/// Refuses spans of time that are finer than a microsecond, which the database would round; `before` is how many rows there were
/// before these.
fn refuse_finer_spans(rows: &RecordBatch, before: u64) -> Result<(), ResourceError> {
    for (field, array) in rows.schema_ref().fields().iter().zip(rows.columns()) {
        if let Some(row) = finer_span(array) {
            return Err(ResourceError::Data {
                row: before + row as u64 + 1,
                column: field.name().clone(),
                problem: "the interval has a part of a microsecond, which the database would round: round it before"
                    .into(),
            });
        }
    }
    Ok(())
}

/// The first place of an array with such a span, or with a list that has one.
fn finer_span(array: &ArrayRef) -> Option<usize> {
    match array.data_type() {
        DataType::Interval(IntervalUnit::MonthDayNano) => array
            .as_primitive::<IntervalMonthDayNanoType>()
            .iter()
            .position(|span| span.is_some_and(|span| span.nanoseconds % 1000 != 0)),
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let element = finer_span(list.values())?;
            list.value_offsets().iter().rposition(|start| usize::try_from(*start).is_ok_and(|start| start <= element))
        }
        _ => None,
    }
}

/// The rows with bytes in the form that the database reads.
fn with_readable_bytes(rows: &RecordBatch) -> Cow<'_, RecordBatch> {
    let schema = rows.schema_ref();
    if schema.fields().iter().all(|field| *field.data_type() != DataType::Binary) {
        return Cow::Borrowed(rows);
    }
    let mut fields = Vec::with_capacity(rows.num_columns());
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(rows.num_columns());
    for (field, array) in schema.fields().iter().zip(rows.columns()) {
        if *field.data_type() == DataType::Binary {
            fields.push(Field::new(field.name(), DataType::Utf8, true));
            let text = array.as_binary::<i32>().iter().map(|bytes| {
                bytes.map(|bytes| {
                    let mut text = String::with_capacity(2 + 2 * bytes.len());
                    push_hex(&mut text, bytes);
                    text
                })
            });
            arrays.push(Arc::new(text.collect::<StringArray>()));
        } else {
            fields.push(field.as_ref().clone());
            arrays.push(Arc::clone(array));
        }
    }
    match RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays) {
        Ok(rows) => Cow::Owned(rows),
        Err(_) => Cow::Borrowed(rows),
    }
}
