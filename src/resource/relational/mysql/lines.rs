//! Rows as lines of text, as `LOAD DATA` reads them.

use std::fmt::Display;
use std::io::Write;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time64MicrosecondType, TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrowPrimitiveType, PrimitiveArray, RecordBatch};
use arrow_schema::{DataType, SchemaRef, TimeUnit};
use bytes::Bytes;

use super::text;
use crate::resource::ResourceError;

/// Writes blocks of rows: fields end with a tab, lines with a line break, `\N` is NULL, and bytes are hexadecimal.
#[derive(Debug)]
pub(super) struct Lines {
    /// Which columns are bytes, by the first block of the stream.
    are_bytes: Vec<bool>,
    /// How long the last block was.
    length: usize,
}

impl Lines {
    pub(super) fn of(schema: &SchemaRef) -> Self {
        let is_bytes = |data_type: &DataType| matches!(data_type, DataType::Binary | DataType::LargeBinary);
        Self { are_bytes: schema.fields().iter().map(|field| is_bytes(field.data_type())).collect(), length: 0 }
    }

    /// The lines of a block.
    pub(super) fn write(&mut self, rows: &RecordBatch) -> Result<Bytes, ResourceError> {
        let mut out = Vec::with_capacity(self.length + self.length / 8);
        let schema = rows.schema_ref();
        let fields = rows.columns().iter().zip(schema.fields()).zip(&self.are_bytes);
        let fields = fields.map(|((array, field), is_bytes)| Field::of(array, field.name(), *is_bytes));
        let fields = fields.collect::<Result<Vec<_>, _>>()?;
        for row in 0..rows.num_rows() {
            for (index, field) in fields.iter().enumerate() {
                if index > 0 {
                    out.push(b'\t');
                }
                if field.array.is_null(row) {
                    out.extend_from_slice(b"\\N");
                } else {
                    (field.write)(field.array, row, &mut out);
                }
            }
            out.push(b'\n');
        }
        self.length = out.len();
        Ok(out.into())
    }
}

/// A column, and how its values are written.
struct Field<'a> {
    array: &'a dyn Array,
    write: fn(&dyn Array, usize, &mut Vec<u8>),
}

impl<'a> Field<'a> {
    fn of(array: &'a dyn Array, name: &str, is_bytes: bool) -> Result<Self, ResourceError> {
        let write: fn(&dyn Array, usize, &mut Vec<u8>) = match array.data_type() {
            DataType::Utf8 if is_bytes => {
                |array, row, out| push_hex(out, array.as_string::<i32>().value(row).as_bytes())
            }
            DataType::Utf8 => |array, row, out| push_text(out, array.as_string::<i32>().value(row).as_bytes()),
            DataType::Binary if is_bytes => |array, row, out| push_hex(out, array.as_binary::<i32>().value(row)),
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
            DataType::Decimal128(..) => |array, row, out| decimal::<Decimal128Type>(array, row, out),
            DataType::Decimal256(..) => |array, row, out| decimal::<Decimal256Type>(array, row, out),
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
            other => {
                return Err(ResourceError::unsupported(format!(
                    "values of the column `{name}` ({other}) can't be loaded into MariaDB: load them as text"
                )));
            }
        };
        Ok(Self { array, write })
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

/// Text with the characters escaped that would end it.
fn push_text(out: &mut Vec<u8>, mut text: &[u8]) {
    while let Some(place) = memchr::memchr3(b'\\', b'\t', b'\n', text) {
        out.extend_from_slice(&text[..place]);
        out.push(b'\\');
        out.push(match text[place] {
            b'\t' => b't',
            b'\n' => b'n',
            other => other,
        });
        text = &text[place + 1..];
    }
    out.extend_from_slice(text);
}

fn push_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.extend(bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, BinaryArray, Float64Array, StringArray};

    use super::*;

    #[test]
    fn what_would_end_a_field_is_escaped() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("a\tb\nc\\d"), None, Some("")]));
        let bytes: ArrayRef = Arc::new(BinaryArray::from_opt_vec(vec![Some(b"\x00\xFF"), Some(b""), None]));
        let reals: ArrayRef = Arc::new(Float64Array::from(vec![0.1, 1e300, -5.0]));
        let rows = RecordBatch::try_from_iter([("t", texts), ("b", bytes), ("r", reals)]).unwrap();
        let written = Lines::of(&rows.schema()).write(&rows).unwrap();
        let expected = format!("a\\tb\\nc\\\\d\t00FF\t0.1\n\\N\t\t{}\n\t\\N\t-5\n", 1e300);
        assert_eq!(std::str::from_utf8(&written).unwrap(), expected);
    }
}
