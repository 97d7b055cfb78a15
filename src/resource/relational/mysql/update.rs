//! Running an update on a connection.

use mysql_async::prelude::Queryable;
use mysql_async::{Params, Statement, Value};
use tokio_util::sync::CancellationToken;

use super::batch::Batches;
use super::bind::{check_count, check_size, prepare, values};
use super::error::{NOT_PREPARABLE, server_code, statement_error, write_error};
use super::limit::Limit;
use super::link::Link;
use super::pool::cancellable;
use super::returning::Returning;
use super::words::{Word, Words};
use crate::resource::ResourceError;
use crate::resource::relational::returned::gives_no_rows;
use crate::resource::relational::{Parameter, ParameterRows, UpdateEnd};

/// The rows of parameters of an update, of which the first two are there.
#[derive(Debug)]
pub(super) struct AwaitedRows {
    first: Option<Vec<Parameter>>,
    second: Option<Vec<Parameter>>,
    rest: ParameterRows,
    cancel: CancellationToken,
}

impl AwaitedRows {
    /// Awaits what tells whether the statement runs once or more often. No connection is held meanwhile.
    pub(super) async fn gather(mut rest: ParameterRows, cancel: &CancellationToken) -> Result<Self, ResourceError> {
        let first = next(&mut rest, cancel).await?;
        let second = if first.is_some() { next(&mut rest, cancel).await? } else { None };
        Ok(Self { first, second, rest, cancel: cancel.clone() })
    }

    /// Whether there is more than one.
    pub(super) fn are_many(&self) -> bool {
        self.second.is_some()
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Parameter>>, ResourceError> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        // Without a second, the end was seen.
        let Some(second) = self.second.take() else { return Ok(None) };
        self.second = next(&mut self.rest, &self.cancel).await?;
        Ok(Some(second))
    }
}

async fn next(rows: &mut ParameterRows, cancel: &CancellationToken) -> Result<Option<Vec<Parameter>>, ResourceError> {
    // What broke the stream is reported where it happened.
    cancellable(cancel, async { rows.next().await.map_err(|_| ResourceError::Cancelled) }).await
}

/// Runs an update for every row of parameters; gives the number of rows that it changed, or found as they should become.
/// Whoever calls has it all or none.
pub(super) async fn run(
    link: &mut Link,
    sql: &str,
    rows: AwaitedRows,
    limit: &Limit<'_>,
) -> Result<u64, ResourceError> {
    run_into(link, sql, rows, None, limit).await
}

/// As [`run`], of a statement that gives rows, which are kept.
pub(super) async fn run_returning(
    link: &mut Link,
    sql: &str,
    rows: AwaitedRows,
    limit: &Limit<'_>,
) -> Result<UpdateEnd, ResourceError> {
    let mut returning = Returning::default();
    let changed = run_into(link, sql, rows, Some(&mut returning), limit).await?;
    Ok(UpdateEnd { changed, rows: returning.finish()? })
}

async fn run_into(
    link: &mut Link,
    sql: &str,
    rows: AwaitedRows,
    mut returning: Option<&mut Returning>,
    limit: &Limit<'_>,
) -> Result<u64, ResourceError> {
    check_size(link, sql, &[])?;
    let prepared = match limit.keep(async { Ok(prepare(link, sql).await) }).await? {
        Ok(prepared) => prepared,
        Err(error) if server_code(&error) == Some(NOT_PREPARABLE) => {
            return if returning.is_some() { Err(gives_no_rows()) } else { run_text(link, sql, rows, limit).await };
        }
        Err(error) => return Err(statement_error(error, sql)),
    };
    // What gives rows (`RETURNING`) does not tell how many there were altogether, nor when it is prepared that it will.
    let gives_rows =
        Words::of(sql).any(|word| matches!(word, Word::Name(name) if name.eq_ignore_ascii_case("RETURNING")));
    if returning.is_some() && !gives_rows && prepared.columns().is_empty() {
        return Err(gives_no_rows());
    }
    let is_bulk = link.powers().has_bulk && prepared.num_params() > 0 && !gives_rows;
    let mut batches = Batches::new(rows, is_bulk);
    let mut changed = 0;
    while let Some(batch) = batches.next().await? {
        for row in &batch {
            check_count(&prepared, row.len())?;
            check_size(link, sql, row)?;
        }
        changed += limit.keep(execute_all(link, (&prepared, gives_rows), &batch, returning.as_deref_mut())).await?;
    }
    Ok(changed)
}

/// Runs it for a batch of rows, in one journey to the server where that takes them so.
async fn execute_all(
    link: &mut Link,
    (prepared, gives_rows): (&Statement, bool),
    batch: &[Vec<Parameter>],
    mut returning: Option<&mut Returning>,
) -> Result<u64, ResourceError> {
    if batch.len() > 1 {
        let rows: Vec<Vec<Value>> = batch.iter().map(|row| values(row)).collect();
        match link.driver().exec_batch(prepared, rows).await {
            Ok(()) => return Ok(link.driver().affected_rows()),
            // It takes one row at a time of this kind of statement.
            Err(error) if server_code(&error) == Some(NOT_PREPARABLE) => {}
            Err(error) => return Err(write_error(error)),
        }
    }
    let mut changed = 0;
    for row in batch {
        changed += execute(link, (prepared, gives_rows), row, returning.as_deref_mut()).await?;
    }
    Ok(changed)
}

async fn execute(
    link: &mut Link,
    (prepared, gives_rows): (&Statement, bool),
    row: &[Parameter],
    mut returning: Option<&mut Returning>,
) -> Result<u64, ResourceError> {
    let mut result = link.driver().exec_iter(prepared, Params::Positional(values(row))).await.map_err(write_error)?;
    let mut changed = result.affected_rows();
    if !result.columns_ref().is_empty() {
        changed = 0;
        if let Some(returning) = &mut returning {
            returning.begin(result.columns_ref())?;
        }
        while let Some(row) = result.next().await.map_err(write_error)? {
            // Rows of `RETURNING` are those that it changed.
            changed += u64::from(gives_rows);
            if let Some(returning) = &mut returning {
                returning.push(&row)?;
            }
        }
    }
    result.drop_result().await.map_err(write_error)?;
    Ok(changed)
}

/// Runs a statement that the server does not prepare. It has parsed it as one statement before it said so.
async fn run_text(link: &mut Link, sql: &str, mut rows: AwaitedRows, limit: &Limit<'_>) -> Result<u64, ResourceError> {
    let mut changed = 0;
    while let Some(row) = rows.next().await? {
        if !row.is_empty() {
            return Err(super::error::sql("a statement of this kind takes no parameters"));
        }
        changed += limit
            .keep(async {
                link.driver().query_drop(sql).await.map_err(write_error)?;
                Ok(link.driver().affected_rows())
            })
            .await?;
    }
    Ok(changed)
}
