use async_trait::async_trait;
use uuid::Uuid;

use crate::activity::{Activity, ActivityContext, ActivityError, Boundary, OutputPort, PortType, Requirement, Setup};
use crate::block::{Block, StreamType};
use crate::document::{DocumentError, Element, Fields, Value};
use crate::session::{
    Isolation, Principal, SessionAttributes, TransactionError, TransactionManager, TransactionOptions,
    TransactionReport,
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

#[derive(Debug)]
enum Operation {
    Begin(TransactionOptions),
    Commit,
    Rollback,
    Savepoint(String),
    RollbackTo(String),
    ReleaseSavepoint(String),
    State(Option<Uuid>),
}

const OPERATIONS: &[&str] = &["begin", "commit", "rollback", "savepoint", "rollbackTo", "releaseSavepoint", "state"];

/// The longest name of a savepoint that every database takes, in bytes.
const LONGEST_NAME: usize = 63;

/// The length of an id: 32 digits and four hyphens.
const HYPHENATED: usize = 36;

#[async_trait]
impl Activity for TransactionManagement {
    const ELEMENT: &'static str = "transactionManagement";
    const REQUIREMENT: Requirement = Requirement::Relational;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let operation = Operation::parse(fields.one_of(OPERATIONS)?)?;
        setup.is_boundary(operation.boundary());
        if operation.stays_in_session() {
            setup.stays_in_session();
        }
        let output = match fields.child("output") {
            Some(child) => setup.output_of(child, PortType::Is(StreamType::Text), Some("application/xml"))?,
            None => OutputPort::NOWHERE,
        };
        Ok(Self { operation, output })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let output = context.output(self.output);
        let manager = TransactionManager::of(context.session());
        let report = self.operation.run(&manager, context.session(), &context.request().principal).await?;
        output.send(Block::Text(report.to_xml().into())).await?;
        output.finish().await;
        Ok(())
    }
}

impl Operation {
    fn parse(element: &Element) -> Result<Self, DocumentError> {
        let mut fields = element.fields();
        let operation = match element.local_name() {
            "begin" => Self::Begin(TransactionOptions {
                isolation: fields.attribute("isolation").map(|name| name.choice(&Isolation::NAMES)).transpose()?,
                read_only: fields.attribute("readOnly").map_or(Ok(false), |value| value.boolean())?,
                xid: None,
            }),
            "commit" => Self::Commit,
            "rollback" => Self::Rollback,
            "savepoint" => Self::Savepoint(savepoint_name(&mut fields)?),
            "rollbackTo" => Self::RollbackTo(savepoint_name(&mut fields)?),
            "releaseSavepoint" => Self::ReleaseSavepoint(savepoint_name(&mut fields)?),
            _ => Self::State(fields.attribute("id").map(|id| transaction_id(&id)).transpose()?),
        };
        fields.finish()?;
        Ok(operation)
    }

    fn boundary(&self) -> Boundary {
        match self {
            Self::Begin(_) => Boundary::Begin,
            Self::Commit => Boundary::Commit,
            Self::Rollback => Boundary::Rollback,
            Self::Savepoint(_) | Self::RollbackTo(_) | Self::ReleaseSavepoint(_) | Self::State(_) => Boundary::Within,
        }
    }

    /// Whether nothing that was done outside of the session is made to hold or taken back by it: it may be done again after a
    /// request of which nobody knows how it ended.
    fn stays_in_session(&self) -> bool {
        matches!(self, Self::Begin(_) | Self::Savepoint(_) | Self::State(_))
    }

    async fn run(
        self,
        manager: &TransactionManager,
        session: &SessionAttributes,
        owner: &Principal,
    ) -> Result<TransactionReport, TransactionError> {
        match self {
            Self::Begin(options) => {
                manager.begin_for(session, options, owner)?;
            }
            Self::Commit => manager.commit(session).await?,
            Self::Rollback => manager.rollback(session).await?,
            Self::Savepoint(name) => manager.current(session)?.savepoint(&name).await?,
            Self::RollbackTo(name) => manager.current(session)?.rollback_to(&name).await?,
            Self::ReleaseSavepoint(name) => manager.current(session)?.release(&name).await?,
            Self::State(id) => return manager.state(session, id, owner).await,
        }
        manager.report(session).ok_or(TransactionError::NotActive)
    }
}

fn savepoint_name(fields: &mut Fields<'_>) -> Result<String, DocumentError> {
    let name = fields.required_attribute("name")?;
    if name.name()?.len() > LONGEST_NAME {
        return Err(name.expected(format!("a name of at most {LONGEST_NAME} bytes")));
    }
    Ok(name.name()?.to_owned())
}

fn transaction_id(value: &Value<'_>) -> Result<Uuid, DocumentError> {
    let text = value.as_str().trim();
    let id = if text.len() == HYPHENATED { text.parse().ok() } else { None };
    id.ok_or_else(|| value.expected("the id of a transaction, as its beginning gave it"))
}
