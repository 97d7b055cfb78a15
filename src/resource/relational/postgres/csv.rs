//! The rows of a query as CSV that the database writes itself.
//!
//! `COPY … TO STDOUT` gives the same bytes as [`CsvWriter`] does, once truth values and bytes have our form.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use arrow_schema::{DataType, Field, Schema};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use futures_util::{StreamExt, poll};
use tokio_postgres::{Column, CopyOutStream, Error};

use super::connection::Connection;
use super::control::Control;
use super::decode::Kind;
use super::outlet::Outlet;
use super::prepared::{around, kind_of};
use super::query::{refuse_nothing, while_read};
use super::scope::{Scope, Work};
use super::sql::{Sql, Verb};
use super::streaming::Broken;
use crate::block::{BLOCK_BYTES, Block};
use crate::format::{CsvOptions, CsvWriter};
use crate::resource::ResourceError;
use crate::resource::relational::{CsvForm, QueryEnd, Statement};

/// How long rows wait for more before they leave in a block that is not full.
const PATIENCE: Duration = Duration::from_millis(25);

/// Runs a query as CSV; `None` when the database can't write it as we do.
pub(super) async fn run<S: Scope>(
    scope: &S,
    statement: &Statement,
    form: &CsvForm,
    outlet: Outlet<'_>,
    control: &Control,
) -> Result<Option<QueryEnd>, ResourceError> {
    if !statement.parameters.is_empty() || !is_possible(form) {
        return Ok(None);
    }
    let sql = Arc::new(Sql::read(&statement.sql)?);
    refuse_nothing(&sql)?;
    if sql.verb() != Verb::Select || may_change(&sql) {
        return Ok(None);
    }
    let mut work = CsvWork { sql, form, outlet };
    let rows = scope.reading(&mut work, control).await?;
    work.outlet.flush(control).await?;
    Ok(rows.map(|rows| QueryEnd { rows }))
}

/// Whether a `WITH` may hold a statement that writes, which the server takes in no other query. Run by itself it is refused as
/// what it is. Names that sound like it are taken for it.
fn may_change(sql: &Sql) -> bool {
    let text = sql.body().trim_start().to_ascii_lowercase();
    text.starts_with("with") && ["insert", "update", "delete", "merge"].iter().any(|word| text.contains(word))
}

/// Whether `COPY` takes such settings.
fn is_possible(form: &CsvForm) -> bool {
    let is_plain = |character: char| !matches!(character, '"' | '\r' | '\n' | '\0');
    form.delimiter.is_ascii()
        && is_plain(form.delimiter)
        && form.null.chars().all(|character| is_plain(character) && character != form.delimiter)
}

struct CsvWork<'a> {
    sql: Arc<Sql>,
    form: &'a CsvForm,
    outlet: Outlet<'a>,
}

#[async_trait]
impl Work for CsvWork<'_> {
    type Done = Option<u64>;

    async fn run(&mut self, connection: &Connection, control: &Control) -> Result<Option<u64>, Broken> {
        // What is prepared already may be of a table that was made anew since: its rows would say so, but this text does not.
        let statement = control.wait(connection.client().prepare(self.sql.text())).await?;
        let statement = statement.map_err(|error| Broken::Driver(error, 0))?;
        let Some(query) = columns_as_csv(&self.sql, statement.columns()) else { return Ok(None) };
        let copy = format!(
            "COPY ({query}) TO STDOUT (FORMAT csv, DELIMITER {}, NULL {})",
            literal(&self.form.delimiter.to_string()),
            literal(&self.form.null)
        );
        let opening = async {
            control.wait(connection.client().copy_out(&copy)).await?.map_err(|error| Broken::Driver(error, 0))
        };
        let rows = pin!(while_read(&self.outlet, opening).await?);
        let head = head(self.form, statement.columns())?;
        self.send_all(rows, head, control).await.map(Some)
    }

    fn sql(&self) -> Option<&Sql> {
        Some(&self.sql)
    }
}

impl CsvWork<'_> {
    /// Passes the text on in blocks. The server sends each row as a piece.
    async fn send_all(
        &mut self,
        mut pieces: Pin<&mut CopyOutStream>,
        head: String,
        control: &Control,
    ) -> Result<u64, Broken> {
        let mut text = BytesMut::with_capacity(BLOCK_BYTES + BLOCK_BYTES / 8);
        text.extend_from_slice(head.as_bytes());
        let mut rows = 0;
        loop {
            let next = match poll!(pieces.next()) {
                Poll::Ready(next) => Some(next),
                Poll::Pending => next_piece(pieces.as_mut(), !text.is_empty(), &self.outlet, control).await?,
            };
            let is_full = match next {
                Some(Some(Ok(piece))) => {
                    text.extend_from_slice(&piece);
                    rows += 1;
                    text.len() >= BLOCK_BYTES
                }
                Some(Some(Err(error))) => return Err(Broken::Driver(error, rows)),
                Some(None) => break,
                None => true,
            };
            if is_full {
                let full = std::mem::replace(&mut text, BytesMut::with_capacity(BLOCK_BYTES + BLOCK_BYTES / 8));
                self.outlet.send(block(full, rows)?, control).await?;
            }
        }
        if !text.is_empty() {
            self.outlet.send(block(text, rows)?, control).await?;
        }
        Ok(rows)
    }
}

/// Waits for the next piece; `None` when it takes long and others wait for it.
async fn next_piece(
    mut pieces: Pin<&mut CopyOutStream>,
    others_wait: bool,
    outlet: &Outlet<'_>,
    control: &Control,
) -> Result<Option<Option<Result<Bytes, Error>>>, ResourceError> {
    let next = async {
        tokio::select! {
            biased;
            next = pieces.next() => Ok(Some(next)),
            () = outlet.closed() => Err(ResourceError::Cancelled),
            () = tokio::time::sleep(PATIENCE), if others_wait => Ok(None),
        }
    };
    control.wait(next).await?
}

/// The text of some rows, up to the one of that number.
fn block(text: BytesMut, row: u64) -> Result<Block, ResourceError> {
    ByteString::try_from(text.freeze()).map(Block::Text).map_err(|_| ResourceError::Data {
        row,
        column: "?".to_owned(),
        problem: "in this row or one not far before it, the text is not UTF-8: the database does not say in which encoding its \
                  text is"
            .into(),
    })
}

/// A query that gives the columns in the forms that CSV has here; `None` where there is none.
fn columns_as_csv(sql: &Sql, columns: &[Column]) -> Option<String> {
    let kinds: Vec<Option<Kind>> = columns.iter().map(kind_of).collect();
    if kinds.is_empty() || kinds.iter().any(|kind| matches!(kind, Some(Kind::List(_)))) {
        return None;
    }
    Some(around(sql, kinds.len(), |index| match kinds[index] {
        Some(Kind::Boolean) => format!("q.c{}::text", index + 1),
        // The server breaks the lines of base64.
        Some(Kind::Bytes) => {
            format!("pg_catalog.translate(pg_catalog.encode(q.c{}, 'base64'), E'\\n', '')", index + 1)
        }
        Some(_) | None => format!("q.c{}", index + 1),
    }))
}

/// The names of the columns, where they are wanted.
fn head(form: &CsvForm, columns: &[Column]) -> Result<String, Broken> {
    let mut head = String::new();
    if form.header {
        let options =
            CsvOptions { delimiter: form.delimiter, null: form.null.clone(), header: true, ..CsvOptions::default() };
        let fields: Vec<Field> = columns.iter().map(|column| Field::new(column.name(), DataType::Utf8, true)).collect();
        let refused =
            |error: crate::format::FormatError| Broken::Refused(ResourceError::unsupported(error.to_string()));
        CsvWriter::new(options).map_err(refused)?.begin(&Schema::new(fields), &mut head);
    }
    Ok(head)
}

/// A text in quotes, safe in a statement.
pub(super) fn literal(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\'', "''");
    if text.contains('\\') { format!("E'{escaped}'") } else { format!("'{escaped}'") }
}
