//! The open transaction of a session.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mysql_async::prelude::Queryable;
use tokio_util::sync::CancellationToken;

use super::classify::Classified;
use super::cursor::{self, MySqlCursor};
use super::error::{INTERRUPTED, NO_SAVEPOINT, branch_error, refused, resource_error, server_code, write_error};
use super::held::{Held, end_error};
use super::limit::Limit;
use super::link::Link;
use super::load::AwaitedBlocks;
use super::pool::{Lease, Leaves};
use super::query::Output;
use super::update::AwaitedRows;
use super::{call, load, query, reading, schema, update, xa};
use crate::block::{BlockReader, BlockWriter, StreamType, pipe};
use crate::resource::ResourceError;
use crate::resource::relational::{
    BulkLoad, CallEnd, CursorOptions, DatabaseSchema, Dialect, ParameterRows, PhysicalSchema, ProcedureCall, QueryEnd,
    RelationalTransaction, RowCursor, SchemaFilter, SqlExecutor, Statement, UpdateEnd,
};
use crate::session::{BranchError, Isolation, TransactionBranch, TransactionOptions, Xid};

/// The savepoint of an update that runs for several rows of parameters.
const SAVEPOINT: &str = "`rejoin.statement`";

/// A transaction on a connection of its own.
#[derive(Debug)]
pub(super) struct MySqlTransaction {
    held: Arc<Held>,
    statement_timeout: Option<Duration>,
    xid: Option<Xid>,
    phase: parking_lot::Mutex<Phase>,
}

/// Where a commit in two phases stands.
#[derive(Debug)]
enum Phase {
    Open,
    /// It is prepared, on this connection unless that was lost.
    Prepared(Option<(Lease, Leaves)>),
}

/// The text that begins a transaction: one journey to the server.
pub(super) fn begin_text(options: &TransactionOptions) -> String {
    let isolation = options.isolation.map_or(String::new(), |isolation| {
        let level = match isolation {
            Isolation::ReadUncommitted => "READ UNCOMMITTED",
            Isolation::ReadCommitted => "READ COMMITTED",
            Isolation::RepeatableRead => "REPEATABLE READ",
            Isolation::Serializable => "SERIALIZABLE",
        };
        format!("SET TRANSACTION ISOLATION LEVEL {level}; ")
    });
    let access = if options.read_only { "READ ONLY" } else { "READ WRITE" };
    match &options.xid {
        None => format!("{isolation}START TRANSACTION {access}"),
        Some(xid) => format!("{isolation}SET TRANSACTION {access}; XA START {}", xa::quoted(xid)),
    }
}

impl MySqlTransaction {
    /// The transaction that was begun on that connection.
    pub(super) fn new(lease: Lease, xid: Option<Xid>, statement_timeout: Option<Duration>) -> Self {
        let held = Arc::new(Held::new(lease));
        Self { held, statement_timeout, xid, phase: parking_lot::Mutex::new(Phase::Open) }
    }

    fn limit<'a>(&self, cancel: &'a CancellationToken) -> Limit<'a> {
        Limit { cancel, time: self.statement_timeout, reader: None, stopper: None }
    }

    /// Runs an update for its rows of parameters. Where there are several, or it is wanted, a failure takes back all of them.
    async fn run_update<T>(
        &self,
        sql: &str,
        rows: ParameterRows,
        cancel: CancellationToken,
        is_taken_back: bool,
        update: impl AsyncFnOnce(&mut Link, AwaitedRows, &Limit<'_>) -> Result<T, ResourceError>,
    ) -> Result<T, ResourceError> {
        let classified = Classified::of(sql);
        classified.check_update(sql, true)?;
        let rows = AwaitedRows::gather(rows, &cancel).await?;
        let unlimited = Limit { cancel: &cancel, time: None, reader: None, stopper: None };
        let limit = if rows.are_many() { unlimited } else { self.limit(&cancel) };
        let run = async |link: &mut Link, _: &CancellationToken| {
            // The limit of the whole is watched outside: a statement that is dropped would take its connection with it.
            let never = CancellationToken::new();
            let each = Limit { cancel: &never, time: None, reader: None, stopper: None };
            if rows.are_many() || is_taken_back {
                return as_one(link, async |link| update(link, rows, &each).await).await;
            }
            update(link, rows, &each).await
        };
        self.held.run(&limit, classified.leaves_traces, run).await
    }

    /// Runs a text of ours, which ends nothing.
    async fn tell(&self, text: String) -> Result<(), BranchError> {
        let cancel = CancellationToken::new();
        let told = async |link: &mut Link, _: &_| link.driver().query_drop(text).await.map_err(resource_error);
        self.held
            .run(&Limit { cancel: &cancel, time: None, reader: None, stopper: None }, false, told)
            .await
            .map_err(|error| refused(&error))
    }

    /// Ends the transaction by a text.
    async fn end(&self, text: &str, commits: bool) -> Result<(), BranchError> {
        let (mut lease, leaves) = self.held.end().await.map_err(|error| refused(&error))?;
        let link = lease.begin().map_err(|error| refused(&error))?;
        let done = link.driver().query_drop(text).await;
        match done {
            Ok(()) => {
                lease.settle(leaves);
                Ok(())
            }
            Err(error) => {
                let error = branch_error(error, commits);
                // What a commit that was refused leaves is rolled back with the connection.
                lease.settle(Leaves::Ruin);
                Err(error)
            }
        }
    }

    /// Ends the transaction that is prepared on a connection.
    async fn end_prepared(&self, lease: Option<(Lease, Leaves)>, xid: &Xid, word: &str) -> Result<(), BranchError> {
        let lost = || BranchError::Lost { message: "the connection on which the branch was prepared is lost".into() };
        let (mut lease, leaves) = lease.ok_or_else(lost)?;
        let link = lease.begin().map_err(|_| lost())?;
        let done = link.driver().query_drop(format!("XA {word} {}", xa::quoted(xid))).await;
        lease.settle(if done.is_ok() { leaves } else { Leaves::Ruin });
        // It is prepared: what fails now has not taken it back.
        done.map_err(|error| BranchError::Lost { message: resource_error(error).to_string() })
    }

    /// Where it stands; a connection on which it is prepared is taken out, to end it.
    fn take_phase(&self) -> Phase {
        match &mut *self.phase.lock() {
            Phase::Open => Phase::Open,
            Phase::Prepared(lease) => Phase::Prepared(lease.take()),
        }
    }
}

#[async_trait]
impl TransactionBranch for MySqlTransaction {
    async fn commit(&self) -> Result<(), BranchError> {
        match (&self.xid, self.take_phase()) {
            (Some(xid), Phase::Prepared(lease)) => self.end_prepared(lease, xid, "COMMIT").await,
            (Some(xid), Phase::Open) => {
                let name = xa::quoted(xid);
                self.end(&format!("XA END {name}; XA COMMIT {name} ONE PHASE"), true).await
            }
            (None, _) => self.end("COMMIT", true).await,
        }
    }

    async fn rollback(&self) -> Result<(), BranchError> {
        match (&self.xid, self.take_phase()) {
            (Some(xid), Phase::Prepared(lease)) => self.end_prepared(lease, xid, "ROLLBACK").await,
            (Some(xid), Phase::Open) => {
                let name = xa::quoted(xid);
                self.end(&format!("XA END {name}; XA ROLLBACK {name}"), false).await
            }
            (None, _) => self.end("ROLLBACK", false).await,
        }
    }

    async fn savepoint(&self, name: &str) -> Result<(), BranchError> {
        self.tell(format!("SAVEPOINT {}", Dialect::MySql.quoted(name))).await
    }

    async fn rollback_to(&self, name: &str) -> Result<(), BranchError> {
        self.tell(format!("ROLLBACK TO SAVEPOINT {}", Dialect::MySql.quoted(name))).await
    }

    async fn release(&self, name: &str) -> Result<(), BranchError> {
        self.tell(format!("RELEASE SAVEPOINT {}", Dialect::MySql.quoted(name))).await
    }

    fn ended(&self) -> Option<BranchError> {
        self.held.ended()
    }

    fn can_prepare(&self) -> bool {
        self.xid.is_some()
    }

    async fn prepare(&self) -> Result<(), BranchError> {
        let Some(xid) = &self.xid else {
            return Err(BranchError::Refused { message: "the branch has no name".into(), is_retryable: false });
        };
        let (mut lease, leaves) = self.held.end().await.map_err(|error| refused(&error))?;
        let name = xa::quoted(xid);
        let link = lease.begin().map_err(|error| refused(&error))?;
        match link.driver().query_drop(format!("XA END {name}; XA PREPARE {name}")).await {
            Ok(()) => {
                // Dropped from here on, it is closed: the branch survives that.
                lease.settle(Leaves::Ruin);
                *self.phase.lock() = Phase::Prepared(Some((lease, leaves)));
                Ok(())
            }
            Err(error) => {
                lease.settle(Leaves::Ruin);
                Err(branch_error(error, true))
            }
        }
    }
}

#[async_trait]
impl SqlExecutor for MySqlTransaction {
    async fn query(
        &self,
        statement: Statement,
        output: BlockWriter,
        cancel: CancellationToken,
    ) -> Result<QueryEnd, ResourceError> {
        let classified = Classified::of(&statement.sql);
        classified.check_query()?;
        let limit = Limit { reader: Some(&output), ..self.limit(&cancel) };
        let run = async |link: &mut Link, stop: &CancellationToken| {
            let output = Output { writer: &output, cancel: stop };
            let query = async |link: &mut Link| query::run(link, &statement, &output, &mut false).await;
            if classified.calls_functions { reading::only(link, query).await } else { query(link).await }
        };
        let rows = self.held.run(&limit, classified.leaves_traces, run).await?;
        output.finish().await;
        Ok(QueryEnd { rows })
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
        let limit = Limit { reader: Some(&output), ..self.limit(&cancel) };
        let run = async |link: &mut Link, stop: &CancellationToken| {
            let output = Output { writer: &output, cancel: stop };
            as_one(link, async |link| call::run(link, &call, &output).await).await
        };
        let end = self.held.run(&limit, true, run).await?;
        output.finish().await;
        Ok(end)
    }

    async fn load(&self, load: BulkLoad, rows: BlockReader, cancel: CancellationToken) -> Result<u64, ResourceError> {
        if load.create {
            return Err(super::error::sql(
                "in MariaDB making a table commits the transaction that it runs in: load into a table that is there",
            ));
        }
        let rows = AwaitedBlocks::gather(rows, &cancel).await?;
        let limit = Limit { cancel: &cancel, time: None, reader: None, stopper: None };
        let run = async |link: &mut Link, _: &CancellationToken| {
            as_one(link, async |link| load::run(link, &load, rows).await).await
        };
        self.held.run(&limit, true, run).await
    }

    async fn open_cursor(
        &self,
        statement: Statement,
        options: CursorOptions,
        cancel: CancellationToken,
    ) -> Result<Box<dyn RowCursor>, ResourceError> {
        cursor::check_options(options)?;
        let (writer, reader) = pipe(StreamType::Rows);
        let (end, rows) = tokio::join!(self.query(statement, writer, cancel), cursor::gather(reader));
        // Rows that can't be kept have the query stopped, which is not why there is no cursor.
        let rows = rows?;
        end?;
        Ok(Box::new(MySqlCursor::over(rows).await?))
    }

    async fn schema(&self, filter: &SchemaFilter) -> Result<DatabaseSchema, ResourceError> {
        let cancel = CancellationToken::new();
        self.held.run(&self.limit(&cancel), false, async |link, _| schema::read(link, filter).await).await
    }

    async fn physical_schema(&self, filter: &SchemaFilter) -> Result<PhysicalSchema, ResourceError> {
        let cancel = CancellationToken::new();
        self.held.run(&self.limit(&cancel), false, async |link, _| schema::read_physical(link, filter).await).await
    }
}

/// Runs several statements so that a failure takes back all of them, and nothing of the transaction before them. Where that
/// can't be done, the error is one that ends the transaction.
pub(super) async fn as_one<T>(
    link: &mut Link,
    statements: impl AsyncFnOnce(&mut Link) -> Result<T, ResourceError>,
) -> Result<T, ResourceError> {
    let told = link.driver().query_drop(format!("SAVEPOINT {SAVEPOINT}")).await;
    told.map_err(write_error)?;
    let done = statements(link).await;
    let text = match &done {
        Ok(_) => format!("RELEASE SAVEPOINT {SAVEPOINT}"),
        // All is taken back then.
        Err(ResourceError::Conflict { .. } | ResourceError::Lost { .. } | ResourceError::Unavailable { .. }) => {
            return done;
        }
        Err(_) => format!("ROLLBACK TO SAVEPOINT {SAVEPOINT}; RELEASE SAVEPOINT {SAVEPOINT}"),
    };
    for _ in 0..2 {
        match link.driver().query_drop(&text).await {
            Ok(()) => return done,
            Err(error) if server_code(&error) == Some(NO_SAVEPOINT) => return Err(end_error()),
            // The statement before was stopped, and this one met the error of that.
            Err(error) if server_code(&error) == Some(INTERRUPTED) => {}
            Err(error) => return Err(write_error(error)),
        }
    }
    Err(ResourceError::Lost { message: "what a statement did could not be taken back by itself".into() })
}

impl RelationalTransaction for MySqlTransaction {}
