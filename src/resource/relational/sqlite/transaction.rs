//! An open transaction: a connection that is held, begun, and not ended yet.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::authorizer::Purpose;
use super::cursor::SqliteCursor;
use super::error::breaks_connection;
use super::gathered_rows::GatheredRows;
use super::held::{self, HeldConnection};
use super::pool::Pool;
use super::{commit_note, physical, schema, time_limit};
use crate::block::{BlockReader, BlockWriter};
use crate::resource::ResourceError;
use crate::resource::relational::{
    BulkLoad, CursorOptions, DatabaseSchema, Dialect, ParameterRows, PhysicalSchema, QueryEnd, RelationalTransaction,
    RowCursor, SchemaFilter, SqlExecutor, Statement, UpdateEnd,
};
use crate::session::{BranchError, TransactionBranch, TransactionOptions, Xid};

/// A transaction on a connection of its own. All isolations are one here: what it reads is as it was at its first statement,
/// and it can't write when that was changed since.
///
/// It begins to write with its first update. From then on, until its end, others wait in vain to write.
#[derive(Debug)]
pub(super) struct SqliteTransaction {
    held: Arc<HeldConnection>,
    is_read_only: bool,
    xid: Option<Xid>,
    statement_timeout: Option<Duration>,
    /// Why the database ended it by itself, if it did.
    ended: Arc<Mutex<Option<BranchError>>>,
}

impl SqliteTransaction {
    pub(super) async fn begin(pool: &Arc<Pool>, options: TransactionOptions) -> Result<Self, BranchError> {
        let purpose = if options.read_only { Purpose::Read } else { Purpose::Write };
        let held = HeldConnection::take(pool, purpose, "BEGIN", &CancellationToken::new()).await;
        let held = held.map_err(|error| branch_error(&error))?;
        Ok(Self {
            held: Arc::new(held),
            is_read_only: options.read_only,
            xid: options.xid,
            statement_timeout: pool.statement_timeout(),
            ended: Arc::default(),
        })
    }

    /// Passes on what a statement came to; when that was the end of the transaction, it is remembered.
    async fn watched<T>(&self, done: Result<T, ResourceError>) -> Result<T, ResourceError> {
        let Err(error) = done else { return done };
        let is_over = match &error {
            ResourceError::Conflict { .. } => true,
            error if breaks_connection(error) => true,
            // `ON CONFLICT ROLLBACK`, or a trigger that raises it.
            ResourceError::Sql { .. } => self.is_rolled_back().await,
            _ => false,
        };
        if is_over {
            self.ended.lock().get_or_insert_with(|| branch_error(&error));
            // It lets others write; what can't be rolled back is closed.
            let _ = self.held.end("ROLLBACK").await;
        }
        Err(error)
    }

    async fn is_rolled_back(&self) -> bool {
        let asked = self.held.run(|desk| Box::pin(async { Ok(desk.connection.driver().is_autocommit()) }));
        asked.await.unwrap_or(true)
    }

    /// One that the database ended takes no more statements.
    fn check(&self) -> Result<(), ResourceError> {
        match &*self.ended.lock() {
            None => Ok(()),
            Some(BranchError::Refused { message, is_retryable: true }) => {
                Err(ResourceError::Conflict { message: message.clone(), code: "SQLITE_BUSY_SNAPSHOT".into() })
            }
            Some(error) => Err(super::error::sql(format!("the transaction was rolled back: {error}"))),
        }
    }

    async fn run_update(
        &self,
        sql: String,
        rows: ParameterRows,
        wants_rows: bool,
        cancel: CancellationToken,
    ) -> Result<UpdateEnd, ResourceError> {
        self.check()?;
        if self.is_read_only {
            return Err(read_only());
        }
        let rows = GatheredRows::gather(rows, &cancel).await?;
        let running = |cancel| self.held.run(move |desk| Box::pin(held::update(desk, sql, rows, wants_rows, cancel)));
        let done = time_limit::within(self.statement_timeout, &cancel, running).await;
        self.watched(done).await
    }

    /// Runs a statement of ours.
    async fn own(&self, sql: String) -> Result<(), BranchError> {
        if let Some(error) = self.ended() {
            return Err(error);
        }
        let done = self.held.run(move |desk| Box::pin(async move { desk.connection.run_own(&sql) })).await;
        done.map_err(|error| branch_error(&error))
    }
}

#[async_trait]
impl SqlExecutor for SqliteTransaction {
    async fn query(
        &self,
        statement: Statement,
        output: BlockWriter,
        cancel: CancellationToken,
    ) -> Result<QueryEnd, ResourceError> {
        self.check()?;
        let running = |cancel| self.held.run(move |desk| Box::pin(held::query(desk, statement, output, cancel)));
        let done = time_limit::within(self.statement_timeout, &cancel, running).await;
        self.watched(done).await
    }

    async fn update(&self, sql: String, rows: ParameterRows, cancel: CancellationToken) -> Result<u64, ResourceError> {
        Ok(self.run_update(sql, rows, false, cancel).await?.changed)
    }

    async fn update_returning(
        &self,
        sql: String,
        rows: ParameterRows,
        cancel: CancellationToken,
    ) -> Result<UpdateEnd, ResourceError> {
        self.run_update(sql, rows, true, cancel).await
    }

    async fn load(&self, load: BulkLoad, rows: BlockReader, cancel: CancellationToken) -> Result<u64, ResourceError> {
        self.check()?;
        if self.is_read_only {
            return Err(read_only());
        }
        let cancel = cancel.child_token();
        let _stop = cancel.clone().drop_guard();
        let done = self.held.run(move |desk| Box::pin(held::load(desk, load, rows, cancel))).await;
        self.watched(done).await
    }

    async fn open_cursor(
        &self,
        statement: Statement,
        options: CursorOptions,
        cancel: CancellationToken,
    ) -> Result<Box<dyn RowCursor>, ResourceError> {
        self.check()?;
        let cursor = SqliteCursor::open(Arc::clone(&self.held), statement, options, cancel).await?;
        Ok(Box::new(cursor))
    }

    async fn schema(&self, filter: &SchemaFilter) -> Result<DatabaseSchema, ResourceError> {
        self.check()?;
        let filter = filter.clone();
        self.held.run(|desk| Box::pin(async move { schema::read(&desk.connection, &filter) })).await
    }

    async fn physical_schema(&self, filter: &SchemaFilter) -> Result<PhysicalSchema, ResourceError> {
        self.check()?;
        let filter = filter.clone();
        self.held.run(|desk| Box::pin(async move { physical::read(&desk.connection, &filter) })).await
    }
}

#[async_trait]
impl TransactionBranch for SqliteTransaction {
    async fn commit(&self) -> Result<(), BranchError> {
        if let Some(error) = self.ended() {
            return Err(error);
        }
        match self.held.end("COMMIT").await {
            Ok(()) => Ok(()),
            // A lost thread: the commit may have been its last deed.
            Err(error @ ResourceError::Unavailable { .. }) => Err(BranchError::Lost { message: error.to_string() }),
            Err(error) => Err(branch_error(&error)),
        }
    }

    async fn rollback(&self) -> Result<(), BranchError> {
        if self.ended().is_some() {
            return Ok(());
        }
        self.held.end("ROLLBACK").await.map_err(|error| branch_error(&error))
    }

    async fn savepoint(&self, name: &str) -> Result<(), BranchError> {
        self.own(format!("SAVEPOINT {}", Dialect::Sqlite.quoted(name))).await
    }

    async fn rollback_to(&self, name: &str) -> Result<(), BranchError> {
        self.own(format!("ROLLBACK TO {}", Dialect::Sqlite.quoted(name))).await
    }

    async fn release(&self, name: &str) -> Result<(), BranchError> {
        self.own(format!("RELEASE {}", Dialect::Sqlite.quoted(name))).await
    }

    fn ended(&self) -> Option<BranchError> {
        self.ended.lock().clone()
    }

    async fn witness(&self) -> Result<Option<String>, BranchError> {
        let Some(xid) = self.xid else { return Ok(None) };
        let written = self.held.run(move |desk| {
            Box::pin(async move {
                if desk.writer.lock().await.is_none() {
                    return Ok(commit_note::NOTHING_WRITTEN.to_owned());
                }
                commit_note::write(&desk.connection, xid)
            })
        });
        written.await.map(Some).map_err(|error| branch_error(&error))
    }
}

impl RelationalTransaction for SqliteTransaction {}

fn read_only() -> ResourceError {
    ResourceError::ReadOnly { message: "the transaction was begun to read only".to_owned() }
}

/// What an error means for a whole transaction.
pub(super) fn branch_error(error: &ResourceError) -> BranchError {
    match error {
        ResourceError::Unavailable { .. } => BranchError::Lost { message: error.to_string() },
        _ => BranchError::Refused { message: error.to_string(), is_retryable: error.is_retryable() },
    }
}
