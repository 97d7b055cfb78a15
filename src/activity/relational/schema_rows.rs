//! Schemas of databases as rows: one for each column, in the order of the tables.
//!
//! | column | what it says |
//! |---|---|
//! | `schema` | the schema that the table stands in, where the database has such |
//! | `table` | the table or view |
//! | `kind` | `table` or `view` |
//! | `column` | the column; NULL where only the names of tables are wanted, as all that follows |
//! | `position` | which column of the table it is, from 1 |
//! | `type` | its type, as it was declared |
//! | `nullable` | whether it takes NULL |
//! | `default` | its default, as an SQL expression |
//! | `primaryKey` | its place in the primary key, from 1 |

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Int32Array, RecordBatch, StringArray};
use arrow_schema::{ArrowError, Schema};

use super::schema_document::kind_name;
use crate::activity::ActivityError;
use crate::block::BLOCK_ROWS;
use crate::format::{ColumnChoice, ColumnText, FormatError};
use crate::resource::relational::{Column, DatabaseSchema, Table, TableKind};

/// A schema as blocks of rows: at least one, so that a reader knows the columns.
pub(super) fn to_blocks(schema: &DatabaseSchema) -> Result<Vec<RecordBatch>, ActivityError> {
    let rows: Vec<SchemaRow<'_>> = schema.tables.iter().flat_map(rows_of).collect();
    if rows.is_empty() {
        return Ok(vec![block(&[])?]);
    }
    rows.chunks(BLOCK_ROWS).map(block).collect()
}

/// One row: a column of a table, or a table of which only the name is told.
struct SchemaRow<'a> {
    table: &'a Table,
    position: Option<usize>,
    column: Option<&'a Column>,
}

fn rows_of(table: &Table) -> Vec<SchemaRow<'_>> {
    if table.columns.is_empty() {
        return vec![SchemaRow { table, position: None, column: None }];
    }
    let columns = table.columns.iter().zip(1..);
    columns.map(|(column, position)| SchemaRow { table, position: Some(position), column: Some(column) }).collect()
}

fn block(rows: &[SchemaRow<'_>]) -> Result<RecordBatch, ActivityError> {
    fn texts<'a>(rows: &'a [SchemaRow<'a>], of: impl Fn(&'a SchemaRow<'a>) -> Option<&'a str>) -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<StringArray>())
    }
    fn numbers(rows: &[SchemaRow<'_>], of: impl Fn(&SchemaRow<'_>) -> Option<i32>) -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<Int32Array>())
    }
    let nullable: BooleanArray = rows.iter().map(|row| row.column.map(|column| column.nullable)).collect();
    let columns = [
        ("schema", texts(rows, |row| row.table.schema.as_deref())),
        ("table", texts(rows, |row| Some(&row.table.name))),
        ("kind", texts(rows, |row| Some(kind_name(row.table.kind)))),
        ("column", texts(rows, |row| Some(&*row.column?.name))),
        ("position", numbers(rows, |row| i32::try_from(row.position?).ok())),
        ("type", texts(rows, |row| Some(&*row.column?.type_name))),
        ("nullable", Arc::new(nullable)),
        ("default", texts(rows, |row| row.column?.default.as_deref())),
        ("primaryKey", numbers(rows, |row| i32::try_from(row.column?.primary_key?).ok())),
    ];
    let columns = columns.map(|(name, values)| (name, values, true));
    RecordBatch::try_from_iter_with_nullable(columns).map_err(|error: ArrowError| {
        // All columns have a value for each row.
        ActivityError::server("SchemaRows", error.to_string())
    })
}

/// Makes tables of such rows again, as they come.
#[derive(Debug)]
pub(super) struct TableReader {
    schema: ColumnText,
    table: ColumnText,
    kind: ColumnText,
    column: ColumnText,
    type_name: ColumnText,
    nullable: ColumnText,
    default: ColumnText,
    primary_key: ColumnText,
    /// The one whose rows are being read.
    current: Option<Table>,
}

impl TableReader {
    /// Begins to read rows of these columns.
    ///
    /// # Errors
    ///
    /// [`FormatError::Column`] when they are not rows of a schema.
    pub(super) fn begin(rows: &Schema) -> Result<Self, FormatError> {
        let column = |name: &str| ColumnText::new(rows, &ColumnChoice::Name(name.to_owned()));
        Ok(Self {
            schema: column("schema")?,
            table: column("table")?,
            kind: column("kind")?,
            column: column("column")?,
            type_name: column("type")?,
            nullable: column("nullable")?,
            default: column("default")?,
            primary_key: column("primaryKey")?,
            current: None,
        })
    }

    /// Reads a block, and gives the tables that are complete.
    pub(super) fn read(&mut self, rows: &RecordBatch) -> Result<Vec<Table>, ActivityError> {
        let mut complete = Vec::new();
        let (mut schemas, mut names) = (texts(&mut self.schema, rows)?, texts(&mut self.table, rows)?);
        let (mut kinds, mut columns) = (texts(&mut self.kind, rows)?, texts(&mut self.column, rows)?);
        let (mut types, mut nullables) = (texts(&mut self.type_name, rows)?, texts(&mut self.nullable, rows)?);
        let (mut defaults, mut keys) = (texts(&mut self.default, rows)?, texts(&mut self.primary_key, rows)?);
        for row in 0..rows.num_rows() {
            let (schema, name) = (schemas[row].take(), names[row].take().unwrap_or_default());
            if self.current.as_ref().is_none_or(|table| table.schema != schema || table.name != name) {
                let kind =
                    if kinds[row].take().as_deref() == Some("view") { TableKind::View } else { TableKind::Table };
                complete.extend(self.current.replace(Table { schema, name, kind, columns: Vec::new() }));
            }
            if let (Some(table), Some(name)) = (&mut self.current, columns[row].take()) {
                table.columns.push(Column {
                    name,
                    type_name: types[row].take().unwrap_or_default(),
                    // `SQLite`, through which the rows may have gone, has numbers for it.
                    nullable: !matches!(nullables[row].take().as_deref(), Some("false" | "0")),
                    default: defaults[row].take(),
                    primary_key: keys[row].take().and_then(|position| position.parse().ok()),
                });
            }
        }
        Ok(complete)
    }

    /// The last table.
    pub(super) fn end(self) -> Option<Table> {
        self.current
    }
}

fn texts(column: &mut ColumnText, rows: &RecordBatch) -> Result<Vec<Option<String>>, FormatError> {
    let mut values = Vec::with_capacity(rows.num_rows());
    column.values(rows, |value| values.push(value.map(str::to_owned)))?;
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, columns: usize) -> Table {
        let column = |number| Column {
            name: format!("c{number}"),
            type_name: "INTEGER".to_owned(),
            nullable: number % 2 == 0,
            default: (number == 3).then(|| "'x'".to_owned()),
            primary_key: (number == 1).then_some(1),
        };
        let kind = if columns == 0 { TableKind::View } else { TableKind::Table };
        Table {
            schema: Some("s".to_owned()),
            name: name.to_owned(),
            kind,
            columns: (1..=columns).map(column).collect(),
        }
    }

    #[test]
    fn a_schema_is_the_same_after_a_way_through_rows() {
        // The second table is cut by the end of a block.
        let schema = DatabaseSchema { tables: vec![table("a", 700), table("b", 700), table("c", 0), table("d", 1)] };
        let blocks = to_blocks(&schema).unwrap();
        assert_eq!(blocks.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [1024, 378]);
        let mut reader = TableReader::begin(&blocks[0].schema()).unwrap();
        let mut tables: Vec<Table> = blocks.iter().flat_map(|block| reader.read(block).unwrap()).collect();
        tables.extend(reader.end());
        assert_eq!(tables, schema.tables);
    }

    #[test]
    fn an_empty_schema_is_one_block_without_rows() {
        let blocks = to_blocks(&DatabaseSchema::default()).unwrap();
        assert_eq!(blocks.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [0]);
        let mut reader = TableReader::begin(&blocks[0].schema()).unwrap();
        assert_eq!(reader.read(&blocks[0]).unwrap(), []);
        assert_eq!(reader.end(), None);
    }

    #[test]
    fn rows_of_something_else_are_refused() {
        let rows = RecordBatch::try_from_iter([("table", Arc::new(StringArray::from(vec!["t"])) as _)]).unwrap();
        let error = TableReader::begin(&rows.schema()).unwrap_err();
        assert!(error.to_string().contains("`schema`"), "{error}");
    }
}
