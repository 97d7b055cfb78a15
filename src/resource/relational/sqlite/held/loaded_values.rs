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

use crate::resource::ResourceError;
use crate::resource::relational::load::texts_of_column;

/// One column of a block. What `SQLite` has no type for is written as text.
pub(super) enum LoadedValues<'a> {
    Integers(Vec<Option<i64>>),
    Reals(Vec<Option<f64>>),
    Texts(&'a StringArray),
    Blobs(&'a BinaryArray),
    Written(Vec<Option<String>>),
}

impl<'a> LoadedValues<'a> {
    /// All columns of a block, before which so many rows were loaded. Of each column it is known whether that of the table
    /// makes numbers of texts.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Data`] for a number that `SQLite` would round.
    pub(super) fn of_columns(
        rows: &'a RecordBatch,
        make_numbers: &[bool],
        loaded: u64,
    ) -> Result<Vec<Self>, ResourceError> {
        let columns = make_numbers.iter().enumerate();
        columns.map(|(index, makes_numbers)| Self::of(rows, index, *makes_numbers, loaded)).collect()
    }

    fn of(rows: &'a RecordBatch, index: usize, makes_numbers: bool, loaded: u64) -> Result<Self, ResourceError> {
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
            DataType::UInt64 | DataType::Decimal128(..) | DataType::Decimal256(..) if makes_numbers => {
                exact_numbers(rows, index, loaded)?
            }
            _ => Self::Written(texts_of_column(rows, index)?),
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

/// Numbers as texts that `SQLite` makes the same numbers of.
fn exact_numbers(rows: &RecordBatch, index: usize, loaded: u64) -> Result<LoadedValues<'static>, ResourceError> {
    let texts = texts_of_column(rows, index)?;
    match texts.iter().position(|text| text.as_deref().is_some_and(|text| !is_exact(text))) {
        None => Ok(LoadedValues::Written(texts)),
        Some(row) => Err(ResourceError::Data {
            row: loaded + row as u64 + 1,
            column: rows.schema().field(index).name().clone(),
            problem: "SQLite would round the number: load it into a column that is declared as TEXT".into(),
        }),
    }
}

/// Whether `SQLite` keeps a number as it is: a whole one of 64 bits, or one of 15 digits.
fn is_exact(number: &str) -> bool {
    let digits = number.trim_start_matches('-').bytes().filter(|byte| *byte != b'.').skip_while(|byte| *byte == b'0');
    let digits: Vec<u8> = digits.collect();
    let zeros = digits.iter().rev().take_while(|byte| **byte == b'0').count();
    digits.len() - zeros <= 15 || number.parse::<i64>().is_ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_up_to_what_sqlite_keeps() {
        for number in [
            "0",
            "-0.00",
            "123456789012345",
            "-1.23456789012345",
            "0.00012",
            "9223372036854775807",
            "1500000000000000000000.00",
        ] {
            assert!(is_exact(number), "{number}");
        }
        for number in ["1234567890123456.0", "0.1234567890123456", "9223372036854775808", "12345678901234567.89"] {
            assert!(!is_exact(number), "{number}");
        }
    }
}
