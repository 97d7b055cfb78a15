//! MariaDB and MySQL.
//!
//! Each user of the database has a pool of connections. A connection either reads, and then its session is one in which the
//! server begins every statement as a read-only transaction, or writes; it changes over when it has to. Statements are prepared
//! and their rows come in the binary protocol, one after the other: what nobody has read yet stays in the server.
//!
//! What a statement may leave behind in a session (variables, locks, temporary tables) is wiped out before the connection goes
//! on to the next (`COM_RESET_CONNECTION`). Statements of which the text shows that they read and write nothing but tables
//! skip that; they would not see it anyhow, and what a view or a trigger hides from that look is wiped out before the next
//! statement that could see it.
//!
//! A statement that is cancelled is stopped in the server, by a connection beside it, and its own connection is closed.

mod address;
mod batch;
mod bind;
mod call;
mod classify;
mod column;
mod connect;
mod cursor;
mod error;
mod executor;
mod harmless;
mod held;
mod kept;
mod kill;
mod limit;
mod link;
mod load;
mod pool;
mod query;
mod reading;
mod returning;
mod rows;
mod schema;
mod shape;
mod text;
mod transaction;
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
use super::{Dialect, RelationalBranch, RelationalResource};
use crate::resource::{DataResource, DataResourceFactory, Product, ResourceError, ResourceSettings};
use crate::session::{BranchError, Decision, LogId, TransactionOptions, Xid};
use connect::{Connector, KnownServer};
use error::{breaks_connection, refused, resource_error};
use executor::left_behind;
use limit::Limit;
use link::{Link, Mode};
use pool::{Lease, Leaves, Pool, cancellable};
use transaction::{MySqlTransaction, begin_text};

/// How long the server may take to say that it is well.
const HEALTH: Duration = Duration::from_secs(5);

/// How long it may take for a sign of life on a connection of the pool; then the connection is taken for dead, and another one is
/// opened.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);

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
    server: KnownServer,
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
        let shared = Shared { address, access, server: KnownServer::default(), pools: Mutex::default() };
        let pool = shared.pool(&login)?;
        Ok(Self { shared: Arc::new(shared), pool, is_unlimited: false })
    }

    fn limit<'a>(&self, cancel: &'a CancellationToken) -> Limit<'a> {
        let time = self.shared.access.statement_timeout.filter(|_| !self.is_unlimited);
        Limit { cancel, time, reader: None, stopper: None }
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
        let mut lease = self.lend_alive(Mode::Read, false, &cancel).await?;
        let done = self.limit(&cancel).keep(question(lease.begin()?)).await;
        if let Some(leaves) = left_behind(&done, false) {
            lease.settle(leaves);
        }
        done
    }

    /// As [`MySqlResource::lend`], to write.
    async fn lend_to_write(&self, as_new: bool, cancel: &CancellationToken) -> Result<Lease, ResourceError> {
        self.lend_alive(Mode::Write, as_new, cancel).await
    }

    /// As [`MySqlResource::lend`]: one that the server has closed meanwhile is known before anything runs on it.
    async fn lend_alive(&self, mode: Mode, as_new: bool, cancel: &CancellationToken) -> Result<Lease, ResourceError> {
        loop {
            let mut lease = self.lend(mode, as_new, cancel).await?;
            if !lease.is_pooled() {
                return Ok(lease);
            }
            let sign = timeout(SIGN_OF_LIFE, lease.begin()?.driver().ping());
            if matches!(cancellable(cancel, async { Ok(sign.await) }).await?, Ok(Ok(()))) {
                lease.settle(Leaves::Nothing);
                return Ok(lease);
            }
            lease.settle(Leaves::Ruin);
            self.pool.drop_idle();
        }
    }

    async fn make_ready(&self, link: &mut Link, mode: Mode, as_new: bool) -> Result<(), ResourceError> {
        if as_new && link.is_used() {
            link.renew().await.map_err(resource_error)?;
        }
        self.shared.server.learn(link).await.map_err(resource_error)?;
        link.enter(mode).await.map_err(resource_error)
    }
}

#[async_trait]
impl DataResource for MySqlResource {
    fn product(&self) -> Product {
        self.shared.server.product()
    }

    async fn health(&self) -> Result<(), ResourceError> {
        let cancel = CancellationToken::new();
        let asking = async { self.lend_alive(Mode::Read, false, &cancel).await.map(drop) };
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
