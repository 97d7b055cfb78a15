//! Loading a stream of rows into a table: `LOAD DATA LOCAL INFILE`, of which the file is the stream.
//!
//! The server asks for a file only in answer to this statement, and is given the rows, whatever it asks for. At any other
//! time a request of the server for a file is refused by the driver, because nobody has given it one. A server that takes no
//! files gets the rows by statements that insert many at a time.

mod blocks;
mod fields;
mod inserts;
mod lines;

use std::sync::Arc;

use arrow_schema::DataType;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use mysql_async::prelude::Queryable;
use mysql_async::{Params, Value};
use parking_lot::Mutex;

pub(super) use blocks::AwaitedBlocks;

use super::error::{resource_error, sql as sql_error, takes_no_files, write_error};
use super::link::Link;
use crate::resource::ResourceError;
use crate::resource::relational::{BulkLoad, Dialect};
use lines::Lines;

/// A column that rows are loaded into.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    /// Its name, in quotes.
    name: String,
    /// What stands before and behind the text of a value, to make the value of it.
    around: Option<(&'static str, &'static str)>,
}

impl Target {
    /// What the value is made of that stands at this place of a statement.
    fn made_of(&self, place: &str) -> String {
        self.around.map_or_else(|| place.to_owned(), |(before, behind)| format!("{before}{place}{behind}"))
    }
}

/// The columns of the table that take digits for something else than the number: `YEAR` and `BIT`.
async fn number_columns(link: &mut Link, load: &BulkLoad) -> Result<Vec<String>, ResourceError> {
    let sql = "SELECT LOWER(COLUMN_NAME) FROM information_schema.COLUMNS \
        WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ? AND DATA_TYPE IN ('year', 'bit')";
    let schema = load.table.schema.as_deref().map_or(Value::NULL, Value::from);
    let place = Params::Positional(vec![schema, load.table.name.as_str().into()]);
    link.driver().exec(sql, place).await.map_err(resource_error)
}

fn target(name: &str, data_type: &DataType, number_columns: &[String]) -> Target {
    let takes_digits = !number_columns.contains(&name.to_lowercase());
    let around = match data_type {
        DataType::Binary => Some(("UNHEX(", ")")),
        _ if takes_digits => None,
        DataType::Boolean | DataType::UInt64 => Some(("CAST(", " AS UNSIGNED)")),
        data_type if data_type.is_integer() => Some(("CAST(", " AS SIGNED)")),
        _ => None,
    };
    Target { name: Dialect::MySql.quoted(name), around }
}

/// The statement that loads rows of these columns. What is made of the text in the file goes through a variable.
fn load_text(load: &BulkLoad, targets: &[Target]) -> String {
    let mut places = Vec::with_capacity(targets.len());
    let mut settings = Vec::new();
    for (index, target) in targets.iter().enumerate() {
        if target.around.is_some() {
            let variable = format!("@rejoin_{index}");
            settings.push(format!("{} = {}", target.name, target.made_of(&variable)));
            places.push(variable);
        } else {
            places.push(target.name.clone());
        }
    }
    let settings = if settings.is_empty() { String::new() } else { format!(" SET {}", settings.join(", ")) };
    format!(
        "LOAD DATA LOCAL INFILE 'rejoin' INTO TABLE {} CHARACTER SET utf8mb4 FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' \
         LINES TERMINATED BY '\\n' ({}){settings}",
        Dialect::MySql.table(&load.table),
        places.join(", ")
    )
}

/// Loads the rows; gives how many there were. Whoever calls has it all or none: a row that does not fit is an error, though the
/// server itself would change it or leave it out.
pub(super) async fn run(link: &mut Link, load: &BulkLoad, rows: AwaitedBlocks) -> Result<u64, ResourceError> {
    let schema = rows.schema();
    if schema.fields().is_empty() {
        return Err(sql_error("the rows have no columns to load"));
    }
    let number_columns = number_columns(link, load).await?;
    let fields = schema.fields().iter();
    let targets: Vec<Target> = fields.map(|field| target(field.name(), field.data_type(), &number_columns)).collect();
    let sent = Arc::new(Sent::new(rows));
    let file = Arc::clone(&sent);
    link.driver().set_infile_handler(async move { Ok(self::file(file)) });
    let done = link.driver().query_drop(load_text(load, &targets)).await;
    let (not_sent, failure) = sent.parts();
    if let Some(error) = failure {
        return Err(error);
    }
    if let Some(rows) = not_sent.filter(|_| done.as_ref().is_err_and(takes_no_files)) {
        return inserts::run(link, load, &targets, rows).await;
    }
    done.map_err(write_error)?;
    let loaded = link.driver().affected_rows();
    let warnings = link.driver().get_warnings();
    let (skipped, warnings) = told(&link.driver().info(), warnings);
    if skipped > 0 || warnings > 0 {
        return Err(does_not_fit(link).await);
    }
    Ok(loaded)
}

/// What the server warns of is an error here.
async fn does_not_fit(link: &mut Link) -> ResourceError {
    let first: Result<Option<(String, u16, String)>, _> = link.driver().query_first("SHOW WARNINGS LIMIT 1").await;
    let problem = match first {
        Ok(first) => first.map_or_else(|| "a row was left out".to_owned(), |(_, _, message)| message),
        Err(error) => return write_error(error),
    };
    ResourceError::Sql {
        message: format!("the rows do not fit the table: {problem}"),
        code: "22000".into(),
        offset: None,
    }
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

/// The rows on their way to the server, and why they came to no good end.
#[derive(Debug)]
struct Sent {
    /// Until the server asks for them.
    rows: Mutex<Option<AwaitedBlocks>>,
    failure: Mutex<Option<ResourceError>>,
}

impl Sent {
    fn new(rows: AwaitedBlocks) -> Self {
        Self { rows: Mutex::new(Some(rows)), failure: Mutex::default() }
    }

    /// The rows, if the server has not asked for them, and what went wrong with them.
    fn parts(&self) -> (Option<AwaitedBlocks>, Option<ResourceError>) {
        (self.rows.lock().take(), self.failure.lock().take())
    }
}

/// The rows as the file that the server reads. A failure ends the file early, in order: the connection stays good, and what
/// was loaded is taken back.
fn file(sent: Arc<Sent>) -> mysql_async::InfileData {
    let rows = sent.rows.lock().take();
    let state = rows.map(|rows| (Lines::of(&rows.schema()), rows, sent));
    stream::unfold(state, |state| async move {
        let (mut lines, mut rows, sent) = state?;
        let written = match rows.next().await {
            Ok(None) => return None,
            Ok(Some(rows)) => lines.write(&rows),
            Err(error) => Err(error),
        };
        match written {
            Ok(bytes) => Some((Ok::<Bytes, std::io::Error>(bytes), Some((lines, rows, sent)))),
            Err(error) => {
                *sent.failure.lock() = Some(error);
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

    #[test]
    fn values_that_are_no_text_are_made_of_it() {
        let made = |data_type| target("a`b", &data_type, &["a`b".to_owned()]).made_of("?");
        assert_eq!(made(DataType::Binary), "UNHEX(?)");
        assert_eq!(made(DataType::Int16), "CAST(? AS SIGNED)");
        assert_eq!(made(DataType::Boolean), "CAST(? AS UNSIGNED)");
        assert_eq!(made(DataType::Utf8), "?");
        let plain = target("a`b", &DataType::Int16, &[]);
        assert_eq!(plain, Target { name: "`a``b`".into(), around: None });
    }
}
