use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::super::cursor;
use super::super::error::{is_connection_gone, resource_error};
use super::super::streaming::Broken;
use super::super::update::CLEAN;
use super::super::{call, load, physical, returning, schema};
use super::turn::Turn;
use super::two_phase::{NOTHING, ending, literal};
use super::{PostgresTransaction, refused, statements};
use crate::block::{BlockReader, BlockWriter};
use crate::resource::ResourceError;
use crate::resource::relational::{
    BulkLoad, CallEnd, CursorOptions, DatabaseSchema, Dialect, ParameterRows, PhysicalSchema, ProcedureCall, QueryEnd,
    RelationalTransaction, RowCursor, SchemaFilter, SqlExecutor, Statement, UpdateEnd,
};
use crate::session::{BranchError, Decision, TransactionBranch};

impl RelationalTransaction for PostgresTransaction {}

#[async_trait]
impl SqlExecutor for PostgresTransaction {
    async fn query(
        &self,
        statement: Statement,
        output: BlockWriter,
        cancel: CancellationToken,
    ) -> Result<QueryEnd, ResourceError> {
        statements::query(&self.inner, &statement, output, &self.inner.control(cancel)).await
    }

    async fn update(&self, sql: String, rows: ParameterRows, cancel: CancellationToken) -> Result<u64, ResourceError> {
        statements::update(&self.inner, &sql, rows, &self.inner.control(cancel)).await
    }

    async fn update_returning(
        &self,
        sql: String,
        rows: ParameterRows,
        cancel: CancellationToken,
    ) -> Result<UpdateEnd, ResourceError> {
        returning::run(&*self.inner, &sql, rows, &self.inner.control(cancel)).await
    }

    async fn call(
        &self,
        call: ProcedureCall,
        output: BlockWriter,
        cancel: CancellationToken,
    ) -> Result<CallEnd, ResourceError> {
        let end = call::run(&*self.inner, &call, self.inner.outlet(&output), &self.inner.control(cancel)).await?;
        output.finish().await;
        Ok(end)
    }

    async fn load(
        &self,
        load: BulkLoad,
        mut rows: BlockReader,
        cancel: CancellationToken,
    ) -> Result<u64, ResourceError> {
        load::run(&*self.inner, &load, &mut rows, &self.inner.control(cancel)).await
    }

    async fn open_cursor(
        &self,
        statement: Statement,
        options: CursorOptions,
        cancel: CancellationToken,
    ) -> Result<Box<dyn RowCursor>, ResourceError> {
        cursor::open_in(&self.inner, &statement, options, &self.inner.control(cancel)).await
    }

    async fn schema(&self, filter: &SchemaFilter) -> Result<DatabaseSchema, ResourceError> {
        schema::read(&*self.inner, filter, &self.inner.control(CancellationToken::new())).await
    }

    async fn physical_schema(&self, filter: &SchemaFilter) -> Result<PhysicalSchema, ResourceError> {
        physical::read(&*self.inner, filter, &self.inner.control(CancellationToken::new())).await
    }
}

#[async_trait]
impl TransactionBranch for PostgresTransaction {
    async fn commit(&self) -> Result<(), BranchError> {
        let mut turn = self.turn().await?;
        let commit = match (turn.is_prepared(), self.inner.xid) {
            (true, Some(xid)) => ending(xid, Decision::Commit),
            // In a transaction that has failed, a commit would roll back and call it a success; a query before it does not.
            _ => format!("{}SELECT; COMMIT", turn.leave_reading()),
        };
        let ended = self.end(&mut turn, &commit).await;
        self.answer(turn, or_lost(ended)?)
    }

    async fn rollback(&self) -> Result<(), BranchError> {
        if self.inner.is_over() {
            return Ok(());
        }
        let mut turn = self.turn().await?;
        let rollback = match (turn.is_prepared(), self.inner.xid) {
            (true, Some(xid)) => ending(xid, Decision::Rollback),
            _ => "ROLLBACK".to_owned(),
        };
        let ended = self.end(&mut turn, &rollback).await;
        self.answer(turn, ended)
    }

    async fn savepoint(&self, name: &str) -> Result<(), BranchError> {
        self.mark(&format!("SAVEPOINT {}", quoted(name))).await
    }

    async fn rollback_to(&self, name: &str) -> Result<(), BranchError> {
        self.mark(&format!("ROLLBACK TO SAVEPOINT {}", quoted(name))).await
    }

    async fn release(&self, name: &str) -> Result<(), BranchError> {
        self.mark(&format!("RELEASE SAVEPOINT {}", quoted(name))).await
    }

    fn ended(&self) -> Option<BranchError> {
        self.inner.over.lock().clone()
    }

    fn can_prepare(&self) -> bool {
        self.inner.xid.is_some()
    }

    async fn prepare(&self) -> Result<(), BranchError> {
        let mut turn = self.turn().await?;
        let Some(xid) = self.inner.xid else {
            return Err(BranchError::Refused {
                message: "it has no name to be prepared under".into(),
                is_retryable: false,
            });
        };
        let name = literal(&xid.to_string());
        let prepare = format!("{}SELECT; PREPARE TRANSACTION {name}", turn.leave_reading());
        let control = self.inner.control(CancellationToken::new());
        let prepared = or_lost(turn.tell(&prepare, &control).await)?;
        if prepared.is_ok() {
            turn.set_prepared();
        }
        self.settled(turn, prepared)
    }

    async fn witness(&self) -> Result<Option<String>, BranchError> {
        let turn = self.turn().await?;
        let connection = turn.connection().map_err(|error| refused(&error))?;
        let text = "SELECT pg_catalog.pg_current_xact_id_if_assigned()::text";
        let row = connection.client().query_one(text, &[]).await;
        let row = row.map_err(|error| refused(&resource_error(&error, None)))?;
        turn.settle();
        let number: Option<String> = row.try_get(0).unwrap_or(None);
        Ok(Some(number.unwrap_or_else(|| NOTHING.to_owned())))
    }
}

impl PostgresTransaction {
    async fn turn(&self) -> Result<Turn<'_>, BranchError> {
        let control = self.inner.control(CancellationToken::new());
        let turn = self.inner.turn(&control).await;
        turn.map_err(|error| self.inner.over.lock().clone().unwrap_or_else(|| refused(&error)))
    }

    /// Ends the transaction, and cleans the connection in the same breath.
    async fn end(&self, turn: &mut Turn<'_>, end: &str) -> Result<(), Broken> {
        let control = self.inner.control(CancellationToken::new());
        turn.tell(end, &control).await?;
        if turn.tell(CLEAN, &control).await.is_ok() {
            turn.give_back();
        }
        Ok(())
    }

    /// What the end of the transaction came to.
    fn answer(&self, turn: Turn<'_>, ended: Result<(), Broken>) -> Result<(), BranchError> {
        let over = |message: &str| BranchError::Refused { message: message.to_owned(), is_retryable: false };
        match ended {
            Ok(()) => {
                self.inner.end(over("it was ended"));
                turn.settle();
                Ok(())
            }
            Err(broken) => {
                let error = refused(&broken.into_error(None));
                self.inner.end(error.clone());
                Err(error)
            }
        }
    }

    /// Does something about a savepoint.
    async fn mark(&self, statement: &str) -> Result<(), BranchError> {
        let mut turn = self.turn().await?;
        let statements = format!("{}{statement}", turn.leave_reading());
        let control = self.inner.control(CancellationToken::new());
        let told = turn.tell(&statements, &control).await;
        self.settled(turn, told)
    }

    /// What came of something after which the transaction goes on, unless it failed.
    fn settled(&self, turn: Turn<'_>, told: Result<(), Broken>) -> Result<(), BranchError> {
        if told.is_ok() {
            turn.settle();
            return Ok(());
        }
        self.answer(turn, told)
    }
}

/// When the connection is gone instead of an answer, nobody knows what was done.
fn or_lost(ended: Result<(), Broken>) -> Result<Result<(), Broken>, BranchError> {
    match ended {
        Err(Broken::Driver(error, _)) if is_connection_gone(&error) => {
            Err(BranchError::Lost { message: format!("PostgreSQL: the connection was lost meanwhile: {error}") })
        }
        // A time-out of ours.
        Err(Broken::Stopped(error)) => Err(BranchError::Lost { message: error.to_string() }),
        other => Ok(other),
    }
}

/// The name of a savepoint, which no name of ours can be.
fn quoted(name: &str) -> String {
    Dialect::Postgres.quoted(&format!("of session {name}"))
}
