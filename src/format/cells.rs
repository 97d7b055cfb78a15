//! The columns of one block, each seen as its type once, and then row by row.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    IntervalMonthDayNanoType, Time64MicrosecondType, TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{Array, BinaryArray, BooleanArray, ListArray, PrimitiveArray, RecordBatch, StringArray};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, IntervalUnit, TimeUnit};

use super::FormatError;
use super::text::{
    Style, push_boolean, push_date, push_decimal128, push_decimal256, push_integer, push_interval, push_time,
    push_timestamp,
};

/// The values of a column: which of them are NULL, and what the others are.
pub(super) struct Cells<'a> {
    nulls: Option<&'a NullBuffer>,
    pub(super) values: Values<'a>,
}

/// Values by what is to be minded when they are written: all types that rows have.
pub(super) enum Values<'a> {
    /// Those whose text is a few ASCII characters.
    Plain(Plain<'a>),
    Texts(&'a StringArray),
    Blobs(&'a BinaryArray),
    /// Text and bytes side by side, in a column that is not one of bytes: those that are UTF-8 are text.
    Mixed(&'a BinaryArray),
    Lists(Box<Lists<'a>>),
}

/// Numbers, truth values, dates and times.
pub(super) enum Plain<'a> {
    Booleans(&'a BooleanArray),
    Int8(&'a PrimitiveArray<Int8Type>),
    Int16(&'a PrimitiveArray<Int16Type>),
    Int32(&'a PrimitiveArray<Int32Type>),
    Int64(&'a PrimitiveArray<Int64Type>),
    UInt8(&'a PrimitiveArray<UInt8Type>),
    UInt16(&'a PrimitiveArray<UInt16Type>),
    UInt32(&'a PrimitiveArray<UInt32Type>),
    UInt64(&'a PrimitiveArray<UInt64Type>),
    Float32(&'a PrimitiveArray<Float32Type>),
    Float64(&'a PrimitiveArray<Float64Type>),
    /// With the number of digits behind the point.
    Decimal128(&'a PrimitiveArray<Decimal128Type>, i8),
    /// With the number of digits behind the point.
    Decimal256(&'a PrimitiveArray<Decimal256Type>, i8),
    Dates(&'a PrimitiveArray<Date32Type>),
    Times(&'a PrimitiveArray<Time64MicrosecondType>),
    /// Without a zone.
    Timestamps(&'a PrimitiveArray<TimestampMicrosecondType>),
    /// In UTC.
    Moments(&'a PrimitiveArray<TimestampMicrosecondType>),
    Intervals(&'a PrimitiveArray<IntervalMonthDayNanoType>),
}

/// Lists, and the values that all of them share.
pub(super) struct Lists<'a> {
    array: &'a ListArray,
    pub(super) items: Cells<'a>,
}

impl<'a> Cells<'a> {
    /// One column of a block, in a stream that announced `announced` for it.
    pub(super) fn of(rows: &'a RecordBatch, index: usize, announced: &DataType) -> Result<Self, FormatError> {
        let array = rows.column(index);
        let mut cells = Self::of_array(array).ok_or_else(|| FormatError::Type {
            column: rows.schema_ref().field(index).name().clone(),
            data_type: array.data_type().to_string(),
        })?;
        cells.values = match cells.values {
            Values::Blobs(array) if *announced != DataType::Binary => Values::Mixed(array),
            values => values,
        };
        Ok(cells)
    }

    fn of_array(array: &'a dyn Array) -> Option<Self> {
        let values = match array.data_type() {
            DataType::Utf8 => Values::Texts(array.as_string()),
            DataType::Binary => Values::Blobs(array.as_binary()),
            DataType::List(_) => {
                let array: &ListArray = array.as_list();
                let items = Self::of_array(array.values())?;
                if matches!(items.values, Values::Lists(_)) {
                    return None;
                }
                Values::Lists(Box::new(Lists { array, items }))
            }
            _ => Values::Plain(Plain::of_array(array)?),
        };
        Some(Self { nulls: array.nulls(), values })
    }

    /// Whether the value in that row is NULL.
    #[inline]
    pub(super) fn is_null(&self, row: usize) -> bool {
        self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }
}

impl<'a> Plain<'a> {
    fn of_array(array: &'a dyn Array) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Boolean => Self::Booleans(array.as_boolean()),
            DataType::Int8 => Self::Int8(array.as_primitive()),
            DataType::Int16 => Self::Int16(array.as_primitive()),
            DataType::Int32 => Self::Int32(array.as_primitive()),
            DataType::Int64 => Self::Int64(array.as_primitive()),
            DataType::UInt8 => Self::UInt8(array.as_primitive()),
            DataType::UInt16 => Self::UInt16(array.as_primitive()),
            DataType::UInt32 => Self::UInt32(array.as_primitive()),
            DataType::UInt64 => Self::UInt64(array.as_primitive()),
            DataType::Float32 => Self::Float32(array.as_primitive()),
            DataType::Float64 => Self::Float64(array.as_primitive()),
            DataType::Decimal128(_, scale) => Self::Decimal128(array.as_primitive(), *scale),
            DataType::Decimal256(_, scale) => Self::Decimal256(array.as_primitive(), *scale),
            DataType::Date32 => Self::Dates(array.as_primitive()),
            DataType::Time64(TimeUnit::Microsecond) => Self::Times(array.as_primitive()),
            DataType::Timestamp(TimeUnit::Microsecond, None) => Self::Timestamps(array.as_primitive()),
            // The zone is where the values are shown; what is kept of them is UTC.
            DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => Self::Moments(array.as_primitive()),
            DataType::Interval(IntervalUnit::MonthDayNano) => Self::Intervals(array.as_primitive()),
            _ => return None,
        })
    }

    /// Appends a value that is not NULL.
    #[inline]
    pub(super) fn push<S: Style>(&self, out: &mut String, row: usize) {
        match self {
            Self::Booleans(array) => push_boolean(out, array.value(row)),
            Self::Int8(array) => push_integer(out, array.value(row)),
            Self::Int16(array) => push_integer(out, array.value(row)),
            Self::Int32(array) => push_integer(out, array.value(row)),
            Self::Int64(array) => push_integer(out, array.value(row)),
            Self::UInt8(array) => push_integer(out, array.value(row)),
            Self::UInt16(array) => push_integer(out, array.value(row)),
            Self::UInt32(array) => push_integer(out, array.value(row)),
            Self::UInt64(array) => push_integer(out, array.value(row)),
            Self::Float32(array) => S::push_real32(out, array.value(row)),
            Self::Float64(array) => S::push_real(out, array.value(row)),
            Self::Decimal128(array, scale) => push_decimal128(out, array.value(row), *scale),
            Self::Decimal256(array, scale) => push_decimal256(out, array.value(row), *scale),
            Self::Dates(array) => push_date::<S>(out, array.value(row)),
            Self::Times(array) => push_time(out, array.value(row)),
            Self::Timestamps(array) => push_timestamp::<S>(out, array.value(row), false),
            Self::Moments(array) => push_timestamp::<S>(out, array.value(row), true),
            Self::Intervals(array) => push_interval(out, array.value(row)),
        }
    }
}

impl Lists<'_> {
    /// Which of the values are those of the list in that row.
    pub(super) fn range(&self, row: usize) -> Range<usize> {
        let offsets = self.array.value_offsets();
        // Offsets are never negative.
        let at = |index: usize| usize::try_from(offsets[index]).unwrap_or(0);
        at(row)..at(row + 1)
    }
}

/// Why bytes among text can't be written.
pub(super) const NOT_TEXT: &str =
    "the value is bytes, in a column of another type; read it with hex(…), or the whole column with CAST(… AS BLOB)";
