//! The columns of one block, each seen as its type once, and then row by row.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, BinaryArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::DataType;

use super::FormatError;

/// A column, by its type.
pub(super) enum Cells<'a> {
    Integers(&'a Int64Array),
    Reals(&'a Float64Array),
    Booleans(&'a BooleanArray),
    Texts(&'a StringArray),
    Blobs(&'a BinaryArray),
}

impl<'a> Cells<'a> {
    /// All columns of a block.
    pub(super) fn of(rows: &'a RecordBatch) -> Result<Vec<Self>, FormatError> {
        (0..rows.num_columns()).map(|index| Self::column(rows, index)).collect()
    }

    /// One column of a block.
    pub(super) fn column(rows: &'a RecordBatch, index: usize) -> Result<Self, FormatError> {
        let array = rows.column(index);
        Ok(match array.data_type() {
            DataType::Int64 => Self::Integers(array.as_primitive::<Int64Type>()),
            DataType::Float64 => Self::Reals(array.as_primitive::<Float64Type>()),
            DataType::Boolean => Self::Booleans(array.as_boolean()),
            DataType::Utf8 => Self::Texts(array.as_string()),
            DataType::Binary => Self::Blobs(array.as_binary()),
            other => {
                return Err(FormatError::Type {
                    column: rows.schema_ref().field(index).name().clone(),
                    data_type: other.to_string(),
                });
            }
        })
    }

    /// Whether the value in that row is NULL.
    #[inline]
    pub(super) fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Integers(array) => array.is_null(row),
            Self::Reals(array) => array.is_null(row),
            Self::Booleans(array) => array.is_null(row),
            Self::Texts(array) => array.is_null(row),
            Self::Blobs(array) => array.is_null(row),
        }
    }
}

/// Appends an integer.
#[inline]
pub(super) fn push_integer(out: &mut String, value: i64) {
    out.push_str(itoa::Buffer::new().format(value));
}

/// Appends a real in the shortest form that reads back as the same number, and `Infinity` or `NaN` where it is that:
/// the forms that Java's and most other languages' readers take.
#[inline]
pub(super) fn push_real(out: &mut String, value: f64) {
    if value.is_finite() {
        out.push_str(ryu::Buffer::new().format_finite(value));
    } else if value.is_nan() {
        out.push_str("NaN");
    } else {
        out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
    }
}

/// Appends bytes in base64.
pub(super) fn push_base64(out: &mut String, bytes: &[u8]) {
    base64::Engine::encode_string(&base64::engine::general_purpose::STANDARD, bytes, out);
}
