//! What the result of a statement looks like.

use std::collections::HashMap;
use std::ffi::CStr;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parking_lot::Mutex;
use rusqlite::Statement;

use super::connection::STATEMENTS;
use crate::block::ColumnOrigin;

/// The columns of a result, before any row was seen.
#[derive(Debug)]
pub(super) struct ResultShape {
    pub(super) columns: Vec<ColumnShape>,
    last_schema: Mutex<Option<SchemaRef>>,
}

/// One column of a result.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ColumnShape {
    pub(super) name: String,
    /// The declared type, and the table and column where it comes from.
    origin: ColumnOrigin,
    /// The type of the stream's column, or none where the first values decide.
    pub(super) announced: Option<DataType>,
    /// The type where there are no first values, only NULL.
    pub(super) without_values: DataType,
}

impl ResultShape {
    fn of(statement: &Statement<'_>) -> Self {
        let mut columns = Vec::with_capacity(statement.column_count());
        for (index, column) in statement.columns().enumerate() {
            let mut origin =
                ColumnOrigin { type_name: column.decl_type().map(str::to_owned), ..ColumnOrigin::default() };
            // A column of a table-valued function is said to come from a table that can't be asked about.
            if let Ok(Some(found)) = statement.column_metadata(index) {
                let (_, table, name, _, _, not_null, primary_key, auto_increment) = found;
                let rowid =
                    primary_key && origin.type_name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case("INTEGER"));
                origin.table = Some(text(table));
                origin.column = Some(text(name));
                origin.nullable = Some(!not_null && !rowid);
                origin.auto_increment = auto_increment;
            }
            columns.push(ColumnShape {
                name: column.name().to_owned(),
                announced: column.decl_type().and_then(announced_type),
                without_values: column.decl_type().map_or(DataType::Utf8, type_without_values),
                origin,
            });
        }
        Self { columns, last_schema: Mutex::default() }
    }

    /// Whether the statement still gives these columns: someone may have changed the schema.
    fn fits(&self, statement: &Statement<'_>) -> bool {
        statement.column_count() == self.columns.len()
            && statement.columns().zip(statement.columns_with_metadata()).zip(&self.columns).all(
                |((column, place), known)| {
                    column.name() == known.name
                        && column.decl_type() == known.origin.type_name.as_deref()
                        && place.table_name() == known.origin.table.as_deref()
                },
            )
    }

    /// The schema of a block of these columns. Most blocks of a statement have the same, so the last one is kept.
    pub(super) fn schema(&self, arrays: &[ArrayRef]) -> SchemaRef {
        let mut last = self.last_schema.lock();
        if let Some(last) = last.as_ref().filter(|last| has_types_of(last, arrays)) {
            return Arc::clone(last);
        }
        let fields: Vec<Field> = self
            .columns
            .iter()
            .zip(arrays)
            .map(|(column, array)| {
                Field::new(&column.name, array.data_type().clone(), true).with_metadata(column.origin.to_metadata())
            })
            .collect();
        Arc::clone(last.insert(Arc::new(Schema::new(fields))))
    }
}

fn has_types_of(schema: &Schema, arrays: &[ArrayRef]) -> bool {
    schema.fields().iter().zip(arrays).all(|(field, array)| field.data_type() == array.data_type())
}

fn text(name: &CStr) -> String {
    name.to_string_lossy().into_owned()
}

/// The type of a column by its declared type, where `SQLite` itself turns every value into it that can be: by the rules
/// of column affinity (<https://www.sqlite.org/datatype3.html>).
///
/// `DECIMAL` and `NUMERIC` columns hold integers and reals side by side, so they travel as text, which holds both exactly.
/// Where the affinity leaves the type open (`BLOB`, none, and the other numeric ones such as `TIMESTAMP` and `BOOLEAN`),
/// the values decide.
fn announced_type(declared: &str) -> Option<DataType> {
    let declared = declared.to_ascii_uppercase();
    let has = |part: &str| declared.contains(part);
    if has("INT") {
        Some(DataType::Int64)
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        Some(DataType::Utf8)
    } else if has("BLOB") {
        None
    } else if has("REAL") || has("FLOA") || has("DOUB") {
        Some(DataType::Float64)
    } else if has("DECIMAL") || has("NUMERIC") {
        Some(DataType::Utf8)
    } else {
        None
    }
}

/// Whether a column of this declared type makes numbers of texts that look like them, by the rules of column affinity.
pub(super) fn makes_numbers(declared: &str) -> bool {
    let declared = declared.to_ascii_uppercase();
    let has = |part: &str| declared.contains(part);
    has("INT") || !(declared.is_empty() || has("CHAR") || has("CLOB") || has("TEXT") || has("BLOB"))
}

fn type_without_values(declared: &str) -> DataType {
    if declared.to_ascii_uppercase().contains("BLOB") { DataType::Binary } else { DataType::Utf8 }
}

/// The shapes of the statements that a connection has prepared, by their text.
#[derive(Debug, Default)]
pub(super) struct ShapeCache(HashMap<String, Arc<ResultShape>>);

impl ShapeCache {
    /// The shape of a statement that has made its first step, which is when it knows of a changed schema.
    pub(super) fn shape(&mut self, sql: &str, statement: &Statement<'_>) -> Arc<ResultShape> {
        if let Some(known) = self.0.get(sql).filter(|known| known.fits(statement)) {
            return Arc::clone(known);
        }
        let shape = Arc::new(ResultShape::of(statement));
        if self.0.len() >= STATEMENTS {
            self.0.clear();
        }
        self.0.insert(sql.to_owned(), Arc::clone(&shape));
        shape
    }
}
