//! The values of a column of rows, as `SQLite` takes them.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type,
};
use arrow_array::{Array, BinaryArray, RecordBatch, StringArray};
use arrow_schema::DataType;
use rusqlite::Statement;
use rusqlite::types::{Null, ToSqlOutput, ValueRef};

use crate::format::{ColumnChoice, ColumnText};
use crate::resource::ResourceError;
use crate::resource::relational::sqlite::error::sql;

/// One column of a block. What `SQLite` has no type for is written as text.
pub(super) enum LoadedValues<'a> {
    Integers(Vec<Option<i64>>),
    Reals(Vec<Option<f64>>),
    Texts(&'a StringArray),
    Blobs(&'a BinaryArray),
    Written(Vec<Option<String>>),
}

impl<'a> LoadedValues<'a> {
    /// All columns of a block, before which so many rows were loaded.
    pub(super) fn of_columns(rows: &'a RecordBatch, loaded: u64) -> Result<Vec<Self>, ResourceError> {
        (0..rows.num_columns()).map(|index| Self::of(rows, index, loaded)).collect()
    }

    fn of(rows: &'a RecordBatch, index: usize, loaded: u64) -> Result<Self, ResourceError> {
        let column = rows.column(index);
        Ok(match column.data_type() {
            DataType::Boolean => Self::Integers(column.as_boolean().iter().map(|value| value.map(i64::from)).collect()),
            DataType::Int8 => integers::<Int8Type>(column),
            DataType::Int16 => integers::<Int16Type>(column),
            DataType::Int32 => integers::<Int32Type>(column),
            DataType::Int64 => integers::<Int64Type>(column),
            DataType::UInt8 => integers::<UInt8Type>(column),
            DataType::UInt16 => integers::<UInt16Type>(column),
            DataType::UInt32 => integers::<UInt32Type>(column),
            DataType::Float32 => reals::<Float32Type>(rows, index, loaded)?,
            DataType::Float64 => reals::<Float64Type>(rows, index, loaded)?,
            DataType::Utf8 => Self::Texts(column.as_string()),
            DataType::Binary => Self::Blobs(column.as_binary()),
            _ => Self::Written(written(rows, index)?),
        })
    }

    /// Binds the value of a row.
    pub(super) fn bind(&self, statement: &mut Statement<'_>, position: usize, row: usize) -> rusqlite::Result<()> {
        let value = match self {
            Self::Integers(values) => return statement.raw_bind_parameter(position, values[row]),
            Self::Reals(values) => return statement.raw_bind_parameter(position, values[row]),
            Self::Texts(values) if values.is_valid(row) => ValueRef::Text(values.value(row).as_bytes()),
            Self::Blobs(values) if values.is_valid(row) => ValueRef::Blob(values.value(row)),
            Self::Written(values) => match &values[row] {
                Some(text) => ValueRef::Text(text.as_bytes()),
                None => ValueRef::Null,
            },
            Self::Texts(_) | Self::Blobs(_) => return statement.raw_bind_parameter(position, Null),
        };
        statement.raw_bind_parameter(position, ToSqlOutput::Borrowed(value))
    }
}

fn integers<T: ArrowPrimitiveType>(column: &dyn Array) -> LoadedValues<'static>
where
    T::Native: Into<i64>,
{
    LoadedValues::Integers(column.as_primitive::<T>().iter().map(|value| value.map(Into::into)).collect())
}

fn reals<T: ArrowPrimitiveType>(
    rows: &RecordBatch,
    index: usize,
    loaded: u64,
) -> Result<LoadedValues<'static>, ResourceError>
where
    T::Native: Into<f64>,
{
    let values = rows.column(index).as_primitive::<T>();
    let values: Vec<Option<f64>> = values.iter().map(|value| value.map(Into::into)).collect();
    match values.iter().position(|value| value.is_some_and(f64::is_nan)) {
        None => Ok(LoadedValues::Reals(values)),
        Some(row) => Err(ResourceError::Data {
            row: loaded + row as u64 + 1,
            column: rows.schema().field(index).name().clone(),
            problem: "SQLite has no NaN: it would become NULL; load it as text or leave it out".into(),
        }),
    }
}

fn written(rows: &RecordBatch, index: usize) -> Result<Vec<Option<String>>, ResourceError> {
    let mut texts = Vec::with_capacity(rows.num_rows());
    let choice = ColumnChoice::Number(index + 1);
    let mut column = ColumnText::new(&rows.schema(), &choice).map_err(|error| sql(error.to_string()))?;
    column.values(rows, |value| texts.push(value.map(str::to_owned))).map_err(|error| sql(error.to_string()))?;
    Ok(texts)
}
