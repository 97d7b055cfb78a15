use crate::block::StreamType;
use crate::document::activities::parameter::SQL_PARAMETER;
use crate::document::activities::shape::{ChildShape, Family, Requirement, Shape};
use crate::document::activities::statement::{EXPRESSION, RESOURCE};
use crate::document::activities::stream::{Rows, Text};
use crate::document::activities::{ActivityElement, ElementWriter, SqlStatement, SqlValue, TextOrStream, ToStream};
use crate::document::{DocumentError, Fields};

/// `sqlUpdateStatement`: a statement that changes data.
///
/// ```
/// use rejoin::document::activities::{ActivityElement, SqlUpdateStatement};
///
/// let raise = SqlUpdateStatement::new("UPDATE customer SET credit = credit + ?").parameter(10.5).resource("ledger");
/// assert_eq!(raise.step("raise").element.attribute("resource"), Some("ledger"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlUpdateStatement {
    /// The statement.
    pub statement: SqlStatement,
    /// How many rows it changed, `<updateCount>n</updateCount>`.
    pub result_stream: ToStream<Text>,
    /// The rows that it gives itself, by `RETURNING`.
    pub returned_rows: ToStream<Rows>,
}

impl SqlUpdateStatement {
    /// A statement, as a text or from a stream.
    #[must_use]
    pub fn new(expression: impl Into<TextOrStream>) -> Self {
        Self {
            statement: SqlStatement::new(expression.into()),
            result_stream: ToStream::default(),
            returned_rows: ToStream::default(),
        }
    }

    /// The statement with the value for the next `?`: a text, a number, or a stream of values, for each of which it runs once.
    #[must_use]
    pub fn parameter(mut self, value: impl Into<SqlValue>) -> Self {
        self.statement.add(value.into());
        self
    }

    /// The statement on the data resource of that name.
    #[must_use]
    pub fn resource(mut self, name: &str) -> Self {
        self.statement.resource = Some(name.to_owned().into());
        self
    }

    /// The statement with its number of rows in the stream of that name.
    #[must_use]
    pub fn result_stream(mut self, output: impl Into<ToStream<Text>>) -> Self {
        self.result_stream = output.into();
        self
    }

    /// The statement with the rows that it gives itself, by `RETURNING`, in the stream of that name.
    #[must_use]
    pub fn returned_rows(mut self, output: impl Into<ToStream<Rows>>) -> Self {
        self.returned_rows = output.into();
        self
    }
}

impl ActivityElement for SqlUpdateStatement {
    const SHAPE: Shape = Shape::new(
        "sqlUpdateStatement",
        Family::Relational,
        "Runs one SQL statement that writes, all or nothing, and gives the number of rows that it changed.",
    )
    .requires(Requirement::Relational)
    .attributes(&[RESOURCE])
    .children(&[
        SQL_PARAMETER,
        EXPRESSION,
        ChildShape::output("resultStream", StreamType::Text, "`<updateCount>n</updateCount>`").optional(),
        ChildShape::output("returnedRows", StreamType::Rows, "those that it gives itself, by `RETURNING`").optional(),
    ]);

    type Output = ToStream<Text>;

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        Ok(Self {
            statement: SqlStatement::read(fields)?,
            result_stream: fields.optional_output("resultStream")?,
            returned_rows: fields.optional_output("returnedRows")?,
        })
    }

    fn write(&self, into: &mut ElementWriter) {
        self.statement.write(into);
        into.optional_output("resultStream", &self.result_stream);
        into.optional_output("returnedRows", &self.returned_rows);
    }

    fn name_output(&mut self, step: &str) -> ToStream<Text> {
        self.result_stream.name_after(step, "resultStream")
    }
}
