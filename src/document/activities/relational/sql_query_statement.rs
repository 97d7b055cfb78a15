use crate::block::StreamType;
use crate::document::activities::parameter::SQL_PARAMETER;
use crate::document::activities::shape::{ChildShape, Family, Requirement, Shape};
use crate::document::activities::statement::{EXPRESSION, RESOURCE};
use crate::document::activities::stream::Rows;
use crate::document::activities::{ActivityElement, ElementWriter, SqlStatement, SqlValue, TextOrStream, ToStream};
use crate::document::{DocumentError, Fields};

/// `sqlQueryStatement`: the rows of a query.
///
/// ```
/// use rejoin::document::activities::SqlQueryStatement;
///
/// let query = SqlQueryStatement::new("SELECT id FROM customer WHERE town = ? AND credit > ?").parameter("Perth").parameter(100);
/// assert_eq!(query.statement.parameters[1].value.position, 2);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlQueryStatement {
    /// The query.
    pub statement: SqlStatement,
    /// Its rows.
    pub result_stream: ToStream<Rows>,
}

impl SqlQueryStatement {
    /// A query, as a text or from a stream.
    #[must_use]
    pub fn new(expression: impl Into<TextOrStream>) -> Self {
        Self { statement: SqlStatement::new(expression.into()), result_stream: ToStream::default() }
    }

    /// The query with the value for the next `?`: a text, a number, or a stream of values, for each of which it runs once.
    #[must_use]
    pub fn parameter(mut self, value: impl Into<SqlValue>) -> Self {
        self.statement.add(value.into());
        self
    }

    /// The query on the data resource of that name.
    #[must_use]
    pub fn resource(mut self, name: &str) -> Self {
        self.statement.resource = Some(name.to_owned().into());
        self
    }

    /// The query with its rows in the stream of that name.
    #[must_use]
    pub fn result_stream(mut self, output: impl Into<ToStream<Rows>>) -> Self {
        self.result_stream = output.into();
        self
    }
}

impl ActivityElement for SqlQueryStatement {
    const SHAPE: Shape = Shape::new(
        "sqlQueryStatement",
        Family::Relational,
        "Runs one SQL statement that only reads, and gives its rows.",
    )
    .requires(Requirement::Relational)
    .attributes(&[RESOURCE])
    .children(&[SQL_PARAMETER, EXPRESSION, ChildShape::output("resultStream", StreamType::Rows, "").optional()]);

    type Output = ToStream<Rows>;

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        Ok(Self { statement: SqlStatement::read(fields)?, result_stream: fields.optional_output("resultStream")? })
    }

    fn write(&self, into: &mut ElementWriter) {
        self.statement.write(into);
        into.optional_output("resultStream", &self.result_stream);
    }

    fn name_output(&mut self, step: &str) -> ToStream<Rows> {
        self.result_stream.name_after(step, "resultStream")
    }
}
