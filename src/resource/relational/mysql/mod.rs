//! MariaDB and MySQL.
//!
//! Each user of the database has a pool of connections. A connection either reads, and then its session is one in which the
//! server begins every statement as a read-only transaction, or writes; it changes over when it has to. Statements are prepared
//! and their rows come in the binary protocol, one after the other: what nobody has read yet stays in the server.
//!
//! What a statement may leave behind in a session (variables, locks, temporary tables) is wiped out before the connection goes
//! on to the next (`COM_RESET_CONNECTION`). Statements of which the text shows that they read and write nothing but tables
//! skip that.
//!
//! A statement that is cancelled is stopped in the server, by a connection beside it, and its own connection is closed.

mod address;
mod bind;
mod call;
mod classify;
mod column;
mod connect;
mod cursor;
mod error;
mod held;
mod limit;
mod lines;
mod link;
mod load;
mod pool;
mod query;
mod rows;
mod schema;
mod shape;
mod text;
mod transaction;
mod types;
mod update;
mod words;
mod xa;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mysql_async::prelude::Queryable;
use parking_lot::Mutex;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub use address::MySqlAddress;

use super::access::{AccessSettings, Login, Requester};
use super::{
    BulkLoad, CallEnd, CursorOptions, DatabaseSchema, Dialect, ParameterRows, PhysicalSchema, ProcedureCall, QueryEnd,
    RelationalBranch, RelationalResource, RowCursor, SchemaFilter, SqlExecutor, Statement,
};
use crate::block::{BlockReader, BlockWriter, StreamType, pipe};
use crate::resource::{DataResource, DataResourceFactory, Product, ResourceError, ResourceSettings};
use crate::session::{BranchError, Decision, LogId, TransactionOptions, Xid};
use classify::{Classified, Kind};
use connect::{Connector, KnownProduct};
use cursor::MySqlCursor;
use error::{breaks_connection, refused, resource_error, write_error};
use limit::Limit;
use link::{Link, Mode};
use load::AwaitedBlocks;
use pool::{Lease, Leaves, Pool, cancellable};
use query::Output;
use transaction::{MySqlTransaction, begin_text};
use update::AwaitedRows;

/// How long the server may take for a sign of life.
const HEALTH: Duration = Duration::from_secs(5);

/// Opens `mysql:` or `mariadb:` URIs; see [`MySqlAddress`] for their form.
#[derive(Debug, Clone, Copy)]
pub struct MySqlFactory {
    scheme: &'static str,
}

impl MySqlFactory {
    /// Opens `mysql:` URIs.
    #[must_use]
    pub fn mysql() -> Self {
        Self { scheme: "mysql" }
    }

    /// Opens `mariadb:` URIs, which mean the same.
    #[must_use]
    pub fn mariadb() -> Self {
        Self { scheme: "mariadb" }
    }
}

impl DataResourceFactory for MySqlFactory {
    fn scheme(&self) -> &'static str {
        self.scheme
    }

    fn open(&self, settings: &ResourceSettings) -> Result<Arc<dyn DataResource>, ResourceError> {
        let address = MySqlAddress::parse(&settings.uri)?;
        Ok(Arc::new(MySqlResource::new(address, settings.access.clone())?))
    }
}

/// A database of a MariaDB or MySQL server, as one of its users sees it.
#[derive(Debug)]
pub struct MySqlResource {
    shared: Arc<Shared>,
    /// The connections of the user.
    pool: Arc<Pool>,
    /// Whether statements may take as long as they want.
    is_unlimited: bool,
}

/// What the resources of all users of one database share.
#[derive(Debug)]
struct Shared {
    address: MySqlAddress,
    access: AccessSettings,
    product: KnownProduct,
    pools: Mutex<HashMap<Login, Arc<Pool>>>,
}

impl Shared {
    fn pool(&self, login: &Login) -> Result<Arc<Pool>, ResourceError> {
        let mut pools = self.pools.lock();
        if let Some(pool) = pools.get(login) {
            return Ok(Arc::clone(pool));
        }
        let connector = Connector::new(&self.address, login, &self.access.tls)?;
        let pool = Arc::new(Pool::new(connector, self.access.pool));
        pools.insert(login.clone(), Arc::clone(&pool));
        Ok(pool)
    }
}

impl MySqlResource {
    /// A database by its address. Nothing is opened before it is needed.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Configuration`] for settings that do not go together.
    pub fn new(address: MySqlAddress, access: AccessSettings) -> Result<Self, ResourceError> {
        let login = access.login.clone();
        let shared = Shared { address, access, product: KnownProduct::default(), pools: Mutex::default() };
        let pool = shared.pool(&login)?;
        Ok(Self { shared: Arc::new(shared), pool, is_unlimited: false })
    }

    fn limit<'a>(&self, cancel: &'a CancellationToken) -> Limit<'a> {
        let time = self.shared.access.statement_timeout.filter(|_| !self.is_unlimited);
        Limit { cancel, time, reader: None }
    }

    /// Lends a connection that answers, in that mode and, if it has to be, as if new. One that was closed by its server while
    /// nobody used it is replaced.
    async fn lend(&self, mode: Mode, as_new: bool, cancel: &CancellationToken) -> Result<Lease, ResourceError> {
        loop {
            let mut lease = self.pool.lend(mode, cancel).await?;
            let is_pooled = lease.is_pooled();
            match cancellable(cancel, self.make_ready(lease.begin()?, mode, as_new)).await {
                Ok(()) => {
                    lease.settle(Leaves::Nothing);
                    return Ok(lease);
                }
                Err(error) if is_pooled && breaks_connection(&error) => {
                    lease.settle(Leaves::Ruin);
                    self.pool.drop_idle();
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Asks the server for something on a connection of the pool.
    async fn ask<T>(
        &self,
        question: impl AsyncFnOnce(&mut Link) -> Result<T, ResourceError>,
    ) -> Result<T, ResourceError> {
        let cancel = CancellationToken::new();
        let mut lease = self.lend(Mode::Read, false, &cancel).await?;
        let done = self.limit(&cancel).keep(question(lease.begin()?)).await;
        if let Some(leaves) = left_behind(&done, false) {
            lease.settle(leaves);
        }
        done
    }

    /// As [`MySqlResource::lend`], to write: one that the server has closed meanwhile is known before anything is written.
    async fn lend_to_write(&self, as_new: bool, cancel: &CancellationToken) -> Result<Lease, ResourceError> {
        loop {
            let mut lease = self.lend(Mode::Write, as_new, cancel).await?;
            if !lease.is_pooled() {
                return Ok(lease);
            }
            match cancellable(cancel, async { Ok(lease.begin()?.driver().ping().await) }).await? {
                Ok(()) => {
                    lease.settle(Leaves::Nothing);
                    return Ok(lease);
                }
                Err(_) => {
                    lease.settle(Leaves::Ruin);
                    self.pool.drop_idle();
                }
            }
        }
    }

    async fn make_ready(&self, link: &mut Link, mode: Mode, as_new: bool) -> Result<(), ResourceError> {
        if as_new && link.is_used() {
            link.renew().await.map_err(resource_error)?;
        }
        self.shared.product.learn(link).await.map_err(resource_error)?;
        link.enter(mode).await.map_err(resource_error)
    }
}

/// What a statement that has ended leaves behind in its connection; `None`: it has not ended in the server.
fn left_behind<T>(done: &Result<T, ResourceError>, leaves_traces: bool) -> Option<Leaves> {
    match done {
        Err(ResourceError::Cancelled | ResourceError::TimedOut { .. } | ResourceError::Data { .. }) => None,
        Err(error) if breaks_connection(error) => Some(Leaves::Ruin),
        _ if leaves_traces => Some(Leaves::Traces),
        _ => Some(Leaves::Nothing),
    }
}

#[async_trait]
impl DataResource for MySqlResource {
    fn product(&self) -> Product {
        self.shared.product.get()
    }

    async fn health(&self) -> Result<(), ResourceError> {
        let cancel = CancellationToken::new();
        let asking = async {
            let mut lease = self.lend(Mode::Read, false, &cancel).await?;
            lease.begin()?.driver().ping().await.map_err(resource_error)?;
            lease.settle(Leaves::Nothing);
            Ok(())
        };
        timeout(HEALTH, asking).await.unwrap_or_else(|_| {
            Err(ResourceError::Unavailable { message: format!("MariaDB: no answer within {} s", HEALTH.as_secs()) })
        })
    }

    fn on_behalf_of(&self, requester: &Requester) -> Result<Option<Arc<dyn DataResource>>, ResourceError> {
        let access = &self.shared.access;
        if access.role_map.is_none() {
            return Ok(None);
        }
        let pool = self.shared.pool(access.login_of(requester)?)?;
        Ok(Some(Arc::new(Self { shared: Arc::clone(&self.shared), pool, is_unlimited: false })))
    }

    fn as_relational(&self) -> Option<&dyn RelationalResource> {
        Some(self)
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
                // The server has closed the connection while nobody used it. Nothing was read, so it may be read again.
                Err(error) if is_pooled && !has_sent && breaks_connection(&error) => self.pool.drop_idle(),
                Err(error) => return Err(error),
                Ok(rows) => {
                    output.finish().await;
                    return Ok(QueryEnd { rows });
                }
            }
        }
    }

    async fn update(&self, sql: String, rows: ParameterRows, cancel: CancellationToken) -> Result<u64, ResourceError> {
        let classified = Classified::of(&sql);
        classified.check_update(false)?;
        let rows = AwaitedRows::gather(rows, &cancel).await?;
        let is_transaction = rows.are_many();
        if is_transaction && classified.kind == Kind::Definition {
            return Err(error::sql("a statement that changes the schema or rights runs once, without parameters"));
        }
        let mut lease = self.lend_to_write(classified.leaves_traces, &cancel).await?;
        let limit = self.limit(&cancel);
        let link = lease.begin()?;
        link.touch();
        let done = if is_transaction {
            all_or_none(link, &limit, async |link| update::run(link, &sql, rows, &limit).await).await
        } else {
            update::run(link, &sql, rows, &limit).await
        };
        if let Some(leaves) = left_behind(&done, classified.leaves_traces) {
            lease.settle(leaves);
        }
        done
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
        let link = lease.begin()?;
        link.touch();
        let calling = all_or_none(link, &limit, async |link| limit.keep(call::run(link, &call, &to)).await);
        let done = calling.await;
        if let Some(leaves) = left_behind(&done, true) {
            lease.settle(leaves);
        }
        let end = done?;
        output.finish().await;
        Ok(end)
    }

    async fn load(&self, load: BulkLoad, rows: BlockReader, cancel: CancellationToken) -> Result<u64, ResourceError> {
        let rows = AwaitedBlocks::gather(rows, &cancel).await?;
        let create = load.create.then(|| load::create_text(&load, &rows.schema())).transpose()?;
        let mut lease = self.lend_to_write(true, &cancel).await?;
        let limit = Limit { time: None, ..self.limit(&cancel) };
        let link = lease.begin()?;
        link.touch();
        let done = limit.keep(load_or_drop(link, &load, create, rows)).await;
        if let Some(leaves) = left_behind(&done, true) {
            lease.settle(leaves);
        }
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
            limit.keep(async { link.driver().query_drop("COMMIT").await.map_err(write_error) }).await?;
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
    link.driver().query_drop(end).await.map_err(write_error)?;
    done
}

#[async_trait]
impl RelationalResource for MySqlResource {
    fn dialect(&self) -> Dialect {
        Dialect::MySql
    }

    async fn begin(&self, options: TransactionOptions) -> Result<RelationalBranch, BranchError> {
        let cancel = CancellationToken::new();
        let text = begin_text(&options);
        loop {
            // Whoever needs variables in the transaction finds none of somebody else's.
            let mut lease = self.lend(Mode::Write, true, &cancel).await.map_err(|error| refused(&error))?;
            let is_pooled = lease.is_pooled();
            let link = lease.begin().map_err(|error| refused(&error))?;
            link.touch();
            match link.driver().query_drop(&text).await.map_err(resource_error) {
                Ok(()) => {
                    lease.settle(Leaves::Traces);
                    let transaction = MySqlTransaction::new(lease, options.xid, self.shared.access.statement_timeout);
                    return Ok(RelationalBranch::new(transaction));
                }
                Err(error) if is_pooled && breaks_connection(&error) => {
                    lease.settle(Leaves::Ruin);
                    self.pool.drop_idle();
                }
                Err(error) => {
                    lease.settle(Leaves::Ruin);
                    return Err(refused(&error));
                }
            }
        }
    }

    async fn prepared(&self, log: LogId) -> Result<Vec<Xid>, BranchError> {
        self.ask(async |link| xa::prepared(link, log).await).await.map_err(|error| refused(&error))
    }

    async fn settle(&self, xid: Xid, decision: Decision) -> Result<(), BranchError> {
        let settled = self.ask(async |link| Ok(xa::settle(link, xid, decision).await)).await;
        settled.unwrap_or_else(|error| Err(refused(&error)))
    }
}
