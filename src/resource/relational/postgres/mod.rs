//! PostgreSQL, and what speaks its protocol.
//!
//! Each statement gets a connection of the pool of its user, and a transaction of its own: one that only reads for a query,
//! so that the database itself keeps it from writing. Whatever ends a statement early closes its connection, and tells the
//! server to stop.
//!
//! Results come in binary form and are decoded straight into columns; types that have no form here the server writes as text.

mod address;
mod asking;
mod calendar;
mod call;
mod connect;
mod connection;
mod control;
mod cursor;
mod decode;
mod error;
mod lexer;
mod line;
mod load;
mod origin;
mod outlet;
mod own_statement;
mod parameter;
mod physical;
mod pool;
mod prepared;
mod query;
mod reading;
mod returning;
mod schema;
mod scope;
mod sql;
mod streaming;
mod text;
mod tls;
mod transaction;
mod update;

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

pub use address::{PostgresAddress, PostgresHost};

use super::access::{AccessSettings, Login, Requester};
use super::{
    BulkLoad, CallEnd, CursorOptions, DatabaseSchema, Dialect, ParameterRows, PhysicalSchema, ProcedureCall, QueryEnd,
    RelationalBranch, RelationalResource, RowCursor, SchemaFilter, SqlExecutor, Statement, UpdateEnd,
};
use crate::block::{BlockReader, BlockWriter};
use crate::resource::{DataResource, DataResourceFactory, Product, ResourceError, ResourceSettings};
use crate::session::{BranchError, Decision, LogId, TransactionOptions, Xid};
use connect::{Known, Opener};
use control::Control;
use outlet::Outlet;
use pool::Pool;
use transaction::two_phase;

/// Opens `postgres:` URIs, or `postgresql:` ones; see [`PostgresAddress`] for their form.
#[derive(Debug, Clone, Copy)]
pub struct PostgresFactory {
    scheme: &'static str,
}

impl PostgresFactory {
    /// For `postgres:`.
    pub const POSTGRES: Self = Self { scheme: "postgres" };
    /// For `postgresql:`, which is the same.
    pub const POSTGRESQL: Self = Self { scheme: "postgresql" };
}

impl DataResourceFactory for PostgresFactory {
    fn scheme(&self) -> &'static str {
        self.scheme
    }

    fn open(&self, settings: &ResourceSettings) -> Result<Arc<dyn DataResource>, ResourceError> {
        let address = PostgresAddress::parse(&settings.uri)?;
        Ok(Arc::new(PostgresResource::new(address, settings.access.clone())?))
    }
}

/// A PostgreSQL database, as one of its users.
#[derive(Debug)]
pub struct PostgresResource {
    pool: Pool,
    access: AccessSettings,
    address: PostgresAddress,
    known: Arc<Known>,
    /// The same database as the users of the role map.
    others: Mutex<HashMap<Login, Arc<Self>>>,
}

impl PostgresResource {
    /// A database by its address, as the user of the settings. Nothing is opened before it is needed.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Configuration`] for a pool that can't be.
    pub fn new(address: PostgresAddress, access: AccessSettings) -> Result<Self, ResourceError> {
        Self::knowing(address, access, Arc::default())
    }

    fn knowing(address: PostgresAddress, access: AccessSettings, known: Arc<Known>) -> Result<Self, ResourceError> {
        let opener = Opener::new(
            address.clone(),
            access.login.clone(),
            access.tls.clone(),
            access.statement_timeout,
            Arc::clone(&known),
        );
        Ok(Self { pool: Pool::new(opener, access.pool)?, access, address, known, others: Mutex::default() })
    }

    /// What may end a statement that begins now.
    fn control(&self, cancel: CancellationToken) -> Control {
        Control::new(cancel, self.access.statement_timeout)
    }

    fn as_user(&self, login: &Login) -> Result<Arc<Self>, ResourceError> {
        let mut others = self.others.lock();
        if let Some(known) = others.get(login) {
            return Ok(Arc::clone(known));
        }
        let access = AccessSettings { login: login.clone(), role_map: None, ..self.access.clone() };
        let other = Arc::new(Self::knowing(self.address.clone(), access, Arc::clone(&self.known))?);
        others.insert(login.clone(), Arc::clone(&other));
        Ok(other)
    }
}

#[async_trait]
impl DataResource for PostgresResource {
    /// The version is empty until the first connection was opened.
    fn product(&self) -> Product {
        Product { name: "PostgreSQL".into(), version: self.known.version.get().cloned().unwrap_or_default().into() }
    }

    async fn health(&self) -> Result<(), ResourceError> {
        match self.pool.lend(&CancellationToken::new()).await {
            Ok(lease) if lease.client().check_connection().await.is_ok() => {
                lease.give_back();
                Ok(())
            }
            // It may be from before a restart, and that all are at work is no illness of the database.
            Ok(_) | Err(ResourceError::Busy { .. }) => self.pool.open_apart().await.map(drop),
            Err(error) => Err(error),
        }
    }

    fn on_behalf_of(&self, requester: &Requester) -> Result<Option<Arc<dyn DataResource>>, ResourceError> {
        let login = self.access.login_of(requester)?;
        if *login == self.access.login {
            return Ok(None);
        }
        Ok(Some(self.as_user(login)?))
    }

    fn as_relational(&self) -> Option<&dyn RelationalResource> {
        Some(self)
    }
}

#[async_trait]
impl SqlExecutor for PostgresResource {
    async fn query(
        &self,
        statement: Statement,
        output: BlockWriter,
        cancel: CancellationToken,
    ) -> Result<QueryEnd, ResourceError> {
        query::run(self, &statement, output, &self.control(cancel)).await
    }

    async fn update(&self, sql: String, rows: ParameterRows, cancel: CancellationToken) -> Result<u64, ResourceError> {
        update::run(self, &sql, rows, &self.control(cancel)).await
    }

    async fn update_returning(
        &self,
        sql: String,
        rows: ParameterRows,
        cancel: CancellationToken,
    ) -> Result<UpdateEnd, ResourceError> {
        returning::run(self, &sql, rows, &self.control(cancel)).await
    }

    async fn call(
        &self,
        call: ProcedureCall,
        output: BlockWriter,
        cancel: CancellationToken,
    ) -> Result<CallEnd, ResourceError> {
        let end = call::run(self, &call, Outlet::alone(&output), &self.control(cancel)).await?;
        output.finish().await;
        Ok(end)
    }

    async fn load(
        &self,
        load: BulkLoad,
        mut rows: BlockReader,
        cancel: CancellationToken,
    ) -> Result<u64, ResourceError> {
        load::run(self, &load, &mut rows, &self.control(cancel)).await
    }

    async fn open_cursor(
        &self,
        statement: Statement,
        options: CursorOptions,
        cancel: CancellationToken,
    ) -> Result<Box<dyn RowCursor>, ResourceError> {
        cursor::open(self, &statement, options, &self.control(cancel)).await
    }

    async fn schema(&self, filter: &SchemaFilter) -> Result<DatabaseSchema, ResourceError> {
        schema::read(self, filter, &self.control(CancellationToken::new())).await
    }

    async fn physical_schema(&self, filter: &SchemaFilter) -> Result<PhysicalSchema, ResourceError> {
        physical::read(self, filter, &self.control(CancellationToken::new())).await
    }
}

#[async_trait]
impl RelationalResource for PostgresResource {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    async fn begin(&self, options: TransactionOptions) -> Result<RelationalBranch, BranchError> {
        Ok(RelationalBranch::new(transaction::begin(self, &options).await?))
    }

    async fn prepared(&self, log: LogId) -> Result<Vec<Xid>, BranchError> {
        two_phase::prepared(self, log).await
    }

    async fn settle(&self, xid: Xid, decision: Decision) -> Result<(), BranchError> {
        two_phase::settle(self, xid, decision).await
    }

    async fn outcome(&self, witness: &str) -> Result<Option<Decision>, BranchError> {
        two_phase::outcome(self, witness).await
    }
}
