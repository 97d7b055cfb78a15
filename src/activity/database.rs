//! What the statements of an activity run on: a database, or the transaction that its session has open there.

use std::sync::Arc;

use super::{ActivityContext, ActivityError};
use crate::resource::relational::access::Requester;
use crate::resource::relational::{Dialect, RelationalBranch, RelationalResource, SqlExecutor};
use crate::resource::{DataResource, ResourceError};
use crate::session::{Transaction, TransactionBranch, TransactionManager, TransactionState};

/// The relational data resource of an activity, as its element names it: [`Setup::relational`](super::Setup::relational).
#[derive(Debug, Clone)]
pub struct Database {
    name: Box<str>,
    resource: Arc<dyn DataResource>,
}

impl Database {
    pub(super) fn new(name: &str, resource: &Arc<dyn DataResource>) -> Self {
        Self { name: name.into(), resource: Arc::clone(resource) }
    }

    /// Its name among the data resources of its data service resource; empty where it has none.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it writes names and types.
    ///
    /// # Errors
    ///
    /// [`ActivityError::Resource`] when the data resource has changed into another kind.
    pub fn dialect(&self) -> Result<Dialect, ActivityError> {
        Ok(relational(&self.resource)?.dialect())
    }

    /// What the statements of this request run on: the open transaction of the session, which the database takes part in from
    /// now on, or the database itself. Either as the user that the principal of the request is in the database.
    ///
    /// # Errors
    ///
    /// [`ActivityError::Resource`] when the principal is nobody in the database, [`ActivityError::Transaction`] when the
    /// transaction of the session can't go on, or not in this database.
    pub async fn open(&self, context: &ActivityContext) -> Result<Statements, ActivityError> {
        let request = context.request();
        let requester = Requester { principal: request.principal.clone(), role: request.role.clone() };
        let database = self.resource.on_behalf_of(&requester)?.unwrap_or_else(|| Arc::clone(&self.resource));
        let Some(transaction) = open_transaction(context)? else { return Ok(Statements(On::Database(database))) };
        let relational = relational(&database)?;
        let branch = transaction.enlist(&self.name, |options| relational.begin(options)).await?;
        Ok(Statements(On::Transaction(branch, transaction, relational.dialect())))
    }
}

/// The transaction that the session has open, if it has one.
fn open_transaction(context: &ActivityContext) -> Result<Option<Arc<Transaction>>, ActivityError> {
    let session = context.session();
    let Some(latest) = TransactionManager::of(session).latest(session) else { return Ok(None) };
    match latest.state() {
        TransactionState::Active => Ok(Some(latest)),
        TransactionState::Committed => Ok(None),
        // Outside of it, the statement would do for good what was to be done in it or not at all.
        TransactionState::Committing | TransactionState::RolledBack | TransactionState::Failed => {
            Err(latest.finished().into())
        }
    }
}

fn relational(resource: &Arc<dyn DataResource>) -> Result<&dyn RelationalResource, ActivityError> {
    let unsupported = || ResourceError::unsupported("the data resource is not relational any more");
    resource.as_relational().ok_or_else(|| unsupported().into())
}

/// What statements run on, for the time of one activity: a database, or the open transaction of the session.
#[derive(Debug)]
pub struct Statements(On);

#[derive(Debug)]
enum On {
    /// Each statement for itself.
    Database(Arc<dyn DataResource>),
    /// The branch, the transaction that it is one of, and how the database writes.
    Transaction(Arc<RelationalBranch>, Arc<Transaction>, Dialect),
}

impl Statements {
    /// Runs them.
    ///
    /// # Errors
    ///
    /// [`ActivityError::Resource`] when the data resource has changed into another kind.
    pub fn executor(&self) -> Result<&dyn SqlExecutor, ActivityError> {
        match &self.0 {
            On::Database(resource) => Ok(relational(resource)?),
            On::Transaction(branch, ..) => Ok(branch.executor()),
        }
    }

    /// Whether they run one after the other, on one connection that has one at a time: what one of them gives has to be taken
    /// in before the next can begin.
    #[must_use]
    pub fn keep_to_one(&self) -> bool {
        matches!(&self.0, On::Transaction(.., dialect) if dialect.keeps_to_one_statement())
    }

    /// Whether they run in the transaction of the session.
    #[must_use]
    pub fn are_in_transaction(&self) -> bool {
        self.transaction().is_some()
    }

    /// The transaction of the session, if they run in it.
    #[must_use]
    pub fn transaction(&self) -> Option<&Arc<Transaction>> {
        match &self.0 {
            On::Database(_) => None,
            On::Transaction(_, transaction, _) => Some(transaction),
        }
    }
}

impl Drop for Statements {
    fn drop(&mut self) {
        // A statement that the database answered with the end of the transaction ends its other branches, too.
        if let On::Transaction(branch, transaction, _) = &self.0
            && branch.ended().is_some()
        {
            transaction.look();
        }
    }
}
