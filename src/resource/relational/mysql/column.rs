//! One column of a block that is being built.

use std::sync::Arc;

use arrow_array::types::{
    Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time64MicrosecondType, TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, NullBufferBuilder, ScalarBuffer, i256};
use arrow_schema::DataType;
use mysql_async::Value;

use super::shape::ColumnShape;
use super::text;
use crate::resource::relational::pieces::{Pieces, Room, fitted};

/// Takes the values of one column into a typed buffer.
///
/// The buffer has the type of the column until a value comes that this type does not have: a day that is in no calendar
/// (`0000-00-00`), a time of more than a day. Then it becomes text, as the server writes it, for the rest of the block. Nothing
/// is rounded or cut.
#[derive(Debug)]
pub(super) struct ColumnBuilder {
    values: Values,
    data_type: DataType,
    decimals: u8,
    nulls: NullBufferBuilder,
}

#[derive(Debug)]
enum Values {
    Boolean(Vec<bool>),
    Int8(Vec<i8>),
    Int16(Vec<i16>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    UInt8(Vec<u8>),
    UInt16(Vec<u16>),
    UInt32(Vec<u32>),
    UInt64(Vec<u64>),
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    Decimal128(Vec<i128>, usize),
    Decimal256(Vec<i256>, usize),
    Date(Vec<i32>),
    Time(Vec<i64>),
    Timestamp(Vec<i64>),
    Texts(Pieces),
    Bytes(Pieces),
}

/// Appends a whole number if it fits.
fn fits<T: TryFrom<i64>>(values: &mut Vec<T>, value: i64) -> bool {
    T::try_from(value).is_ok_and(|value| {
        values.push(value);
        true
    })
}

impl ColumnBuilder {
    /// A builder for values of `data_type`: that of the column, or text.
    pub(super) fn new(shape: &ColumnShape, data_type: &DataType, room: Room) -> Self {
        let rows = room.rows;
        let scale = |scale: i8| usize::from(scale.unsigned_abs());
        let values = match data_type {
            DataType::Boolean => Values::Boolean(Vec::with_capacity(rows)),
            DataType::Int8 => Values::Int8(Vec::with_capacity(rows)),
            DataType::Int16 => Values::Int16(Vec::with_capacity(rows)),
            DataType::Int32 => Values::Int32(Vec::with_capacity(rows)),
            DataType::Int64 => Values::Int64(Vec::with_capacity(rows)),
            DataType::UInt8 => Values::UInt8(Vec::with_capacity(rows)),
            DataType::UInt16 => Values::UInt16(Vec::with_capacity(rows)),
            DataType::UInt32 => Values::UInt32(Vec::with_capacity(rows)),
            DataType::UInt64 => Values::UInt64(Vec::with_capacity(rows)),
            DataType::Float32 => Values::Float32(Vec::with_capacity(rows)),
            DataType::Float64 => Values::Float64(Vec::with_capacity(rows)),
            DataType::Decimal128(_, digits) => Values::Decimal128(Vec::with_capacity(rows), scale(*digits)),
            DataType::Decimal256(_, digits) => Values::Decimal256(Vec::with_capacity(rows), scale(*digits)),
            DataType::Date32 => Values::Date(Vec::with_capacity(rows)),
            DataType::Time64(_) => Values::Time(Vec::with_capacity(rows)),
            DataType::Timestamp(..) => Values::Timestamp(Vec::with_capacity(rows)),
            DataType::Binary => Values::Bytes(Pieces::with_capacity(rows, room.bytes)),
            _ => Values::Texts(Pieces::with_capacity(rows, room.bytes)),
        };
        Self {
            values,
            data_type: shape.data_type.clone(),
            decimals: shape.decimals,
            nulls: NullBufferBuilder::new(rows),
        }
    }

    /// Appends one value, and gives the number of bytes that it takes.
    #[inline]
    pub(super) fn push(&mut self, value: &Value) -> usize {
        let has_taken = match (&mut self.values, value) {
            (_, Value::NULL) => return self.push_null(),
            (Values::Texts(pieces) | Values::Bytes(pieces), Value::Bytes(bytes)) => {
                pieces.push(bytes);
                self.nulls.append_non_null();
                return bytes.len() + size_of::<i32>();
            }
            (Values::Int32(values), Value::Int(value)) => fits(values, *value),
            (Values::Int64(values), Value::Int(value)) => fits(values, *value),
            (Values::Float64(values), Value::Double(value)) => {
                values.push(*value);
                true
            }
            (values, value) => values.push_rare(value),
        };
        if has_taken {
            self.nulls.append_non_null();
            size_of::<i64>()
        } else {
            self.push_text(value)
        }
    }

    fn push_null(&mut self) -> usize {
        match &mut self.values {
            Values::Boolean(values) => values.push(false),
            Values::Int8(values) => values.push(0),
            Values::Int16(values) => values.push(0),
            Values::Int32(values) | Values::Date(values) => values.push(0),
            Values::Int64(values) | Values::Time(values) | Values::Timestamp(values) => values.push(0),
            Values::UInt8(values) => values.push(0),
            Values::UInt16(values) => values.push(0),
            Values::UInt32(values) => values.push(0),
            Values::UInt64(values) => values.push(0),
            Values::Float32(values) => values.push(0.0),
            Values::Float64(values) => values.push(0.0),
            Values::Decimal128(values, _) => values.push(0),
            Values::Decimal256(values, _) => values.push(i256::ZERO),
            Values::Texts(pieces) | Values::Bytes(pieces) => pieces.end_value(),
        }
        self.nulls.append_null();
        size_of::<i32>()
    }

    /// A value that the buffer's type does not have: the buffer becomes text.
    fn push_text(&mut self, value: &Value) -> usize {
        let is_date = self.data_type == DataType::Date32;
        let decimals = self.decimals;
        if !matches!(self.values, Values::Texts(_) | Values::Bytes(_)) {
            let mut pieces = Pieces::with_capacity(self.nulls.len() + 1, 0);
            for row in 0..self.nulls.len() {
                if self.nulls.is_valid(row) {
                    self.values.write(row, &mut pieces.bytes, decimals, is_date);
                }
                pieces.end_value();
            }
            self.values = Values::Texts(pieces);
        }
        let (Values::Texts(pieces) | Values::Bytes(pieces)) = &mut self.values else { return 0 };
        let before = pieces.bytes.len();
        text::write(&mut pieces.bytes, value, decimals, is_date);
        pieces.end_value();
        self.nulls.append_non_null();
        pieces.bytes.len() - before + size_of::<i32>()
    }

    /// How many bytes of text or bytes it holds.
    pub(super) fn byte_len(&self) -> usize {
        match &self.values {
            Values::Texts(pieces) | Values::Bytes(pieces) => pieces.bytes.len(),
            _ => 0,
        }
    }

    /// The column, once all rows of the block are in it. The error is the row, from 0, of a text that is none.
    pub(super) fn finish(self) -> Result<ArrayRef, usize> {
        let Self { values, data_type, mut nulls, .. } = self;
        let nulls = nulls.finish();
        Ok(match values {
            Values::Boolean(values) => Arc::new(BooleanArray::new(BooleanBuffer::from(values), nulls)),
            Values::Int8(values) => array::<Int8Type>(values, nulls, data_type),
            Values::Int16(values) => array::<Int16Type>(values, nulls, data_type),
            Values::Int32(values) => array::<Int32Type>(values, nulls, data_type),
            Values::Int64(values) => array::<Int64Type>(values, nulls, data_type),
            Values::UInt8(values) => array::<UInt8Type>(values, nulls, data_type),
            Values::UInt16(values) => array::<UInt16Type>(values, nulls, data_type),
            Values::UInt32(values) => array::<UInt32Type>(values, nulls, data_type),
            Values::UInt64(values) => array::<UInt64Type>(values, nulls, data_type),
            Values::Float32(values) => array::<Float32Type>(values, nulls, data_type),
            Values::Float64(values) => array::<Float64Type>(values, nulls, data_type),
            Values::Decimal128(values, _) => array::<Decimal128Type>(values, nulls, data_type),
            Values::Decimal256(values, _) => array::<Decimal256Type>(values, nulls, data_type),
            Values::Date(values) => array::<Date32Type>(values, nulls, data_type),
            Values::Time(values) => array::<Time64MicrosecondType>(values, nulls, data_type),
            Values::Timestamp(values) => array::<TimestampMicrosecondType>(values, nulls, data_type),
            Values::Texts(pieces) => pieces.into_text(nulls)?,
            Values::Bytes(pieces) => pieces.into_binary(nulls),
        })
    }
}

impl Values {
    /// Appends a value, unless the type does not have it.
    fn push_rare(&mut self, value: &Value) -> bool {
        match (self, value) {
            (Self::Int8(values), Value::Int(value)) => fits(values, *value),
            (Self::Int16(values), Value::Int(value)) => fits(values, *value),
            (Self::UInt8(values), Value::Int(value)) => fits(values, *value),
            (Self::UInt16(values), Value::Int(value)) => fits(values, *value),
            (Self::UInt32(values), Value::Int(value)) => fits(values, *value),
            (Self::UInt64(values), Value::Int(value)) => fits(values, *value),
            (Self::UInt64(values), Value::UInt(value)) => taken(values, Some(*value)),
            (Self::UInt64(values), Value::Bytes(bits)) => taken(values, bits_value(bits)),
            (Self::Boolean(values), Value::Bytes(bits)) => taken(values, bit_value(bits)),
            (Self::Float32(values), Value::Float(value)) => taken(values, Some(*value)),
            (Self::Decimal128(values, scale), Value::Bytes(digits)) => taken(values, text::unscaled(digits, *scale)),
            (Self::Decimal256(values, scale), Value::Bytes(digits)) => {
                taken(values, text::unscaled_wide(digits, *scale))
            }
            (Self::Date(values), Value::Date(year, month, day, 0, 0, 0, 0)) => {
                taken(values, text::day(*year, *month, *day))
            }
            (Self::Timestamp(values), Value::Date(year, month, day, hour, minute, second, micros)) => {
                let time = text::time_of_day(*hour, *minute, *second, *micros);
                taken(values, text::day(*year, *month, *day).map(|day| text::moment(day, time)))
            }
            (Self::Time(values), Value::Time(false, 0, hour, minute, second, micros)) if *hour < 24 => {
                taken(values, Some(text::time_of_day(*hour, *minute, *second, *micros)))
            }
            _ => false,
        }
    }

    /// Writes one of the values as text.
    fn write(&self, row: usize, out: &mut Vec<u8>, decimals: u8, is_date: bool) {
        let value = match self {
            Self::Boolean(values) => Value::Int(i64::from(values[row])),
            Self::Int8(values) => Value::Int(values[row].into()),
            Self::Int16(values) => Value::Int(values[row].into()),
            Self::Int32(values) => Value::Int(values[row].into()),
            Self::Int64(values) => Value::Int(values[row]),
            Self::UInt8(values) => Value::Int(values[row].into()),
            Self::UInt16(values) => Value::Int(values[row].into()),
            Self::UInt32(values) => Value::Int(values[row].into()),
            Self::UInt64(values) => Value::UInt(values[row]),
            Self::Float32(values) => Value::Float(values[row]),
            Self::Float64(values) => Value::Double(values[row]),
            Self::Decimal128(values, scale) => return text::write_decimal(out, &values[row].to_string(), *scale),
            Self::Decimal256(values, scale) => return text::write_decimal(out, &values[row].to_string(), *scale),
            Self::Date(values) => text::day_value(values[row]),
            Self::Time(values) => text::time_value(values[row]),
            Self::Timestamp(values) => text::date_value(values[row]),
            Self::Texts(_) | Self::Bytes(_) => return,
        };
        text::write(out, &value, decimals, is_date);
    }
}

fn taken<T>(values: &mut Vec<T>, value: Option<T>) -> bool {
    value.map(|value| values.push(value)).is_some()
}

/// One bit. Those that come out of an expression may be digits.
fn bit_value(bits: &[u8]) -> Option<bool> {
    match bits {
        [0 | b'0'] => Some(false),
        [1 | b'1'] => Some(true),
        _ => None,
    }
}

/// The number that bits make, the highest first.
fn bits_value(bits: &[u8]) -> Option<u64> {
    (bits.len() <= 8).then(|| bits.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn array<T: ArrowPrimitiveType>(
    values: Vec<T::Native>,
    nulls: Option<arrow_buffer::NullBuffer>,
    data_type: DataType,
) -> ArrayRef
where
    T::Native: ArrowNativeType,
{
    let array = PrimitiveArray::<T>::new(ScalarBuffer::from(fitted(values)), nulls);
    Arc::new(array.with_data_type(data_type))
}
