//! `SQLite`, the embedded database.
//!
//! Everything that may block runs on blocking threads. Reading connections are opened query-only and share the machine by
//! the rules of the pool; one connection writes, for one update at a time, in the order of arrival. The database is in
//! write-ahead mode where it can be, so that readers and the writer don't wait for one another.
//!
//! Statements of clients are prepared under an authorizer: a query can't write, nobody attaches another file, changes a
//! setting, or leaves anything behind in a shared connection.

mod address;
mod authorizer;
mod bind;
mod column;
mod commit_note;
mod connection;
mod control;
mod cursor;
mod error;
mod gathered_rows;
mod held;
mod open_queries;
mod physical;
mod pool;
mod query;
mod returning;
mod rows;
mod schema;
mod shape;
mod time_limit;
mod transaction;
mod update;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub use address::{SqliteAddress, SqliteLocation, SqliteMode};
pub use open_queries::OpenQueries;
pub use pool::SqliteSettings;

use super::{
    BulkLoad, CursorOptions, DatabaseSchema, Dialect, ParameterRows, PhysicalSchema, QueryEnd, RelationalBranch,
    RelationalResource, RowCursor, SchemaFilter, SqlExecutor, Statement, UpdateEnd,
};
use crate::block::{Block, BlockReader, BlockWriter, NotSent};
use crate::resource::{DataResource, DataResourceFactory, Product, ResourceError, ResourceSettings};
use crate::session::{BranchError, Decision, TransactionBranch, TransactionOptions};
use authorizer::Purpose;
use connection::{SqliteConnection, Target};
use control::Control;
use cursor::SqliteCursor;
use gathered_rows::GatheredRows;
use held::HeldConnection;
use pool::{Place, Pool, Writer};
use transaction::SqliteTransaction;

/// Opens `sqlite:` URIs; see [`SqliteAddress`] for their form.
#[derive(Debug, Clone, Copy, Default)]
pub struct SqliteFactory;

impl DataResourceFactory for SqliteFactory {
    fn scheme(&self) -> &'static str {
        "sqlite"
    }

    fn open(&self, settings: &ResourceSettings) -> Result<Arc<dyn DataResource>, ResourceError> {
        let address = SqliteAddress::parse(&settings.uri, &settings.directory)?;
        let statement_timeout = settings.access.statement_timeout;
        let settings = SqliteSettings { statement_timeout, ..SqliteSettings::default() };
        Ok(Arc::new(SqliteResource::new(address, &settings)))
    }
}

/// A `SQLite` database.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// use rejoin::block::{Block, StreamType, pipe};
/// use rejoin::resource::relational::sqlite::{SqliteAddress, SqliteResource, SqliteSettings};
/// use rejoin::resource::relational::{Parameter, ParameterRows, SqlExecutor, Statement};
/// use tokio_util::sync::CancellationToken;
///
/// let address = SqliteAddress::parse("sqlite::memory:", ".".as_ref()).unwrap();
/// let database = SqliteResource::new(address, &SqliteSettings::default());
/// let cancel = CancellationToken::new();
/// let create = "CREATE TABLE town (name TEXT)".to_owned();
/// database.update(create, ParameterRows::one([]), cancel.clone()).await.unwrap();
/// let insert = "INSERT INTO town VALUES (?)".to_owned();
/// let row = ParameterRows::one([Parameter::from("Perth")]);
/// assert_eq!(database.update(insert, row, cancel.clone()).await.unwrap(), 1);
///
/// let (writer, mut reader) = pipe(StreamType::Rows);
/// let end = database.query(Statement::new("SELECT name FROM town", []), writer, cancel).await.unwrap();
/// assert_eq!(end.rows, 1);
/// assert!(matches!(reader.next().await, Ok(Some(Block::Rows(rows))) if rows.num_rows() == 1));
/// # });
/// ```
#[derive(Debug)]
pub struct SqliteResource {
    pool: Arc<Pool>,
}

/// Tells the databases in memory of one process apart.
static MEMORY_DATABASES: AtomicU64 = AtomicU64::new(0);

impl SqliteResource {
    /// A database by its address. Nothing is opened before it is needed.
    #[must_use]
    pub fn new(address: SqliteAddress, settings: &SqliteSettings) -> Self {
        let (path, in_memory) = match address.location {
            SqliteLocation::File(path) => (path, false),
            SqliteLocation::Memory => {
                let number = MEMORY_DATABASES.fetch_add(1, Ordering::Relaxed);
                (PathBuf::from(format!("file:/rejoin-{number}?vfs=memdb")), true)
            }
        };
        let target = Target { path, in_memory, mode: address.mode, busy_timeout: settings.busy_timeout };
        Self { pool: Arc::new(Pool::new(target, settings)) }
    }

    /// Runs `work` with a reading connection on a blocking thread.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&SqliteConnection) -> Result<T, ResourceError> + Send + 'static,
    ) -> Result<T, ResourceError> {
        let cancel = CancellationToken::new();
        let _stop = cancel.clone().drop_guard();
        let control = Arc::new(Control::new(cancel.clone(), None));
        self.pool
            .read(&cancel, move |runner| {
                runner.with_connection(|connection, _| {
                    let _guard = connection.under(&control);
                    work(connection)
                })
            })
            .await
    }
}

impl SqliteResource {
    async fn run_update(
        &self,
        sql: String,
        rows: ParameterRows,
        wants_rows: bool,
        cancel: CancellationToken,
    ) -> Result<UpdateEnd, ResourceError> {
        // Nobody is kept from writing while the parameters are on their way, which may come from another update.
        let rows = GatheredRows::gather(rows, &cancel).await?;
        time_limit::within(self.pool.statement_timeout(), &cancel, |cancel| async move {
            let mut writer: Writer = self.pool.writer(&cancel).await?;
            let pool = Arc::clone(&self.pool);
            blocking(move || {
                let connection = pool.open_writer(&mut writer)?;
                let control = Arc::new(Control::new(cancel.clone(), None));
                let result = update::run(&connection, &sql, rows, wants_rows, &control);
                let broken = result.as_ref().err().is_some_and(error::breaks_connection);
                if !broken && connection.driver().is_autocommit() {
                    writer.keep(connection);
                }
                result
            })
            .await
        })
        .await
    }
}

#[async_trait]
impl DataResource for SqliteResource {
    fn product(&self) -> Product {
        Product { name: "SQLite".into(), version: rusqlite::version().into() }
    }

    async fn health(&self) -> Result<(), ResourceError> {
        self.read(|connection| {
            let mut statement = connection.prepare("SELECT count(*) FROM sqlite_schema")?;
            statement.query_row([], |_| Ok(())).map_err(error::resource_error)
        })
        .await
    }

    fn as_relational(&self) -> Option<&dyn RelationalResource> {
        Some(self)
    }
}

#[async_trait]
impl SqlExecutor for SqliteResource {
    async fn query(
        &self,
        statement: Statement,
        output: BlockWriter,
        cancel: CancellationToken,
    ) -> Result<QueryEnd, ResourceError> {
        // Dropping this future stops the statement as well.
        time_limit::within(self.pool.statement_timeout(), &cancel, |cancel| async move {
            let control = Arc::new(Control::new(cancel.clone(), Some(output.watch())));
            let stopped = cancel.clone();
            let open = self.pool.open_query(&cancel).await?;
            self.pool
                .read(&cancel, move |runner| {
                    let rows = runner.with_connection(|connection, place| {
                        query::run(connection, &statement, &control, |connection, block| {
                            send(connection, &output, block, place, &stopped)
                        })
                    })?;
                    if let Err(output) = output.try_finish() {
                        runner.place().leave(&stopped, async {
                            output.finish().await;
                            Ok(())
                        })?;
                    }
                    drop(open);
                    Ok(QueryEnd { rows })
                })
                .await
        })
        .await
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

    async fn open_cursor(
        &self,
        statement: Statement,
        options: CursorOptions,
        cancel: CancellationToken,
    ) -> Result<Box<dyn RowCursor>, ResourceError> {
        let held = HeldConnection::take(&self.pool, Purpose::Read, "", &cancel).await?;
        Ok(Box::new(SqliteCursor::open(Arc::new(held), statement, options, cancel).await?))
    }

    async fn load(&self, load: BulkLoad, rows: BlockReader, cancel: CancellationToken) -> Result<u64, ResourceError> {
        if load.transactionally {
            let transaction = SqliteTransaction::begin(&self.pool, TransactionOptions::default()).await;
            let transaction = transaction.map_err(resource_error_of)?;
            let loaded = transaction.load(load, rows, cancel).await?;
            transaction.commit().await.map_err(resource_error_of)?;
            return Ok(loaded);
        }
        let cancel = cancel.child_token();
        let _stop = cancel.clone().drop_guard();
        let held = HeldConnection::take(&self.pool, Purpose::Write, "", &cancel).await?;
        held.run(move |desk| Box::pin(held::load_in_parts(desk, load, rows, cancel))).await
    }

    async fn schema(&self, filter: &SchemaFilter) -> Result<DatabaseSchema, ResourceError> {
        let filter = filter.clone();
        self.read(move |connection| schema::read(connection, &filter)).await
    }

    async fn physical_schema(&self, filter: &SchemaFilter) -> Result<PhysicalSchema, ResourceError> {
        let filter = filter.clone();
        self.read(move |connection| physical::read(connection, &filter)).await
    }
}

#[async_trait]
impl RelationalResource for SqliteResource {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    async fn begin(&self, options: TransactionOptions) -> Result<RelationalBranch, BranchError> {
        Ok(RelationalBranch::new(SqliteTransaction::begin(&self.pool, options).await?))
    }

    async fn outcome(&self, witness: &str) -> Result<Option<Decision>, BranchError> {
        let witness = witness.to_owned();
        let asked = self.read(move |connection| commit_note::outcome(connection, &witness)).await;
        asked.map(Some).map_err(|error| transaction::branch_error(&error))
    }
}

/// What a transaction that holds one statement met.
fn resource_error_of(error: BranchError) -> ResourceError {
    match error {
        BranchError::Refused { message, is_retryable: true } => ResourceError::Busy { message },
        BranchError::Refused { message, .. } => error::sql(message),
        BranchError::Unavailable { message } => ResourceError::Unavailable { message },
        BranchError::Lost { message } => ResourceError::Lost { message },
    }
}

/// Runs `work` on a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ResourceError> + Send + 'static,
) -> Result<T, ResourceError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(ResourceError::Unavailable { message: format!("SQLite: {error}") }),
    }
}

/// After which time a reader is taken to be one that reads slowly or not at all.
const STALLED: Duration = Duration::from_millis(200);

/// Sends a block from a blocking thread; while the reader keeps it waiting, others may run.
fn send(
    connection: &SqliteConnection,
    output: &BlockWriter,
    block: Block,
    place: &mut Place<'_>,
    cancel: &CancellationToken,
) -> Result<(), ResourceError> {
    match output.try_send(block) {
        Ok(()) => Ok(()),
        Err(NotSent::ReaderGone) => Err(ResourceError::Cancelled),
        Err(NotSent::Full(block)) => place.leave_for(cancel, async {
            let mut sending = std::pin::pin!(output.send(block));
            let sent = if let Ok(sent) = timeout(STALLED, &mut sending).await {
                sent
            } else {
                connection.release_memory();
                sending.await
            };
            sent.map_err(|_| ResourceError::Cancelled)
        }),
    }
}

#[cfg(test)]
mod tests;
