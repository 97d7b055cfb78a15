use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::super::cursor;
use super::super::error::{Effect, is_connection_gone};
use super::super::streaming::Broken;
use super::super::update::CLEAN;
use super::turn::Turn;
use super::{PostgresTransaction, refused, statements};
use crate::block::BlockWriter;
use crate::resource::ResourceError;
use crate::resource::relational::{
    CursorOptions, DatabaseSchema, Dialect, ParameterRows, QueryEnd, RelationalTransaction, RowCursor, SchemaFilter,
    SqlExecutor, Statement,
};
use crate::session::{BranchError, TransactionBranch};

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

    async fn open_cursor(
        &self,
        statement: Statement,
        options: CursorOptions,
        cancel: CancellationToken,
    ) -> Result<Box<dyn RowCursor>, ResourceError> {
        cursor::open_in(&self.inner, &statement, options, &self.inner.control(cancel)).await
    }

    async fn schema(&self, filter: &SchemaFilter) -> Result<DatabaseSchema, ResourceError> {
        super::super::schema::read(&*self.inner, filter, &self.inner.control(CancellationToken::new())).await
    }
}

#[async_trait]
impl TransactionBranch for PostgresTransaction {
    async fn commit(&self) -> Result<(), BranchError> {
        let mut turn = self.turn().await?;
        // In a transaction that has failed, a commit would roll back and call it a success; the query before it would not.
        let commit = format!("{}SELECT; COMMIT", turn.leave_reading());
        match self.end(&mut turn, &commit).await {
            Err(Broken::Driver(error, _)) if is_connection_gone(&error) => {
                let message = format!("PostgreSQL: the connection was lost during the commit: {error}");
                self.inner.end(BranchError::Lost { message: message.clone() });
                Err(BranchError::Lost { message })
            }
            ended => self.answer(turn, ended),
        }
    }

    async fn rollback(&self) -> Result<(), BranchError> {
        if self.inner.check_open().is_err() {
            return Ok(());
        }
        let mut turn = self.turn().await?;
        let ended = self.end(&mut turn, "ROLLBACK").await;
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
                let error = refused(&broken.into_error(None, Effect::None));
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
        match turn.tell(&statements, &control).await {
            Ok(()) => {
                turn.settle();
                Ok(())
            }
            Err(broken) => self.answer(turn, Err(broken)),
        }
    }
}

/// The name of a savepoint, which no name of ours can be.
fn quoted(name: &str) -> String {
    Dialect::Postgres.quoted(&format!("of session {name}"))
}
