use crate::block::StreamType;
use crate::document::activities::shape::{AttributeShape, ChildShape, Family, Requirement, Shape, ValueShape};
use crate::document::activities::statement::{RESOURCE, read_resource, write_resource};
use crate::document::activities::stream::{Rows, Text, read_input};
use crate::document::activities::{ActivityElement, ElementWriter, FromStream, ToStream};
use crate::document::{DocumentError, Element, Fields, Located};

/// `sqlBulkLoadRowSet`: loads rows into a table.
///
/// ```
/// use rejoin::document::activities::{LoadTarget, SqlBulkLoadRowSet};
///
/// let load = SqlBulkLoadRowSet::of("rows").into_table(LoadTarget::new("shop.town").create());
/// assert!(load.target.is_some_and(|target| target.create && target.transactionally));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlBulkLoadRowSet {
    /// The name of the data resource; without it the first that is relational.
    pub resource: Option<Located<String>>,
    /// The rows.
    pub source: LoadSource,
    /// Where they go; without it into a new table that is named after the first column.
    pub target: Option<LoadTarget>,
    /// How many there were, `<updateCount>n</updateCount>`.
    pub result_stream: ToStream<Text>,
}

/// Where the rows of a load come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadSource {
    /// A stream of rows.
    Rows(FromStream<Rows>),
    /// A WebRowSet.
    WebRowSet(FromStream<Text>),
}

/// The table that rows are loaded into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadTarget {
    /// Its name, or `schema.name`.
    pub table: String,
    /// Whether all rows are loaded or none; yes if nothing is said.
    pub transactionally: bool,
    /// Whether the table is made first; not if nothing is said.
    pub create: bool,
}

impl SqlBulkLoadRowSet {
    /// A load of rows.
    #[must_use]
    pub fn of(rows: impl Into<FromStream<Rows>>) -> Self {
        Self { resource: None, source: LoadSource::Rows(rows.into()), target: None, result_stream: ToStream::default() }
    }

    /// The load into that table.
    #[must_use]
    pub fn into_table(mut self, target: LoadTarget) -> Self {
        self.target = Some(target);
        self
    }

    /// The load on the data resource of that name.
    #[must_use]
    pub fn resource(mut self, name: &str) -> Self {
        self.resource = Some(name.to_owned().into());
        self
    }
}

impl LoadTarget {
    /// A table that is there, which takes all rows or none.
    #[must_use]
    pub fn new(table: impl Into<String>) -> Self {
        Self { table: table.into(), transactionally: true, create: false }
    }

    /// The same, but made first.
    #[must_use]
    pub fn create(mut self) -> Self {
        self.create = true;
        self
    }

    fn read(element: &Element) -> Result<Self, DocumentError> {
        let mut fields = element.fields();
        let table = fields.required_attribute("tableName")?.non_empty()?.value;
        let transactionally = fields.attribute("transactionally").map_or(Ok(true), |value| value.boolean())?;
        let create = fields.attribute("create").map_or(Ok(false), |value| value.boolean())?;
        fields.finish()?;
        Ok(Self { table, transactionally, create })
    }
}

impl LoadSource {
    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        let element = fields.one_of(&["webRowSetStream", "rows"])?;
        if element.local_name() == "rows" {
            return Ok(Self::Rows(read_input(element)?));
        }
        Ok(Self::WebRowSet(read_input(element)?))
    }
}

impl ActivityElement for SqlBulkLoadRowSet {
    const SHAPE: Shape = Shape::new(
        "sqlBulkLoadRowSet",
        Family::Relational,
        "Loads a stream of rows into a table, by the fastest way that the database has, and gives their number.",
    )
    .requires(Requirement::Relational)
    .attributes(&[RESOURCE])
    .children(&[
        ChildShape::input("webRowSetStream", StreamType::Text, "a WebRowSet").choice(1),
        ChildShape::input(
            "rows",
            StreamType::Rows,
            "from a query, a session, `csvToRows`, `arrowToRows`, `parquetToRows`",
        )
        .choice(1),
        ChildShape::new("loadIntoTable", "").optional().attributes(&[
            AttributeShape::new(
                "tableName",
                ValueShape::NonEmptyText,
                "the table, as `name` or `schema.name`; without it a new table, named after the first column",
            )
            .required(),
            AttributeShape::new("transactionally", ValueShape::Boolean, "whether all rows are loaded or none")
                .default("true"),
            AttributeShape::new(
                "create",
                ValueShape::Boolean,
                "whether the table is made first; one that is there is an error then",
            )
            .default("false"),
        ]),
        ChildShape::output("resultStream", StreamType::Text, "`<updateCount>n</updateCount>`").optional(),
    ]);

    type Output = ToStream<Text>;

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        Ok(Self {
            resource: read_resource(fields)?,
            source: LoadSource::read(fields)?,
            target: fields.child("loadIntoTable").map(LoadTarget::read).transpose()?,
            result_stream: fields.optional_output("resultStream")?,
        })
    }

    fn write(&self, into: &mut ElementWriter) {
        write_resource(self.resource.as_ref(), into);
        match &self.source {
            LoadSource::Rows(rows) => into.input("rows", rows),
            LoadSource::WebRowSet(table) => into.input("webRowSetStream", table),
        }
        if let Some(target) = &self.target {
            into.child("loadIntoTable", |element| {
                element.attribute("tableName", &target.table);
                element.unless_default("transactionally", target.transactionally, true);
                element.unless_default("create", target.create, false);
            });
        }
        into.optional_output("resultStream", &self.result_stream);
    }

    fn name_output(&mut self, step: &str) -> ToStream<Text> {
        self.result_stream.name_after(step, "resultStream")
    }
}
