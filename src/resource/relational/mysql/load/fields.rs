//! Values of rows as text that the server reads.

use std::fmt::Display;
use std::io::Write;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time64MicrosecondType, TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrowPrimitiveType, PrimitiveArray, RecordBatch, StringArray};
use arrow_schema::{DataType, SchemaRef, TimeUnit};

use crate::resource::ResourceError;
use crate::resource::relational::load::texts_of_column;
use crate::resource::relational::mysql::text;

/// The columns of a stream of rows. Bytes are written in hexadecimal.
#[derive(Debug)]
pub(super) struct Fields {
    /// Which columns are bytes, by the first block of the stream.
    are_bytes: Vec<bool>,
    rows_before: u64,
}

impl Fields {
    pub(super) fn of(schema: &SchemaRef) -> Self {
        let are_bytes = schema.fields().iter().map(|field| *field.data_type() == DataType::Binary).collect();
        Self { are_bytes, rows_before: 0 }
    }

    /// The columns of the next block.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Data`] for a day or a moment that the server has no date for, [`ResourceError::Unsupported`] for values
    /// that it can't take.
    pub(super) fn of_block<'a>(&mut self, rows: &'a RecordBatch) -> Result<Vec<Field<'a>>, ResourceError> {
        let mut fields = Vec::with_capacity(self.are_bytes.len());
        for (index, is_bytes) in self.are_bytes.iter().enumerate() {
            let array = rows.column(index);
            if let Some(row) = first_without_date(array) {
                return Err(ResourceError::Data {
                    row: self.rows_before + row as u64 + 1,
                    column: rows.schema_ref().field(index).name().clone(),
                    problem: "MariaDB has dates from year 1 to year 9999 only; load it as text or leave it out".into(),
                });
            }
            fields.push(Field { array, form: Form::of(rows, index, *is_bytes)? });
        }
        self.rows_before += rows.num_rows() as u64;
        Ok(fields)
    }
}

/// The row, from 0, of the first day or moment that the server has no date for.
fn first_without_date(array: &dyn Array) -> Option<usize> {
    fn first<T: ArrowPrimitiveType>(array: &dyn Array, has: fn(T::Native) -> bool) -> Option<usize> {
        array.as_primitive::<T>().iter().position(|value| value.is_some_and(|value| !has(value)))
    }
    match array.data_type() {
        DataType::Date32 => first::<Date32Type>(array, text::has_day),
        DataType::Timestamp(TimeUnit::Microsecond, _) => first::<TimestampMicrosecondType>(array, text::has_moment),
        _ => None,
    }
}

/// A column of a block, and how its values are written.
pub(super) struct Field<'a> {
    array: &'a dyn Array,
    form: Form<'a>,
}

enum Form<'a> {
    Texts(&'a StringArray),
    Written(Vec<Option<String>>),
    Plain(fn(&dyn Array, usize, &mut Vec<u8>)),
}

impl Field<'_> {
    pub(super) fn is_null(&self, row: usize) -> bool {
        self.array.is_null(row)
    }

    /// The value, if it is a text of any characters.
    pub(super) fn text(&self, row: usize) -> Option<&str> {
        match &self.form {
            Form::Texts(array) => Some(array.value(row)),
            Form::Written(texts) => texts[row].as_deref(),
            Form::Plain(_) => None,
        }
    }

    /// Writes the value, of which the characters are those of numbers, dates and hexadecimal digits unless it is a text.
    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>) {
        match &self.form {
            Form::Plain(write) => write(self.array, row, out),
            Form::Texts(_) | Form::Written(_) => {
                out.extend_from_slice(self.text(row).unwrap_or_default().as_bytes());
            }
        }
    }
}

impl<'a> Form<'a> {
    fn of(rows: &'a RecordBatch, index: usize, is_bytes: bool) -> Result<Self, ResourceError> {
        let array: &dyn Array = rows.column(index);
        let plain: fn(&dyn Array, usize, &mut Vec<u8>) = match array.data_type() {
            DataType::Utf8 if is_bytes => {
                |array, row, out| push_hex(out, array.as_string::<i32>().value(row).as_bytes())
            }
            DataType::Utf8 => return Ok(Self::Texts(rows.column(index).as_string())),
            DataType::Binary if is_bytes => |array, row, out| push_hex(out, array.as_binary::<i32>().value(row)),
            DataType::Binary => {
                return Err(ResourceError::unsupported(format!(
                    "the column `{}` begins as text and goes on as bytes: have it be bytes throughout",
                    rows.schema_ref().field(index).name()
                )));
            }
            DataType::Boolean => |array, row, out| out.push(b'0' + u8::from(array.as_boolean().value(row))),
            DataType::Int8 => number::<Int8Type>,
            DataType::Int16 => number::<Int16Type>,
            DataType::Int32 => number::<Int32Type>,
            DataType::Int64 => number::<Int64Type>,
            DataType::UInt8 => number::<UInt8Type>,
            DataType::UInt16 => number::<UInt16Type>,
            DataType::UInt32 => number::<UInt32Type>,
            DataType::UInt64 => number::<UInt64Type>,
            // The server takes `NaN` and `inf` for no numbers, which is an error.
            DataType::Float32 => number::<Float32Type>,
            DataType::Float64 => number::<Float64Type>,
            DataType::Decimal128(_, 0..) => decimal::<Decimal128Type>,
            DataType::Decimal256(_, 0..) => decimal::<Decimal256Type>,
            DataType::Date32 => |array, row, out| {
                let day = value::<Date32Type>(array, row);
                text::write(out, &text::day_value(day), 0, true);
            },
            DataType::Time64(TimeUnit::Microsecond) => |array, row, out| {
                let micros = value::<Time64MicrosecondType>(array, row);
                text::write(out, &text::time_value(micros), 6, false);
            },
            DataType::Timestamp(TimeUnit::Microsecond, _) => |array, row, out| {
                let micros = value::<TimestampMicrosecondType>(array, row);
                text::write(out, &text::date_value(micros), 6, false);
            },
            // All values are NULL.
            DataType::Null => |_, _, _| {},
            // What the server has no type for is kept as text.
            _ => return Ok(Self::Written(texts_of_column(rows, index)?)),
        };
        Ok(Self::Plain(plain))
    }
}

fn value<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> T::Native {
    array.as_primitive::<T>().value(row)
}

fn number<T: ArrowPrimitiveType>(array: &dyn Array, row: usize, out: &mut Vec<u8>)
where
    T::Native: Display,
{
    // Writing to memory does not fail.
    let _ = write!(out, "{}", value::<T>(array, row));
}

fn decimal<T: ArrowPrimitiveType>(array: &dyn Array, row: usize, out: &mut Vec<u8>)
where
    T::Native: Display,
    PrimitiveArray<T>: Array,
{
    let scale = match array.data_type() {
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => usize::try_from(*scale).unwrap_or(0),
        _ => 0,
    };
    text::write_decimal(out, &value::<T>(array, row).to_string(), scale);
}

fn push_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.extend(bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]));
}
