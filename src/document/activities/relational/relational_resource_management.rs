use crate::block::{RowType, StreamType};
use crate::document::activities::shape::{AttributeShape, ChildShape, Family, Requirement, Shape, ValueShape};
use crate::document::activities::statement::{RESOURCE, read_resource, write_resource};
use crate::document::activities::stream::Text;
use crate::document::activities::{ActivityElement, ElementWriter, ToStream};
use crate::document::{DocumentError, Element, Fields, Located, Value};

/// `relationalResourceManagement`: makes and drops tables. It has to be granted.
///
/// ```
/// use rejoin::document::activities::{NewColumn, NewTable, RelationalResourceManagement};
///
/// let table = NewTable::new("gauge").column(NewColumn::new("id", "int64")?.key(1)).column(NewColumn::new("level", "float64")?);
/// let make = RelationalResourceManagement::create(table);
/// # assert!(make.resource.is_none());
/// # Ok::<(), rejoin::document::DocumentError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelationalResourceManagement {
    /// The name of the data resource; without it the first that is relational.
    pub resource: Option<Located<String>>,
    /// What is done.
    pub operation: TableOperation,
    /// What was done: `<createdTable name="…"/>` or `<droppedTable name="…"/>`.
    pub output: ToStream<Text>,
}

/// What is done with a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableOperation {
    /// It is made.
    Create(NewTable),
    /// It is dropped.
    Drop {
        /// Its name, or `schema.name`.
        table: String,
        /// Whether it is well if it is not there.
        if_exists: bool,
    },
}

/// A table that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTable {
    /// Its name, or `schema.name`.
    pub name: String,
    /// Whether it is well if there is one already.
    pub if_not_exists: bool,
    /// What it has.
    pub content: TableContent,
}

/// What a new table has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableContent {
    /// Columns, in types that every database has.
    Columns(Vec<NewColumn>),
    /// What stands between the parentheses, in the words of the database.
    Sql(String),
}

/// A column of a table that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewColumn {
    /// Its name.
    pub name: String,
    /// The type of its values.
    pub row_type: RowType,
    /// Of text: how many characters it has at the most.
    pub length: Option<u32>,
    /// Whether it takes NULL.
    pub is_nullable: bool,
    /// Its place in the primary key, from 1.
    pub primary_key: Option<u32>,
}

impl RelationalResourceManagement {
    /// Makes a table.
    #[must_use]
    pub fn create(table: NewTable) -> Self {
        Self::new(TableOperation::Create(table))
    }

    /// Drops a table, which has to be there.
    #[must_use]
    pub fn drop_table(table: impl Into<String>) -> Self {
        Self::new(TableOperation::Drop { table: table.into(), if_exists: false })
    }

    /// Does that.
    #[must_use]
    pub fn new(operation: TableOperation) -> Self {
        Self { resource: None, operation, output: ToStream::default() }
    }
}

impl NewTable {
    /// A table without columns, which is not there yet.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), if_not_exists: false, content: TableContent::Columns(Vec::new()) }
    }

    /// The table with a column more.
    #[must_use]
    pub fn column(mut self, column: NewColumn) -> Self {
        match &mut self.content {
            TableContent::Columns(columns) => columns.push(column),
            TableContent::Sql(_) => self.content = TableContent::Columns(vec![column]),
        }
        self
    }

    fn read(element: &Element) -> Result<Self, DocumentError> {
        let mut fields = element.fields();
        let name = fields.required_attribute("name")?.non_empty()?.value;
        let if_not_exists = fields.attribute("ifNotExists").map_or(Ok(false), |value| value.boolean())?;
        let content = match fields.child("sql") {
            Some(sql) => TableContent::Sql(sql.text_only()?.into_owned()),
            None => TableContent::Columns(NewColumn::read_all(&mut fields)?),
        };
        fields.finish()?;
        Ok(Self { name, if_not_exists, content })
    }

    fn write(&self, into: &mut ElementWriter) {
        into.attribute("name", &self.name);
        into.unless_default("ifNotExists", self.if_not_exists, false);
        match &self.content {
            TableContent::Sql(sql) => into.text_child("sql", sql),
            TableContent::Columns(columns) => {
                columns.iter().for_each(|column| into.child("column", |it| column.write(it)))
            }
        }
    }
}

impl NewColumn {
    /// A column that takes NULL, of the type of that name, such as `int64`, `text`, `decimal(10,2)`.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when there is no such type.
    pub fn new(name: impl Into<String>, row_type: &str) -> Result<Self, DocumentError> {
        let element = Element::new("column", None).with_attribute("type", row_type);
        let row_type = read_type(&element.fields().required_attribute("type")?)?;
        Ok(Self { name: name.into(), row_type, length: None, is_nullable: true, primary_key: None })
    }

    /// The column at that place of the primary key, from 1; it takes no NULL.
    #[must_use]
    pub fn key(mut self, place: u32) -> Self {
        self.primary_key = Some(place);
        self.is_nullable = false;
        self
    }

    fn read_all(fields: &mut Fields<'_>) -> Result<Vec<Self>, DocumentError> {
        let first = fields.required_child("column")?;
        let mut columns = Vec::new();
        let mut key: Vec<(u32, Value<'_>)> = Vec::new();
        for element in std::iter::once(first).chain(fields.children("column")) {
            let column = Self::read(element)?;
            key.extend(column.primary_key.zip(element.attribute_value("primaryKey")));
            columns.push(column);
        }
        key.sort_by_key(|(place, _)| *place);
        for ((place, value), expected) in key.into_iter().zip(1..) {
            if place != expected {
                let rule = "the columns of the key are counted 1, 2, 3 … without a gap";
                return Err(value.error(format!("contradictory `primaryKey`: {rule}")));
            }
        }
        Ok(columns)
    }

    fn read(element: &Element) -> Result<Self, DocumentError> {
        let mut fields = element.fields();
        let name = fields.required_attribute("name")?.non_empty()?.value;
        let primary_key = fields.attribute("primaryKey").map(|value| value.integer(1..=u32::MAX)).transpose()?;
        let row_type = read_type(&fields.required_attribute("type")?)?;
        let length = fields.attribute("length").map(|value| value.integer(1..=u32::MAX)).transpose()?;
        if length.is_some() && row_type != RowType::TEXT {
            let message = "contradictory `column`: only text has a `length`";
            return Err(DocumentError::invalid(element.position(), message));
        }
        let is_nullable = fields.attribute("nullable").map_or(Ok(true), |value| value.boolean())?;
        fields.finish()?;
        Ok(Self { name, row_type, length, is_nullable, primary_key })
    }

    fn write(&self, into: &mut ElementWriter) {
        into.attribute("name", &self.name);
        into.attribute("type", &self.row_type);
        into.optional("length", self.length);
        into.unless_default("nullable", self.is_nullable, true);
        into.optional("primaryKey", self.primary_key);
    }
}

fn read_type(value: &Value<'_>) -> Result<RowType, DocumentError> {
    RowType::from_name(value.as_str()).ok_or_else(|| {
        let names = RowType::names().join(", ");
        value.error(format!("contradictory `type`: `{}` is none of {names}", value.as_str()))
    })
}

impl TableOperation {
    fn read(element: &Element) -> Result<Self, DocumentError> {
        if element.local_name() == "createTable" {
            return Ok(Self::Create(NewTable::read(element)?));
        }
        let mut fields = element.fields();
        let table = fields.required_attribute("name")?.non_empty()?.value;
        let if_exists = fields.attribute("ifExists").map_or(Ok(false), |value| value.boolean())?;
        fields.finish()?;
        Ok(Self::Drop { table, if_exists })
    }
}

impl ActivityElement for RelationalResourceManagement {
    const SHAPE: Shape = Shape::new(
        "relationalResourceManagement",
        Family::Relational,
        "Makes a table, or drops one. It has to be granted.",
    )
    .requires(Requirement::Grant)
    .attributes(&[RESOURCE])
    .children(&[
        ChildShape::new("createTable", "makes a table")
            .choice(1)
            .attributes(&[
                AttributeShape::new("name", ValueShape::NonEmptyText, "").required(),
                AttributeShape::new("ifNotExists", ValueShape::Boolean, "whether one that is there is left as it is")
                    .default("false"),
            ])
            .children(&[
                ChildShape::text(
                    "sql",
                    ValueShape::Text,
                    "what stands between the parentheses, in the words of the database",
                )
                .choice(1),
                ChildShape::new("column", "a column").some().choice(1).attributes(&[
                    AttributeShape::new("name", ValueShape::NonEmptyText, "its name").required(),
                    AttributeShape::new(
                        "type",
                        ValueShape::RowType,
                        "[a type of rows](types.md#names-of-types), the same for all databases",
                    )
                    .required(),
                    AttributeShape::new(
                        "length",
                        ValueShape::SMALL_COUNT,
                        "of `text`: how many characters it has at the most. MariaDB wants it for a column of a key",
                    ),
                    AttributeShape::new("nullable", ValueShape::Boolean, "whether it takes NULL").default("true"),
                    AttributeShape::new(
                        "primaryKey",
                        ValueShape::SMALL_COUNT,
                        "its place in the primary key, from 1; without it it is not in the key",
                    ),
                ]),
            ]),
        ChildShape::new("dropTable", "drops a table").choice(1).attributes(&[
            AttributeShape::new("name", ValueShape::NonEmptyText, "").required(),
            AttributeShape::new("ifExists", ValueShape::Boolean, "whether it is well if it is not there")
                .default("false"),
        ]),
        ChildShape::output(
            "output",
            StreamType::Text,
            "`application/xml`: `<createdTable name=\"…\"/>` or `<droppedTable name=\"…\"/>`",
        )
        .optional(),
    ]);

    type Output = ToStream<Text>;

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        Ok(Self {
            resource: read_resource(fields)?,
            operation: TableOperation::read(fields.one_of(&["createTable", "dropTable"])?)?,
            output: fields.optional_output("output")?,
        })
    }

    fn write(&self, into: &mut ElementWriter) {
        write_resource(self.resource.as_ref(), into);
        match &self.operation {
            TableOperation::Create(table) => into.child("createTable", |element| table.write(element)),
            TableOperation::Drop { table, if_exists } => into.child("dropTable", |element| {
                element.attribute("name", table);
                element.unless_default("ifExists", *if_exists, false);
            }),
        }
        into.optional_output("output", &self.output);
    }

    fn name_output(&mut self, step: &str) -> ToStream<Text> {
        self.output.name_after(step, "output")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Limits;

    fn parse(document: &str) -> Result<NewTable, String> {
        let element = Element::parse(document.as_bytes(), &Limits::default()).unwrap();
        NewTable::read(&element).map_err(|error| error.to_string())
    }

    #[test]
    fn what_does_not_fit_together_is_refused_where_it_stands() {
        for (columns, message) in [
            ("", "1:1: `createTable` is not complete; expected `column`"),
            ("<column name='a' type='money'/>", "1:48: contradictory `type`: `money` is none of boolean, "),
            ("<column name='a' type='date' length='3'/>", "1:31: contradictory `column`: only text has a `length`"),
            ("<column name='a' type='date' primaryKey='2'/>", "contradictory `primaryKey`"),
            ("<column name='a' type='date'/><sql>b</sql>", "the element `sql` stands at the wrong place"),
        ] {
            let error = parse(&format!("<createTable name='abcdefg'>  {columns}</createTable>")).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }
}
