use uuid::Uuid;

use crate::block::StreamType;
use crate::document::activities::shape::{AttributeShape, ChildShape, Family, Requirement, Shape, ValueShape};
use crate::document::activities::stream::Text;
use crate::document::activities::words::{self, Isolation};
use crate::document::activities::{ActivityElement, ElementWriter, ToStream};
use crate::document::{DocumentError, Element, Fields, Value};

/// `transactionManagement`: begins and ends the transaction of the session, in which the statements of the requests that
/// follow run.
///
/// ```
/// use rejoin::document::activities::{Isolation, TransactionManagement, TransactionOperation};
///
/// let begin = TransactionManagement::begin(Some(Isolation::Serializable));
/// let commit = TransactionManagement::new(TransactionOperation::Commit);
/// assert_ne!(begin, commit);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionManagement {
    /// What is done.
    pub operation: TransactionOperation,
    /// The transaction as it stands afterwards, as XML.
    pub output: ToStream<Text>,
}

/// What is done with the transaction of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransactionOperation {
    /// It begins.
    Begin {
        /// At least this; without it what each database does by itself.
        isolation: Option<Isolation>,
        /// Whether updates are refused.
        read_only: bool,
    },
    /// It is made to hold.
    Commit,
    /// Everything is taken back.
    Rollback,
    /// A place is marked, by a name of at most 63 bytes.
    Savepoint(String),
    /// What was done since that place is taken back; it stays.
    RollbackTo(String),
    /// That place and those after it are forgotten.
    ReleaseSavepoint(String),
    /// Nothing: the latest transaction of the session is asked for, or the one of that id.
    State(Option<Uuid>),
}

const OPERATIONS: &[&str] = &["begin", "commit", "rollback", "savepoint", "rollbackTo", "releaseSavepoint", "state"];

/// The longest name of a savepoint that every database takes, in bytes.
const LONGEST_NAME: usize = 63;

/// The length of an id: 32 digits and four hyphens.
const HYPHENATED: usize = 36;

impl TransactionManagement {
    /// Does that.
    #[must_use]
    pub fn new(operation: TransactionOperation) -> Self {
        Self { operation, output: ToStream::default() }
    }

    /// Begins a transaction that may change data.
    #[must_use]
    pub fn begin(isolation: Option<Isolation>) -> Self {
        Self::new(TransactionOperation::Begin { isolation, read_only: false })
    }
}

impl TransactionOperation {
    fn read(element: &Element) -> Result<Self, DocumentError> {
        let mut fields = element.fields();
        let operation = match element.local_name() {
            "begin" => Self::Begin {
                isolation: fields.attribute("isolation").map(|name| name.choice(&Isolation::NAMES)).transpose()?,
                read_only: fields.attribute("readOnly").map_or(Ok(false), |value| value.boolean())?,
            },
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

    fn write(&self, into: &mut ElementWriter) {
        match self {
            Self::Begin { isolation, read_only } => into.child("begin", |begin| {
                begin.optional("isolation", isolation.map(Isolation::name));
                begin.unless_default("readOnly", *read_only, false);
            }),
            Self::Commit => into.child("commit", |_| {}),
            Self::Rollback => into.child("rollback", |_| {}),
            Self::Savepoint(name) => into.child("savepoint", |element| element.attribute("name", name)),
            Self::RollbackTo(name) => into.child("rollbackTo", |element| element.attribute("name", name)),
            Self::ReleaseSavepoint(name) => into.child("releaseSavepoint", |element| element.attribute("name", name)),
            Self::State(id) => into.child("state", |state| state.optional("id", *id)),
        }
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

/// The attribute `name` of a savepoint.
const SAVEPOINT: [AttributeShape; 1] = [AttributeShape::new("name", ValueShape::Name, "").required()];

impl ActivityElement for TransactionManagement {
    const SHAPE: Shape = Shape::new(
        "transactionManagement",
        Family::Relational,
        "Begins and ends the transaction of the session, in which the statements of all the requests that follow run, on one \
         connection, until it is over.",
    )
    .requires(Requirement::Relational)
    .children(&[
        ChildShape::new("begin", "begins one").choice(1).attributes(&[
            AttributeShape::new(
                "isolation",
                ValueShape::Choice(&words::words(&Isolation::NAMES)),
                "at least this; without it, what the database does by itself",
            ),
            AttributeShape::new("readOnly", ValueShape::Boolean, "whether updates are refused").default("false"),
        ]),
        ChildShape::new("commit", "makes it hold").choice(1),
        ChildShape::new("rollback", "takes everything back").choice(1),
        ChildShape::new("savepoint", "marks a place, by a name of at most 63 bytes").choice(1).attributes(&SAVEPOINT),
        ChildShape::new("rollbackTo", "takes back what was done since that place, which stays")
            .choice(1)
            .attributes(&SAVEPOINT),
        ChildShape::new("releaseSavepoint", "forgets the place and those after it").choice(1).attributes(&SAVEPOINT),
        ChildShape::new("state", "asks for the latest transaction of the session").choice(1).attributes(&[
            AttributeShape::new("id", ValueShape::Uuid, "or for the one of that id"),
        ]),
        ChildShape::output(
            "output",
            StreamType::Text,
            "`application/xml`: the transaction as it stands afterwards",
        )
        .optional(),
    ]);

    type Output = ToStream<Text>;

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        let operation = TransactionOperation::read(fields.one_of(OPERATIONS)?)?;
        Ok(Self { operation, output: fields.optional_output("output")? })
    }

    fn write(&self, into: &mut ElementWriter) {
        self.operation.write(into);
        into.optional_output("output", &self.output);
    }

    fn name_output(&mut self, step: &str) -> ToStream<Text> {
        self.output.name_after(step, "output")
    }
}
