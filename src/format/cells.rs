//! The columns of one block, each seen as its type once, and then row by row.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, BinaryArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Schema};

use super::FormatError;

/// A column, by its type.
pub(super) enum Cells<'a> {
    Integers(&'a Int64Array),
    Reals(&'a Float64Array),
    Booleans(&'a BooleanArray),
    Texts(&'a StringArray),
    Blobs(&'a BinaryArray),
    /// Text and bytes side by side, in a column that is not one of bytes: those that are UTF-8 are text.
    Mixed(&'a BinaryArray),
}

impl<'a> Cells<'a> {
    /// One column of a block, in a stream that announced `announced` for it.
    pub(super) fn of(rows: &'a RecordBatch, index: usize, announced: &DataType) -> Result<Self, FormatError> {
        let array = rows.column(index);
        Ok(match array.data_type() {
            DataType::Int64 => Self::Integers(array.as_primitive::<Int64Type>()),
            DataType::Float64 => Self::Reals(array.as_primitive::<Float64Type>()),
            DataType::Boolean => Self::Booleans(array.as_boolean()),
            DataType::Utf8 => Self::Texts(array.as_string()),
            DataType::Binary if *announced == DataType::Binary => Self::Blobs(array.as_binary()),
            DataType::Binary => Self::Mixed(array.as_binary()),
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
            Self::Blobs(array) | Self::Mixed(array) => array.is_null(row),
        }
    }
}

/// What the writers remember of the stream: the types that it announced, and how many rows have passed.
#[derive(Debug, Clone, Default)]
pub(super) struct Stream {
    announced: Vec<DataType>,
    rows: u64,
}

impl Stream {
    /// A stream that begins with this schema.
    pub(super) fn begun(schema: &Schema) -> Self {
        Self { announced: schema.fields().iter().map(|field| field.data_type().clone()).collect(), rows: 0 }
    }

    /// All columns of a block. A stream that has not begun begins with it.
    pub(super) fn cells<'a>(&mut self, rows: &'a RecordBatch) -> Result<Vec<Cells<'a>>, FormatError> {
        if self.announced.len() != rows.num_columns() {
            *self = Self::begun(rows.schema_ref());
        }
        self.announced.iter().enumerate().map(|(index, announced)| Cells::of(rows, index, announced)).collect()
    }

    /// The type that the stream announced for a column.
    pub(super) fn announced(&self, column: usize) -> &DataType {
        self.announced.get(column).unwrap_or(&DataType::Null)
    }

    /// Counts the rows of a block that was written.
    pub(super) fn passed(&mut self, rows: &RecordBatch) {
        self.rows += rows.num_rows() as u64;
    }

    /// An error about one value of the present block.
    pub(super) fn value_error(
        &self,
        rows: &RecordBatch,
        place: (usize, usize),
        problem: impl Into<Cow<'static, str>>,
    ) -> FormatError {
        let (row, column) = place;
        FormatError::Value {
            row: self.rows + row as u64 + 1,
            column: rows.schema_ref().field(column).name().clone(),
            problem: problem.into(),
        }
    }
}

/// Why bytes among text can't be written.
pub(super) const NOT_TEXT: &str =
    "the value is bytes, in a column of another type; read it with hex(…), or the whole column with CAST(… AS BLOB)";

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

/// Appends a truth value.
#[inline]
pub(super) fn push_boolean(out: &mut String, value: bool) {
    out.push_str(if value { "true" } else { "false" });
}

/// Appends bytes in base64.
pub(super) fn push_base64(out: &mut String, bytes: &[u8]) {
    base64::Engine::encode_string(&base64::engine::general_purpose::STANDARD, bytes, out);
}
