//! Data resources as the recovery of transactions sees them.

use std::sync::Arc;

use async_trait::async_trait;

use crate::resource::{DataResource, DataResources};
use crate::session::{BranchError, Decision, LogId, Recoverable, Xid};

/// The databases among some data resources, by name, for
/// [`TransactionManager::attach`](crate::session::TransactionManager::attach).
#[must_use]
pub fn recoverable(resources: &DataResources) -> Vec<(Box<str>, Arc<dyn Recoverable>)> {
    let databases = resources.iter().filter(|(_, resource)| resource.as_relational().is_some());
    databases.map(|(name, resource)| (name.into(), Arc::new(Database(Arc::clone(resource))) as _)).collect()
}

#[derive(Debug)]
struct Database(Arc<dyn DataResource>);

#[async_trait]
impl Recoverable for Database {
    async fn prepared(&self, log: LogId) -> Result<Vec<Xid>, BranchError> {
        match self.0.as_relational() {
            Some(database) => database.prepared(log).await,
            None => Ok(Vec::new()),
        }
    }

    async fn settle(&self, xid: Xid, decision: Decision) -> Result<(), BranchError> {
        match self.0.as_relational() {
            Some(database) => database.settle(xid, decision).await,
            None => Ok(()),
        }
    }

    async fn outcome(&self, witness: &str) -> Result<Option<Decision>, BranchError> {
        match self.0.as_relational() {
            Some(database) => database.outcome(witness).await,
            None => Ok(None),
        }
    }
}
