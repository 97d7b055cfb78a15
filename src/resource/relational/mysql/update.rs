//! Running an update on a connection.

use mysql_async::prelude::Queryable;
use mysql_async::{Params, Statement};
use tokio_util::sync::CancellationToken;

use super::bind::{check_count, prepare, values};
use super::error::{NOT_PREPARABLE, server_code, statement_error, write_error};
use super::limit::Limit;
use super::link::Link;
use super::pool::cancellable;
use crate::resource::ResourceError;
use crate::resource::relational::{Parameter, ParameterRows};

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

    async fn next(&mut self) -> Result<Option<Vec<Parameter>>, ResourceError> {
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
    mut rows: AwaitedRows,
    limit: &Limit<'_>,
) -> Result<u64, ResourceError> {
    let prepared = match limit.keep(async { Ok(prepare(link, sql).await) }).await? {
        Ok(prepared) => prepared,
        Err(error) if server_code(&error) == Some(NOT_PREPARABLE) => return run_text(link, sql, rows, limit).await,
        Err(error) => return Err(statement_error(error, sql)),
    };
    let mut changed = 0;
    while let Some(row) = rows.next().await? {
        check_count(&prepared, row.len())?;
        changed += limit.keep(execute(link, &prepared, &row)).await?;
    }
    Ok(changed)
}

async fn execute(link: &mut Link, prepared: &Statement, row: &[Parameter]) -> Result<u64, ResourceError> {
    let result = link.driver().exec_iter(prepared, Params::Positional(values(row))).await.map_err(write_error)?;
    let changed = result.affected_rows();
    // Rows that it gives (`RETURNING`) are not wanted here.
    let has_rows = !result.is_empty();
    result.drop_result().await.map_err(write_error)?;
    Ok(if has_rows { link.driver().affected_rows() } else { changed })
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
