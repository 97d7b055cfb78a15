//! Relational databases.
//!
//! A [`RelationalResource`] is a database. Statements run on an [`SqlExecutor`]: the database itself, which takes a connection
//! of its pool for each, or a [`RelationalBranch`], the open transaction of a session on a connection of its own. Activities
//! need not know which of the two it is.
//!
//! | room | holds |
//! |---|---|
//! | `access` | who connects and how: log-ins, role maps, pools, TLS, as configured |
//! | `sqlite`, `postgres`, `mysql` | the databases, each with its driver |
//! | the files here | what all of them share |

pub mod access;
mod branch;
mod call;
mod cursor;
mod ddl;
mod dialect;
mod load;
pub mod mysql;
mod parameter_rows;
mod physical;
mod pieces;
pub mod postgres;
mod recovery;
mod returned;
mod schema;
pub mod sqlite;
mod statement;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

pub use crate::document::activities::FetchFrom;
pub use branch::{RelationalBranch, RelationalTransaction};
pub use call::{Argument, CallEnd, OutParameter, ProcedureCall};
pub use cursor::{CursorOptions, Fetch, FetchEnd, RowCursor};
pub use ddl::{ColumnDefinition, TableDefinition};
pub use dialect::{Dialect, TableName};
pub use load::BulkLoad;
pub use parameter_rows::{PARAMETER_ROWS, ParameterRows, ParameterSender};
pub use physical::{ForeignKey, PhysicalIndex, PhysicalSchema, PhysicalTable};
pub use recovery::recoverable;
pub use returned::UpdateEnd;
pub use schema::{Column, DatabaseSchema, SchemaFilter, Table, TableKind};
pub use statement::{Parameter, Statement};

use super::ResourceError;
use crate::block::{BlockReader, BlockWriter};
use crate::session::{BranchError, Decision, LogId, TransactionOptions, Xid};

/// What a query that ran to its end has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryEnd {
    /// How many rows it gave.
    pub rows: u64,
}

/// Runs statements of SQL: a database by its pool of connections, or an open transaction on its one connection.
///
/// Every method may be called from any number of tasks at the same time; who finds no connection free waits in the order of
/// arrival. All of them can be cancelled, by the token or by dropping the future, and both stop the database as well.
///
/// In a transaction, a statement that fails takes back what it did itself and nothing else, in every database.
#[async_trait]
pub trait SqlExecutor: Send + Sync {
    /// Runs one statement that only reads, and sends its rows as blocks into `output`.
    ///
    /// The stream always holds at least one block, so that a reader knows the columns of an empty result; it is finished
    /// when this returns without error, and broken otherwise. Rows leave in blocks of at most
    /// [`BLOCK_ROWS`](crate::block::BLOCK_ROWS) rows and about [`ROWS_BYTES`](crate::block::ROWS_BYTES) bytes, the first
    /// ones early.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Sql`] for a wrong statement, [`ResourceError::ReadOnly`] for one that would write,
    /// [`ResourceError::Data`] for a value that can't be carried, [`ResourceError::Cancelled`] when the token is cancelled
    /// or the reader of `output` has gone.
    async fn query(
        &self,
        statement: Statement,
        output: BlockWriter,
        cancel: CancellationToken,
    ) -> Result<QueryEnd, ResourceError>;

    /// Runs one statement that writes, once for every row of parameters, all or none, and gives how many rows of the
    /// database it changed altogether.
    ///
    /// # Errors
    ///
    /// As [`SqlExecutor::query`]; whatever the error, nothing has changed, but for [`ResourceError::Lost`].
    async fn update(&self, sql: String, rows: ParameterRows, cancel: CancellationToken) -> Result<u64, ResourceError>;

    /// As [`SqlExecutor::update`], with the rows that the statement gives (`RETURNING`). They hold when this returns, and are kept
    /// in memory until then.
    ///
    /// # Errors
    ///
    /// As [`SqlExecutor::update`]; [`ResourceError::Sql`] also for a statement that gives no rows, and for rows of more than
    /// 64 MiB.
    async fn update_returning(
        &self,
        sql: String,
        rows: ParameterRows,
        cancel: CancellationToken,
    ) -> Result<UpdateEnd, ResourceError> {
        let _ = (sql, rows, cancel);
        Err(ResourceError::unsupported("updates of this database give no rows"))
    }

    /// Calls a stored procedure or function. Rows that it gives go into `output`, which is finished like that of a query; one
    /// that gives none sends a block without columns.
    ///
    /// # Errors
    ///
    /// As [`SqlExecutor::update`]; [`ResourceError::Unsupported`] where the database has no procedures.
    async fn call(
        &self,
        call: ProcedureCall,
        output: BlockWriter,
        cancel: CancellationToken,
    ) -> Result<CallEnd, ResourceError> {
        let _ = (call, output, cancel);
        Err(ResourceError::unsupported("this database has no stored procedures"))
    }

    /// Loads a stream of rows into a table, by the fastest way that the database has; gives how many were loaded.
    ///
    /// # Errors
    ///
    /// As [`SqlExecutor::update`]. Unless [`BulkLoad::transactionally`] is set, rows before the one that failed may stay.
    async fn load(&self, load: BulkLoad, rows: BlockReader, cancel: CancellationToken) -> Result<u64, ResourceError> {
        let _ = (load, rows, cancel);
        Err(ResourceError::unsupported("this database has no bulk load"))
    }

    /// Opens a cursor: a query whose rows are fetched as they are wanted. It holds a connection until it is closed or
    /// dropped.
    ///
    /// # Errors
    ///
    /// As [`SqlExecutor::query`]; [`ResourceError::Unsupported`] for a cursor of a kind that the database does not have.
    async fn open_cursor(
        &self,
        statement: Statement,
        options: CursorOptions,
        cancel: CancellationToken,
    ) -> Result<Box<dyn RowCursor>, ResourceError> {
        let _ = (statement, options, cancel);
        Err(ResourceError::unsupported("this database has no cursors"))
    }

    /// The tables and views that a filter takes in, with their columns.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Unavailable`] when the database does not answer.
    async fn schema(&self, filter: &SchemaFilter) -> Result<DatabaseSchema, ResourceError>;

    /// Sizes, numbers of rows and indexes of tables.
    ///
    /// # Errors
    ///
    /// As [`SqlExecutor::schema`].
    async fn physical_schema(&self, filter: &SchemaFilter) -> Result<PhysicalSchema, ResourceError> {
        let _ = filter;
        Err(ResourceError::unsupported("this database does not say how large its tables are"))
    }
}

/// A database that speaks SQL.
#[async_trait]
pub trait RelationalResource: SqlExecutor {
    /// How it writes names and types.
    fn dialect(&self) -> Dialect;

    /// Begins a transaction on a connection of its own.
    ///
    /// # Errors
    ///
    /// [`BranchError::Refused`], for an isolation that the database does not have, say.
    async fn begin(&self, options: TransactionOptions) -> Result<RelationalBranch, BranchError> {
        let _ = options;
        Err(BranchError::Refused {
            message: "this database has no transactions that span requests".into(),
            is_retryable: false,
        })
    }

    /// The branches of a log's transactions that are prepared in this database and have not ended: of all users that the
    /// resource connects as, but of this database alone where the server keeps several.
    ///
    /// # Errors
    ///
    /// [`BranchError`] when the database does not answer.
    async fn prepared(&self, log: LogId) -> Result<Vec<Xid>, BranchError> {
        let _ = log;
        Ok(Vec::new())
    }

    /// Ends a prepared branch by its name, on any connection that may, as the user who prepared it where that matters. One
    /// that is not there has ended before: that is no error.
    ///
    /// # Errors
    ///
    /// [`BranchError`] when it is still there, or nobody knows; the caller asks again later.
    async fn settle(&self, xid: Xid, decision: Decision) -> Result<(), BranchError> {
        let _ = (xid, decision);
        Ok(())
    }

    /// What became of a transaction that can't be prepared, by the witness that it gave before its commit
    /// ([`TransactionBranch::witness`](crate::session::TransactionBranch::witness)); `None` when that can't be told.
    ///
    /// # Errors
    ///
    /// [`BranchError`] when the database does not answer.
    async fn outcome(&self, witness: &str) -> Result<Option<Decision>, BranchError> {
        let _ = witness;
        Ok(None)
    }
}
