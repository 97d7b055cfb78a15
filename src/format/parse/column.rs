//! One column, gathered value by value from text.

use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, BooleanBuilder, PrimitiveBuilder, StringBuilder};
use arrow_array::types::{
    Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    IntervalMonthDayNanoType, Time64MicrosecondType, TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{ArrayRef, ListArray};
use arrow_buffer::{NullBufferBuilder, OffsetBufferBuilder};
use arrow_schema::{DataType, FieldRef, IntervalUnit, TimeUnit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::decimal::{parse_decimal128, parse_decimal256};
use super::interval::parse_interval;
use super::list::{parse_hexadecimal, parse_list};
use super::temporal::{parse_date, parse_time, parse_timestamp};
use super::{parse_boolean, parse_real};

/// The values of a column, by its type.
pub(crate) enum ColumnBuilder {
    Booleans(BooleanBuilder),
    Int8(PrimitiveBuilder<Int8Type>),
    Int16(PrimitiveBuilder<Int16Type>),
    Int32(PrimitiveBuilder<Int32Type>),
    Int64(PrimitiveBuilder<Int64Type>),
    UInt8(PrimitiveBuilder<UInt8Type>),
    UInt16(PrimitiveBuilder<UInt16Type>),
    UInt32(PrimitiveBuilder<UInt32Type>),
    UInt64(PrimitiveBuilder<UInt64Type>),
    Float32(PrimitiveBuilder<Float32Type>),
    Float64(PrimitiveBuilder<Float64Type>),
    Decimal128(PrimitiveBuilder<Decimal128Type>, u8, i8),
    Decimal256(PrimitiveBuilder<Decimal256Type>, u8, i8),
    Texts(StringBuilder),
    Blobs(BinaryBuilder),
    Dates(PrimitiveBuilder<Date32Type>),
    Times(PrimitiveBuilder<Time64MicrosecondType>),
    /// With whether they have a zone.
    Timestamps(PrimitiveBuilder<TimestampMicrosecondType>, bool),
    Intervals(PrimitiveBuilder<IntervalMonthDayNanoType>),
    Lists(Box<ListBuilder>),
}

/// Lists: their items one behind the other, and where each list ends.
pub(crate) struct ListBuilder {
    item: FieldRef,
    items: ColumnBuilder,
    offsets: OffsetBufferBuilder<i32>,
    nulls: NullBufferBuilder,
}

impl ColumnBuilder {
    /// A column of a type, if it is one that rows have.
    pub(crate) fn of(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Boolean => Self::Booleans(BooleanBuilder::new()),
            DataType::Int8 => Self::Int8(PrimitiveBuilder::new()),
            DataType::Int16 => Self::Int16(PrimitiveBuilder::new()),
            DataType::Int32 => Self::Int32(PrimitiveBuilder::new()),
            DataType::Int64 => Self::Int64(PrimitiveBuilder::new()),
            DataType::UInt8 => Self::UInt8(PrimitiveBuilder::new()),
            DataType::UInt16 => Self::UInt16(PrimitiveBuilder::new()),
            DataType::UInt32 => Self::UInt32(PrimitiveBuilder::new()),
            DataType::UInt64 => Self::UInt64(PrimitiveBuilder::new()),
            DataType::Float32 => Self::Float32(PrimitiveBuilder::new()),
            DataType::Float64 => Self::Float64(PrimitiveBuilder::new()),
            DataType::Decimal128(precision, scale) => {
                Self::Decimal128(PrimitiveBuilder::new().with_data_type(data_type.clone()), *precision, *scale)
            }
            DataType::Decimal256(precision, scale) => {
                Self::Decimal256(PrimitiveBuilder::new().with_data_type(data_type.clone()), *precision, *scale)
            }
            DataType::Utf8 => Self::Texts(StringBuilder::new()),
            DataType::Binary => Self::Blobs(BinaryBuilder::new()),
            DataType::Date32 => Self::Dates(PrimitiveBuilder::new()),
            DataType::Time64(TimeUnit::Microsecond) => Self::Times(PrimitiveBuilder::new()),
            DataType::Timestamp(TimeUnit::Microsecond, zone) => {
                Self::Timestamps(PrimitiveBuilder::new().with_data_type(data_type.clone()), zone.is_some())
            }
            DataType::Interval(IntervalUnit::MonthDayNano) => Self::Intervals(PrimitiveBuilder::new()),
            DataType::List(item) => Self::Lists(Box::new(ListBuilder {
                item: item.clone(),
                items: Self::of(item.data_type()).filter(|items| !matches!(items, Self::Lists(_)))?,
                offsets: OffsetBufferBuilder::new(0),
                nulls: NullBufferBuilder::new(0),
            })),
            _ => return None,
        })
    }

    /// Appends the value that a text means. If it means none of this type, the column is of no use any more.
    #[inline]
    pub(crate) fn push(&mut self, text: &str) -> Option<()> {
        match self {
            Self::Booleans(builder) => builder.append_value(parse_boolean(text)?),
            Self::Int8(builder) => builder.append_value(text.parse().ok()?),
            Self::Int16(builder) => builder.append_value(text.parse().ok()?),
            Self::Int32(builder) => builder.append_value(text.parse().ok()?),
            Self::Int64(builder) => builder.append_value(text.parse().ok()?),
            Self::UInt8(builder) => builder.append_value(text.parse().ok()?),
            Self::UInt16(builder) => builder.append_value(text.parse().ok()?),
            Self::UInt32(builder) => builder.append_value(text.parse().ok()?),
            Self::UInt64(builder) => builder.append_value(text.parse().ok()?),
            Self::Float32(builder) => builder.append_value(parse_real(text)?),
            Self::Float64(builder) => builder.append_value(parse_real(text)?),
            Self::Decimal128(builder, precision, scale) => {
                builder.append_value(parse_decimal128(text, *precision, *scale)?);
            }
            Self::Decimal256(builder, precision, scale) => {
                builder.append_value(parse_decimal256(text, *precision, *scale)?);
            }
            Self::Texts(builder) => builder.append_value(text),
            Self::Blobs(builder) => builder.append_value(STANDARD.decode(text).ok()?),
            Self::Dates(builder) => builder.append_value(parse_date(text)?),
            Self::Times(builder) => builder.append_value(parse_time(text)?),
            Self::Timestamps(builder, has_zone) => builder.append_value(parse_timestamp(text, *has_zone)?),
            Self::Intervals(builder) => builder.append_value(parse_interval(text)?),
            Self::Lists(lists) => lists.push(text)?,
        }
        Some(())
    }

    /// Appends a date in days, or a time or time stamp in microseconds, if the column is of that type.
    pub(crate) fn push_temporal(&mut self, value: i64) -> Option<()> {
        match self {
            Self::Dates(builder) => builder.append_value(value.try_into().ok()?),
            Self::Times(builder) => builder.append_value(value),
            Self::Timestamps(builder, _) => builder.append_value(value),
            _ => return None,
        }
        Some(())
    }

    /// Appends NULL.
    pub(crate) fn push_null(&mut self) {
        match self {
            Self::Booleans(builder) => builder.append_null(),
            Self::Int8(builder) => builder.append_null(),
            Self::Int16(builder) => builder.append_null(),
            Self::Int32(builder) => builder.append_null(),
            Self::Int64(builder) => builder.append_null(),
            Self::UInt8(builder) => builder.append_null(),
            Self::UInt16(builder) => builder.append_null(),
            Self::UInt32(builder) => builder.append_null(),
            Self::UInt64(builder) => builder.append_null(),
            Self::Float32(builder) => builder.append_null(),
            Self::Float64(builder) => builder.append_null(),
            Self::Decimal128(builder, ..) => builder.append_null(),
            Self::Decimal256(builder, ..) => builder.append_null(),
            Self::Texts(builder) => builder.append_null(),
            Self::Blobs(builder) => builder.append_null(),
            Self::Dates(builder) => builder.append_null(),
            Self::Times(builder) => builder.append_null(),
            Self::Timestamps(builder, _) => builder.append_null(),
            Self::Intervals(builder) => builder.append_null(),
            Self::Lists(lists) => {
                lists.offsets.push_length(0);
                lists.nulls.append_null();
            }
        }
    }

    /// The values so far, and an empty column for those that follow.
    pub(crate) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Booleans(builder) => Arc::new(builder.finish()),
            Self::Int8(builder) => Arc::new(builder.finish()),
            Self::Int16(builder) => Arc::new(builder.finish()),
            Self::Int32(builder) => Arc::new(builder.finish()),
            Self::Int64(builder) => Arc::new(builder.finish()),
            Self::UInt8(builder) => Arc::new(builder.finish()),
            Self::UInt16(builder) => Arc::new(builder.finish()),
            Self::UInt32(builder) => Arc::new(builder.finish()),
            Self::UInt64(builder) => Arc::new(builder.finish()),
            Self::Float32(builder) => Arc::new(builder.finish()),
            Self::Float64(builder) => Arc::new(builder.finish()),
            Self::Decimal128(builder, ..) => Arc::new(builder.finish()),
            Self::Decimal256(builder, ..) => Arc::new(builder.finish()),
            Self::Texts(builder) => Arc::new(builder.finish()),
            Self::Blobs(builder) => Arc::new(builder.finish()),
            Self::Dates(builder) => Arc::new(builder.finish()),
            Self::Times(builder) => Arc::new(builder.finish()),
            Self::Timestamps(builder, _) => Arc::new(builder.finish()),
            Self::Intervals(builder) => Arc::new(builder.finish()),
            Self::Lists(lists) => lists.finish(),
        }
    }
}

impl ListBuilder {
    fn push(&mut self, text: &str) -> Option<()> {
        let mut count = 0;
        parse_list(text, |item| {
            count += 1;
            match (&mut self.items, item) {
                (items, None) => items.push_null(),
                (ColumnBuilder::Blobs(builder), Some(item)) => builder.append_value(parse_hexadecimal(item)?),
                (items, Some(item)) => items.push(item)?,
            }
            Some(())
        })?;
        self.offsets.push_length(count);
        self.nulls.append_non_null();
        Some(())
    }

    fn finish(&mut self) -> ArrayRef {
        let offsets = std::mem::replace(&mut self.offsets, OffsetBufferBuilder::new(0));
        Arc::new(ListArray::new(self.item.clone(), offsets.finish(), self.items.finish(), self.nulls.finish()))
    }
}
