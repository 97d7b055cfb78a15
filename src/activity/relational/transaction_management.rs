use async_trait::async_trait;

use crate::activity::{Activity, ActivityContext, ActivityError, Boundary, OutputPort, Requirement, Setup};
use crate::block::Block;
use crate::document::activities::{self, ActivityElement, TransactionOperation as Operation};
use crate::document::{DocumentError, Fields};
use crate::session::{
    Principal, SessionAttributes, TransactionError, TransactionManager, TransactionOptions, TransactionReport,
};

/// `transactionManagement`: begins and ends the transaction of the session, in which all statements of the following requests
/// run.
///
/// ```xml
/// <transactionManagement name="start">
///   <begin isolation="serializable" readOnly="false"/>
///   <output name="state"/>
/// </transactionManagement>
/// ```
///
/// Instead of `begin`: `commit`, `rollback`, `savepoint name`, `rollbackTo name`, `releaseSavepoint name`, `state`. The output
/// is the transaction as it stands afterwards, `<transaction state="active" isolation="serializable" id="…"/>`.
#[derive(Debug)]
pub struct TransactionManagement {
    operation: Operation,
    output: OutputPort,
}

#[async_trait]
impl Activity for TransactionManagement {
    const ELEMENT: &'static str = activities::TransactionManagement::ELEMENT;
    const REQUIREMENT: Requirement = activities::TransactionManagement::SHAPE.requires;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::TransactionManagement::read(fields)?;
        setup.is_boundary(boundary(&read.operation));
        if stays_in_session(&read.operation) {
            setup.stays_in_session();
        }
        Ok(Self { operation: read.operation, output: setup.writes(&read.output, Some("application/xml")) })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let output = context.output(self.output);
        let manager = TransactionManager::of(context.session());
        let report = run(self.operation, &manager, context.session(), &context.request().principal).await?;
        output.send(Block::Text(report.to_xml().into())).await?;
        output.finish().await;
        Ok(())
    }
}

/// Whether nothing that was done outside of the session is made to hold or taken back by it: it may be done again after a
/// request of which nobody knows how it ended.
fn stays_in_session(operation: &Operation) -> bool {
    matches!(operation, Operation::Begin { .. } | Operation::Savepoint(_) | Operation::State(_))
}

fn boundary(operation: &Operation) -> Boundary {
    match operation {
        Operation::Begin { .. } => Boundary::Begin,
        Operation::Commit => Boundary::Commit,
        Operation::Rollback => Boundary::Rollback,
        Operation::Savepoint(_) | Operation::RollbackTo(_) | Operation::ReleaseSavepoint(_) | Operation::State(_) => {
            Boundary::Within
        }
    }
}

async fn run(
    operation: Operation,
    manager: &TransactionManager,
    session: &SessionAttributes,
    owner: &Principal,
) -> Result<TransactionReport, TransactionError> {
    match operation {
        Operation::Begin { isolation, read_only } => {
            manager.begin_for(session, TransactionOptions { isolation, read_only, xid: None }, owner)?;
        }
        Operation::Commit => manager.commit(session).await?,
        Operation::Rollback => manager.rollback(session).await?,
        Operation::Savepoint(name) => manager.current(session)?.savepoint(&name).await?,
        Operation::RollbackTo(name) => manager.current(session)?.rollback_to(&name).await?,
        Operation::ReleaseSavepoint(name) => manager.current(session)?.release(&name).await?,
        Operation::State(id) => return manager.state(session, id, owner).await,
    }
    manager.report(session).ok_or(TransactionError::NotActive)
}
