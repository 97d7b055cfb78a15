//! Statements on connections of the pool.

use std::sync::Arc;

use async_trait::async_trait;
use mysql_async::prelude::Queryable;
use tokio_util::sync::CancellationToken;

use super::MySqlResource;
use super::classify::{Classified, Kind};
use super::cursor::{self, MySqlCursor};
use super::error::{self, breaks_connection, commit_error, resource_error, write_error};
use super::kill::PART;
use super::limit::{Limit, Stopper};
use super::link::{Link, Mode};
use super::load::{self, AwaitedBlocks};
use super::pool::{Lease, Leaves};
use super::query::{self, Output};
use super::update::{self, AwaitedRows};
use super::{call, schema};
use crate::block::{BlockReader, BlockWriter, StreamType, pipe};
use crate::resource::ResourceError;
use crate::resource::relational::{
    BulkLoad, CallEnd, CursorOptions, DatabaseSchema, Dialect, ParameterRows, PhysicalSchema, ProcedureCall, QueryEnd,
    RowCursor, SchemaFilter, SqlExecutor, Statement, UpdateEnd,
};

/// What a statement that has ended leaves behind in its connection; `None`: it has not ended in the server.
pub(super) fn left_behind<T>(done: &Result<T, ResourceError>, leaves_traces: bool) -> Option<Leaves> {
    match done {
        Err(ResourceError::Cancelled | ResourceError::TimedOut { .. } | ResourceError::Data { .. }) => None,
        Err(error) if breaks_connection(error) => Some(Leaves::Ruin),
        _ if leaves_traces => Some(Leaves::Traces),
        _ => Some(Leaves::Nothing),
    }
}

/// Gives back the connection of a statement that may have written. One that has not ended is stopped before anybody hears that
/// it was.
async fn end(mut lease: Lease, leaves: Option<Leaves>, was_stopped: bool) -> Result<(), ResourceError> {
    match leaves {
        // It did not answer: dropping the lease has it stopped with its connection.
        Some(Leaves::Ruin) if was_stopped => Ok(()),
        // It has answered, but what stopped it may still be on its way to the next statement.
        _ if was_stopped => {
            lease.settle(Leaves::Ruin);
            Ok(())
        }
        Some(leaves) => {
            lease.settle(leaves);
            Ok(())
        }
        None => lease.stop().await,
    }
}

impl MySqlResource {
    /// Runs an update for its rows of parameters, in a transaction of its own where there are several or one is wanted.
    async fn run_update<T>(
        &self,
        sql: &str,
        rows: ParameterRows,
        cancel: CancellationToken,
        wants_transaction: bool,
        update: impl AsyncFnOnce(&mut Link, AwaitedRows, &Limit<'_>) -> Result<T, ResourceError>,
    ) -> Result<T, ResourceError> {
        let classified = Classified::of(sql);
        classified.check_update(sql, false)?;
        let rows = AwaitedRows::gather(rows, &cancel).await?;
        if rows.are_many() && classified.kind == Kind::Definition {
            return Err(error::sql("a statement that changes the schema or rights runs once, without parameters"));
        }
        let mut lease = self.lend_to_write(classified.leaves_traces, &cancel).await?;
        let stopper = Stopper::new(&self.pool, lease.id()?);
        let limit = Limit { stopper: Some(&stopper), ..self.limit(&cancel) };
        let link = lease.begin()?;
        link.touch();
        let done = if rows.are_many() || wants_transaction {
            all_or_none(link, &limit, async |link| update(link, rows, &limit).await).await
        } else {
            update(link, rows, &limit).await
        };
        end(lease, left_behind(&done, classified.leaves_traces), stopper.was_used()).await?;
        done
    }
}

#[async_trait]
impl SqlExecutor for MySqlResource {
    async fn query(
        &self,
        statement: Statement,
        output: BlockWriter,
        cancel: CancellationToken,
    ) -> Result<QueryEnd, ResourceError> {
        let classified = Classified::of(&statement.sql);
        classified.check_query()?;
        let limit = Limit { reader: Some(&output), ..self.limit(&cancel) };
        let mut may_repeat = true;
        loop {
            let mut lease = self.lend(Mode::Read, classified.leaves_traces, &cancel).await?;
            let is_pooled = lease.is_pooled();
            let mut has_sent = false;
            let to = Output { writer: &output, cancel: &cancel };
            let link = lease.begin()?;
            link.touch();
            let running = query::run(link, &statement, &to, &mut has_sent);
            let done = limit.keep(running).await;
            if let Some(leaves) = left_behind(&done, classified.leaves_traces) {
                lease.settle(leaves);
            }
            drop(lease);
            match done {
                // The server has closed the connection while nobody used it. Nothing was read, so it may be read again; once,
                // because who ends a connection may mean the query.
                Err(error) if may_repeat && is_pooled && !has_sent && breaks_connection(&error) => {
                    may_repeat = false;
                    self.pool.drop_idle();
                }
                Err(error) => return Err(error),
                Ok(rows) => {
                    output.finish().await;
                    return Ok(QueryEnd { rows });
                }
            }
        }
    }

    async fn update(&self, sql: String, rows: ParameterRows, cancel: CancellationToken) -> Result<u64, ResourceError> {
        let update = async |link: &mut Link, rows, limit: &Limit<'_>| update::run(link, &sql, rows, limit).await;
        self.run_update(&sql, rows, cancel, false, update).await
    }

    async fn update_returning(
        &self,
        sql: String,
        rows: ParameterRows,
        cancel: CancellationToken,
    ) -> Result<UpdateEnd, ResourceError> {
        let update =
            async |link: &mut Link, rows, limit: &Limit<'_>| update::run_returning(link, &sql, rows, limit).await;
        // Where its rows are too many, it is taken back.
        self.run_update(&sql, rows, cancel, true, update).await
    }

    async fn call(
        &self,
        call: ProcedureCall,
        output: BlockWriter,
        cancel: CancellationToken,
    ) -> Result<CallEnd, ResourceError> {
        let mut lease = self.lend_to_write(true, &cancel).await?;
        let limit = Limit { reader: Some(&output), ..self.limit(&cancel) };
        let to = Output { writer: &output, cancel: &cancel };
        let stopper = Stopper::new(&self.pool, lease.id()?);
        let around = Limit { stopper: Some(&stopper), ..self.limit(&cancel) };
        let link = lease.begin()?;
        link.touch();
        let calling = all_or_none(link, &around, async |link| limit.keep(call::run(link, &call, &to)).await);
        let done = calling.await;
        end(lease, left_behind(&done, true), stopper.was_used()).await?;
        let called = done?;
        output.finish().await;
        Ok(called)
    }

    async fn load(&self, load: BulkLoad, rows: BlockReader, cancel: CancellationToken) -> Result<u64, ResourceError> {
        let rows = AwaitedBlocks::gather(rows, &cancel).await?;
        let create = load.create.then(|| Dialect::MySql.create_table(&load.table, &rows.schema())).transpose()?;
        let mut lease = self.lend_to_write(true, &cancel).await?;
        let link = lease.begin()?;
        link.touch();
        // The rows end when it is cancelled, and it takes back what it did. Only who can't has to be stopped.
        let done = tokio::select! {
            biased;
            done = load_or_drop(link, &load, create, rows) => done,
            () = async { cancel.cancelled().await; tokio::time::sleep(PART).await } => Err(ResourceError::Cancelled),
        };
        end(lease, left_behind(&done, true), false).await?;
        done
    }

    async fn open_cursor(
        &self,
        statement: Statement,
        options: CursorOptions,
        cancel: CancellationToken,
    ) -> Result<Box<dyn RowCursor>, ResourceError> {
        cursor::check_options(options)?;
        let (writer, reader) = pipe(StreamType::Rows);
        let stop = CancellationToken::new();
        // The query goes on between fetches, for as long as the cursor lives.
        let unlimited = Self { shared: Arc::clone(&self.shared), pool: Arc::clone(&self.pool), is_unlimited: true };
        let stopped = stop.clone();
        let query = tokio::spawn(async move { unlimited.query(statement, writer, stopped).await });
        let opened = MySqlCursor::open(reader, query, stop.drop_guard(), &self.limit(&cancel)).await?;
        Ok(Box::new(opened))
    }

    async fn schema(&self, filter: &SchemaFilter) -> Result<DatabaseSchema, ResourceError> {
        self.ask(async |link| schema::read(link, filter).await).await
    }

    async fn physical_schema(&self, filter: &SchemaFilter) -> Result<PhysicalSchema, ResourceError> {
        self.ask(async |link| schema::read_physical(link, filter).await).await
    }
}

/// Runs statements in a transaction of their own.
async fn all_or_none<T>(
    link: &mut Link,
    limit: &Limit<'_>,
    statements: impl AsyncFnOnce(&mut Link) -> Result<T, ResourceError>,
) -> Result<T, ResourceError> {
    limit.keep(async { link.driver().query_drop("START TRANSACTION").await.map_err(resource_error) }).await?;
    let done = statements(link).await;
    match &done {
        Ok(_) => {
            limit.keep(async { link.driver().query_drop("COMMIT").await.map_err(commit_error) }).await?;
        }
        // The connection is closed, which takes it all back.
        Err(error) if left_behind::<()>(&Err(error.clone()), false).is_none_or(|left| left == Leaves::Ruin) => {}
        Err(_) => {
            limit.keep(async { link.driver().query_drop("ROLLBACK").await.map_err(resource_error) }).await?;
        }
    }
    done
}

/// Makes the table, if it is to be made, and loads the rows. A table that could not be loaded is dropped again: making it can't
/// be part of a transaction.
async fn load_or_drop(
    link: &mut Link,
    load: &BulkLoad,
    create: Option<String>,
    rows: AwaitedBlocks,
) -> Result<u64, ResourceError> {
    let has_created = create.is_some();
    if let Some(create) = create {
        link.driver().query_drop(create).await.map_err(write_error)?;
    }
    link.driver().query_drop("START TRANSACTION").await.map_err(resource_error)?;
    let done = load::run(link, load, rows).await;
    let end = match &done {
        Err(error) if breaks_connection(error) => return done,
        Ok(_) => "COMMIT".to_owned(),
        Err(_) if has_created => format!("ROLLBACK; DROP TABLE {}", Dialect::MySql.table(&load.table)),
        Err(_) => "ROLLBACK".to_owned(),
    };
    link.driver().query_drop(end).await.map_err(commit_error)?;
    done
}
