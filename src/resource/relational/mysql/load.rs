//! Loading a stream of rows into a table: `LOAD DATA LOCAL INFILE`, of which the file is the stream.
//!
//! The server asks for a file only in answer to this statement, and is given the rows, whatever it asks for. At any other
//! time a request of the server for a file is refused by the driver, because nobody has given it one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow_schema::{DataType, SchemaRef};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use mysql_async::prelude::Queryable;
use mysql_async::{Params, Value};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::error::{resource_error, sql as sql_error, write_error};
use super::lines::Lines;
use super::link::Link;
use super::pool::cancellable;
use crate::block::{Block, BlockReader};
use crate::resource::ResourceError;
use crate::resource::relational::{BulkLoad, Dialect};

/// The rows to be loaded, of which the first block is there.
#[derive(Debug)]
pub(super) struct AwaitedBlocks {
    first: arrow_array::RecordBatch,
    rest: BlockReader,
    cancel: CancellationToken,
}

impl AwaitedBlocks {
    /// Awaits the first block, which tells the columns. No connection is held meanwhile.
    pub(super) async fn gather(mut rest: BlockReader, cancel: &CancellationToken) -> Result<Self, ResourceError> {
        // What broke the stream is reported where it happened.
        let block = cancellable(cancel, async { rest.next().await.map_err(|_| ResourceError::Cancelled) }).await?;
        match block {
            Some(Block::Rows(first)) => Ok(Self { first, rest, cancel: cancel.clone() }),
            Some(_) | None => Err(sql_error("there are no rows, and no columns to load them into")),
        }
    }

    pub(super) fn schema(&self) -> SchemaRef {
        self.first.schema()
    }
}

/// The statement that makes the table of a load.
pub(super) fn create_text(load: &BulkLoad, schema: &SchemaRef) -> Result<String, ResourceError> {
    let mut columns = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let name = Dialect::MySql.quoted(field.name());
        columns.push(format!("{name} {}", super::types::declared(field.name(), field.data_type())?));
    }
    Ok(format!("CREATE TABLE {} ({})", Dialect::MySql.table(&load.table), columns.join(", ")))
}

/// The columns of the table that take digits for something else than the number: `YEAR` and `BIT`.
async fn number_columns(link: &mut Link, load: &BulkLoad) -> Result<Vec<String>, ResourceError> {
    let sql = "SELECT LOWER(COLUMN_NAME) FROM information_schema.COLUMNS \
        WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ? AND DATA_TYPE IN ('year', 'bit')";
    let schema = load.table.schema.as_deref().map_or(Value::NULL, Value::from);
    let place = Params::Positional(vec![schema, load.table.name.as_str().into()]);
    link.driver().exec(sql, place).await.map_err(resource_error)
}

/// The statement that loads rows of these columns. What is no text in the file goes through a variable.
fn load_text(load: &BulkLoad, schema: &SchemaRef, number_columns: &[String]) -> String {
    let mut targets = Vec::with_capacity(schema.fields().len());
    let mut settings = Vec::new();
    for (index, field) in schema.fields().iter().enumerate() {
        let name = Dialect::MySql.quoted(field.name());
        let variable = format!("@rejoin_{index}");
        let made = match field.data_type() {
            DataType::Binary | DataType::LargeBinary => format!("UNHEX({variable})"),
            data_type if number_columns.contains(&field.name().to_lowercase()) => match data_type {
                DataType::Boolean | DataType::UInt64 => format!("CAST({variable} AS UNSIGNED)"),
                data_type if data_type.is_integer() => format!("CAST({variable} AS SIGNED)"),
                _ => String::new(),
            },
            _ => String::new(),
        };
        if made.is_empty() {
            targets.push(name);
        } else {
            settings.push(format!("{name} = {made}"));
            targets.push(variable);
        }
    }
    let settings = if settings.is_empty() { String::new() } else { format!(" SET {}", settings.join(", ")) };
    format!(
        "LOAD DATA LOCAL INFILE 'rejoin' INTO TABLE {} CHARACTER SET utf8mb4 FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' \
         LINES TERMINATED BY '\\n' ({}){settings}",
        Dialect::MySql.table(&load.table),
        targets.join(", ")
    )
}

/// Loads the rows; gives how many there were. Whoever calls has it all or none: a row that does not fit is an error, though the
/// server itself would change it or leave it out.
pub(super) async fn run(link: &mut Link, load: &BulkLoad, rows: AwaitedBlocks) -> Result<u64, ResourceError> {
    let schema = rows.schema();
    if schema.fields().is_empty() {
        return Err(sql_error("the rows have no columns to load"));
    }
    let sql = load_text(load, &schema, &number_columns(link, load).await?);
    let failure = Arc::new(Failure::default());
    // The driver wants something that threads can share, though only one ever has it.
    let file = Mutex::new(file(rows, Arc::clone(&failure)));
    link.driver().set_infile_handler(async move { Ok(file.into_inner()) });
    let done = link.driver().query_drop(sql).await.map_err(write_error);
    if let Some(error) = failure.take() {
        return Err(error);
    }
    done?;
    let loaded = link.driver().affected_rows();
    let warnings = link.driver().get_warnings();
    let (skipped, warnings) = told(&link.driver().info(), warnings);
    if skipped > 0 || warnings > 0 {
        let first: Option<(String, u16, String)> =
            link.driver().query_first("SHOW WARNINGS LIMIT 1").await.map_err(write_error)?;
        let problem = first.map_or_else(|| "a row was left out".to_owned(), |(_, _, message)| message);
        return Err(ResourceError::Sql {
            message: format!("the rows do not fit the table: {problem}"),
            code: "22000".into(),
            offset: None,
        });
    }
    Ok(loaded)
}

/// How many rows were left out and how many warnings there are, as the server tells at the end:
/// `Records: 3  Deleted: 0  Skipped: 1  Warnings: 1`.
fn told(info: &str, warnings: u16) -> (u64, u64) {
    let number = |name: &str| {
        let rest = info.split_once(name)?.1.trim_start();
        rest.split(' ').next()?.parse::<u64>().ok()
    };
    (number("Skipped:").unwrap_or(0), number("Warnings:").unwrap_or(0).max(u64::from(warnings)))
}

/// Why the rows came to no good end.
#[derive(Debug, Default)]
struct Failure {
    error: Mutex<Option<ResourceError>>,
    has_failed: AtomicBool,
}

impl Failure {
    fn set(&self, error: ResourceError) {
        self.error.lock().get_or_insert(error);
        self.has_failed.store(true, Ordering::Release);
    }

    fn take(&self) -> Option<ResourceError> {
        self.error.lock().take()
    }
}

/// The rows as the file that the server reads. A failure ends the file early, in order: the connection stays good, and what
/// was loaded is taken back.
fn file(rows: AwaitedBlocks, failure: Arc<Failure>) -> mysql_async::InfileData {
    let AwaitedBlocks { first, rest, cancel } = rows;
    let lines = Lines::of(first.schema_ref());
    let state = (Some(first), rest, cancel, failure, lines);
    stream::unfold(state, |(first, mut rest, cancel, failure, mut lines)| async move {
        if failure.has_failed.load(Ordering::Acquire) {
            return None;
        }
        let block = match first {
            Some(first) => Ok(Some(Block::Rows(first))),
            None => cancellable(&cancel, async { rest.next().await.map_err(|_| ResourceError::Cancelled) }).await,
        };
        let written = match block {
            Ok(None) => return None,
            Ok(Some(Block::Rows(rows))) => lines.write(&rows),
            Ok(Some(_)) => Err(sql_error("rows were expected, and something else came")),
            Err(error) => Err(error),
        };
        match written {
            Ok(bytes) => Some((Ok::<Bytes, std::io::Error>(bytes), (None, rest, cancel, failure, lines))),
            Err(error) => {
                failure.set(error);
                None
            }
        }
    })
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_out_is_read_from_the_answer() {
        assert_eq!(told("Records: 3  Deleted: 0  Skipped: 1  Warnings: 2", 2), (1, 2));
        assert_eq!(told("", 0), (0, 0));
    }
}
