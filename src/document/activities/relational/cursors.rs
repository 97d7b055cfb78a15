//! Cursors: rows that the session keeps open.

use crate::block::StreamType;
use crate::document::activities::parameter::SQL_PARAMETER;
use crate::document::activities::shape::{AttributeShape, ChildShape, Family, Requirement, Shape, ValueShape};
use crate::document::activities::statement::{EXPRESSION, RESOURCE};
use crate::document::activities::stream::Rows;
use crate::document::activities::{ActivityElement, ElementWriter, SqlStatement, SqlValue, TextOrStream, ToStream};
use crate::document::{DocumentError, Fields, Value};

/// `openCursor`: runs a query and keeps its rows open in the session, under the name of the step.
///
/// ```
/// use rejoin::document::activities::{ActivityElement, OpenCursor};
///
/// let open = OpenCursor::new("SELECT * FROM customer WHERE town = ?").parameter("Perth");
/// assert_eq!(open.step("people").name.as_ref(), "people");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCursor {
    /// The query.
    pub statement: SqlStatement,
    /// Whether the cursor can go back and jump, in the databases that can; not if nothing is said.
    pub is_scrollable: bool,
}

impl OpenCursor {
    /// A cursor over the rows of a query.
    #[must_use]
    pub fn new(expression: impl Into<TextOrStream>) -> Self {
        Self { statement: SqlStatement::new(expression.into()), is_scrollable: false }
    }

    /// The same with the value for the next `?`.
    #[must_use]
    pub fn parameter(mut self, value: impl Into<SqlValue>) -> Self {
        self.statement.add(value.into());
        self
    }

    /// The same on the data resource of that name.
    #[must_use]
    pub fn resource(mut self, name: &str) -> Self {
        self.statement.resource = Some(name.to_owned().into());
        self
    }

    /// The same, and it can go back and jump.
    #[must_use]
    pub fn scrollable(mut self) -> Self {
        self.is_scrollable = true;
        self
    }
}

impl ActivityElement for OpenCursor {
    const SHAPE: Shape = Shape::new(
        "openCursor",
        Family::Relational,
        "Runs a query and keeps its rows open in the session, under the name of the activity, for `fetchCursor`.",
    )
    .requires(Requirement::Relational)
    .attributes(&[
        RESOURCE,
        AttributeShape::new(
            "scrollable",
            ValueShape::Boolean,
            "whether the cursor can go back and jump, in the databases that can (PostgreSQL)",
        )
        .default("false"),
    ])
    .children(&[SQL_PARAMETER, EXPRESSION]);

    type Output = ();

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        let is_scrollable = fields.attribute("scrollable").map_or(Ok(false), |value| value.boolean())?;
        Ok(Self { statement: SqlStatement::read(fields)?, is_scrollable })
    }

    fn write(&self, into: &mut ElementWriter) {
        into.unless_default("scrollable", self.is_scrollable, false);
        self.statement.write(into);
    }

    fn name_output(&mut self, _step: &str) {}
}

/// `fetchCursor`: rows of a cursor that the session has open.
///
/// ```
/// use rejoin::document::activities::{FetchCursor, FetchFrom};
///
/// let page = FetchCursor::new("people", 100);
/// assert_eq!(page.from, FetchFrom::Next);
/// let third = FetchCursor { from: FetchFrom::Absolute(201), ..page };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchCursor {
    /// The name of the `openCursor`.
    pub cursor: String,
    /// How many rows are wanted.
    pub rows: u64,
    /// Which is the first.
    pub from: FetchFrom,
    /// The rows.
    pub result_stream: ToStream<Rows>,
}

/// Where rows are fetched from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FetchFrom {
    /// Behind the last that was fetched.
    Next,
    /// From the row of that number, the first of all being 1. Of a scrollable cursor.
    Absolute(u64),
    /// From so many rows behind that at which the next fetch would begin; before it, where that is negative. Of a scrollable
    /// cursor.
    Relative(i64),
}

impl FetchCursor {
    /// The next rows of a cursor, so many at the most.
    #[must_use]
    pub fn new(cursor: impl Into<String>, rows: u64) -> Self {
        Self { cursor: cursor.into(), rows, from: FetchFrom::Next, result_stream: ToStream::default() }
    }
}

impl FetchFrom {
    fn of(absolute: Option<Value<'_>>, relative: Option<Value<'_>>) -> Result<Self, DocumentError> {
        match (absolute, relative) {
            (None, None) => Ok(Self::Next),
            (Some(row), None) => Ok(Self::Absolute(row.integer(1..=u64::MAX)?)),
            (None, Some(rows)) => Ok(Self::Relative(rows.integer(i64::MIN..=i64::MAX)?)),
            (Some(_), Some(relative)) => {
                Err(relative.error("contradictory `cursor`: `absolute` and `relative`; leave one out"))
            }
        }
    }
}

/// The attribute `name` of a cursor.
const CURSOR: AttributeShape = AttributeShape::new("name", ValueShape::Name, "the name of the `openCursor`").required();

impl ActivityElement for FetchCursor {
    const SHAPE: Shape = Shape::new(
        "fetchCursor",
        Family::Relational,
        "Gives rows of a cursor that the session has open. Fewer than were asked for: that was the end, and the cursor is \
         closed, unless it is scrollable.",
    )
    .requires(Requirement::Relational)
    .children(&[
        ChildShape::new("cursor", "").attributes(&[
            CURSOR,
            AttributeShape::new("rows", ValueShape::COUNT, "how many rows are wanted").required(),
            AttributeShape::new(
                "absolute",
                ValueShape::COUNT,
                "of a scrollable cursor: the number of the first row, from 1",
            ),
            AttributeShape::new(
                "relative",
                ValueShape::LONG,
                "of a scrollable cursor: so many rows from where the next fetch would begin; back, if it is negative",
            ),
        ]),
        ChildShape::output("resultStream", StreamType::Rows, "").optional(),
    ]);

    type Output = ToStream<Rows>;

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        let mut element = fields.required_child("cursor")?.fields();
        let cursor = element.required_attribute("name")?.name()?.to_owned();
        let rows = element.required_attribute("rows")?.integer(1..=u64::MAX)?;
        let (absolute, relative) = (element.attribute("absolute"), element.attribute("relative"));
        element.finish()?;
        let from = FetchFrom::of(absolute, relative)?;
        Ok(Self { cursor, rows, from, result_stream: fields.optional_output("resultStream")? })
    }

    fn write(&self, into: &mut ElementWriter) {
        into.child("cursor", |cursor| {
            cursor.attribute("name", &self.cursor);
            cursor.attribute("rows", self.rows);
            match self.from {
                FetchFrom::Next => {}
                FetchFrom::Absolute(row) => cursor.attribute("absolute", row),
                FetchFrom::Relative(rows) => cursor.attribute("relative", rows),
            }
        });
        into.optional_output("resultStream", &self.result_stream);
    }

    fn name_output(&mut self, step: &str) -> ToStream<Rows> {
        self.result_stream.name_after(step, "resultStream")
    }
}

/// `closeCursor`: closes a cursor that the session has open.
///
/// ```
/// use rejoin::document::activities::CloseCursor;
///
/// assert_eq!(CloseCursor::new("people").cursor, "people");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseCursor {
    /// The name of the `openCursor`.
    pub cursor: String,
}

impl CloseCursor {
    /// Closes the cursor of that name.
    #[must_use]
    pub fn new(cursor: impl Into<String>) -> Self {
        Self { cursor: cursor.into() }
    }
}

impl ActivityElement for CloseCursor {
    const SHAPE: Shape =
        Shape::new("closeCursor", Family::Relational, "Closes a cursor and takes it out of the session.")
            .requires(Requirement::Relational)
            .children(&[ChildShape::new("cursor", "").attributes(&[CURSOR])]);

    type Output = ();

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        let mut cursor = fields.required_child("cursor")?.fields();
        let name = cursor.required_attribute("name")?.name()?.to_owned();
        cursor.finish()?;
        Ok(Self { cursor: name })
    }

    fn write(&self, into: &mut ElementWriter) {
        into.child("cursor", |cursor| cursor.attribute("name", &self.cursor));
    }

    fn name_output(&mut self, _step: &str) {}
}
