//! Relational databases.

mod parameter_rows;
mod schema;
pub mod sqlite;
mod statement;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

pub use parameter_rows::{PARAMETER_ROWS, ParameterRows, ParameterSender};
pub use schema::{Column, DatabaseSchema, Table, TableKind};
pub use statement::{Parameter, Statement};

use super::ResourceError;
use crate::block::BlockWriter;

/// What a query that ran to its end has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryEnd {
    /// How many rows it gave.
    pub rows: u64,
}

/// A database that speaks SQL.
///
/// Every method may be called from any number of tasks at the same time: the resource has its own bounded pool of
/// connections, and who finds none free waits in the order of arrival. All of them can be cancelled, by the token or by
/// dropping the future, and both stop the database as well.
#[async_trait]
pub trait RelationalResource: Send + Sync {
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
    /// As [`RelationalResource::query`]; whatever the error, nothing has changed.
    async fn update(&self, sql: String, rows: ParameterRows, cancel: CancellationToken) -> Result<u64, ResourceError>;

    /// The tables and views, with their columns.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Unavailable`] when the database does not answer.
    async fn schema(&self) -> Result<DatabaseSchema, ResourceError>;
}
