use async_trait::async_trait;

use super::SqlExecutor;
use crate::session::{BranchError, TransactionBranch};

/// A transaction that is open on one connection of a database: runs statements, and is committed or rolled back with the
/// transaction of the session.
///
/// Dropped before it is over, it is rolled back; its connection goes back to its pool only when that is certain.
pub trait RelationalTransaction: SqlExecutor + TransactionBranch {}

/// The branch of a session's transaction in any relational database.
#[derive(Debug)]
pub struct RelationalBranch(Box<dyn RelationalTransaction>);

impl RelationalBranch {
    /// The branch that is that open transaction.
    #[must_use]
    pub fn new(transaction: impl RelationalTransaction) -> Self {
        Self(Box::new(transaction))
    }

    /// Runs statements in the transaction.
    #[must_use]
    pub fn executor(&self) -> &dyn SqlExecutor {
        &*self.0
    }
}

#[async_trait]
impl TransactionBranch for RelationalBranch {
    async fn commit(&self) -> Result<(), BranchError> {
        self.0.commit().await
    }

    async fn rollback(&self) -> Result<(), BranchError> {
        self.0.rollback().await
    }

    async fn savepoint(&self, name: &str) -> Result<(), BranchError> {
        self.0.savepoint(name).await
    }

    async fn rollback_to(&self, name: &str) -> Result<(), BranchError> {
        self.0.rollback_to(name).await
    }

    async fn release(&self, name: &str) -> Result<(), BranchError> {
        self.0.release(name).await
    }

    fn ended(&self) -> Option<BranchError> {
        self.0.ended()
    }

    fn can_prepare(&self) -> bool {
        self.0.can_prepare()
    }

    async fn prepare(&self) -> Result<(), BranchError> {
        self.0.prepare().await
    }

    async fn witness(&self) -> Result<Option<String>, BranchError> {
        self.0.witness().await
    }
}
