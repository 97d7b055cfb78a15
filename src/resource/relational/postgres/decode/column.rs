//! One column of a block that is being built.

use std::sync::Arc;

use arrow_array::types::IntervalMonthDayNanoType;
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Decimal256Array, Float32Array, Float64Array, Int16Array,
    Int32Array, Int64Array, PrimitiveArray, Time64MicrosecondArray, TimestampMicrosecondArray, UInt32Array,
};
use arrow_buffer::{BooleanBufferBuilder, IntervalMonthDayNano, NullBufferBuilder, i256};

use super::super::calendar::{EPOCH_DAYS, EPOCH_MICROSECONDS, MICROSECONDS_PER_DAY};
use super::super::text::{push_date, push_interval, push_time, push_timestamp};
use super::list::{ListBuilder, NoList};
use super::numeric::{Numeric, push_decimal};
use super::value_text::{interval, jsonb, push_uuid, push_value};
use super::{Kind, Malformed, fixed};
use crate::resource::relational::pieces::{Pieces, fitted};

/// Takes the values of one column as they were received, into a typed buffer.
///
/// The buffer has the type of the column until a value does not fit, such as the date `infinity`: then what it holds becomes
/// text, for the rest of the block. Nothing is rounded or cut.
#[derive(Debug)]
pub(super) struct ColumnBuilder {
    kind: Kind,
    values: Values,
    nulls: NullBufferBuilder,
}

#[derive(Debug)]
enum Values {
    Boolean(BooleanBufferBuilder),
    Int16(Vec<i16>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    UInt32(Vec<u32>),
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    Decimal128(Vec<i128>),
    Decimal256(Vec<i256>),
    Interval(Vec<IntervalMonthDayNano>),
    Text(Pieces),
    Bytes(Pieces),
    List(Box<ListBuilder>),
    /// Text because a value did not fit.
    Changed(Pieces),
}

impl ColumnBuilder {
    /// A builder with room for so many rows and bytes of text.
    pub(super) fn new(kind: Kind, rows: usize, bytes: usize) -> Self {
        let values = match &kind {
            Kind::Boolean => Values::Boolean(BooleanBufferBuilder::new(rows)),
            Kind::Int16 => Values::Int16(Vec::with_capacity(rows)),
            Kind::Int32 | Kind::Date => Values::Int32(Vec::with_capacity(rows)),
            Kind::Int64 | Kind::Time | Kind::Timestamp { .. } => Values::Int64(Vec::with_capacity(rows)),
            Kind::UInt32 => Values::UInt32(Vec::with_capacity(rows)),
            Kind::Float32 => Values::Float32(Vec::with_capacity(rows)),
            Kind::Float64 => Values::Float64(Vec::with_capacity(rows)),
            Kind::Decimal128 { .. } => Values::Decimal128(Vec::with_capacity(rows)),
            Kind::Decimal256 { .. } => Values::Decimal256(Vec::with_capacity(rows)),
            Kind::Interval => Values::Interval(Vec::with_capacity(rows)),
            Kind::Text | Kind::Numeric | Kind::Jsonb | Kind::Uuid => Values::Text(Pieces::with_capacity(rows, bytes)),
            Kind::Bytes => Values::Bytes(Pieces::with_capacity(rows, bytes)),
            Kind::List(element) => Values::List(Box::new(ListBuilder::new(element))),
        };
        Self { kind, values, nulls: NullBufferBuilder::new(rows) }
    }

    pub(super) fn len(&self) -> usize {
        self.nulls.len()
    }

    /// Whether a value did not fit.
    pub(super) fn has_changed(&self) -> bool {
        matches!(self.values, Values::Changed(_))
    }

    /// How many bytes of text it holds.
    pub(super) fn byte_len(&self) -> usize {
        match &self.values {
            Values::Text(pieces) | Values::Bytes(pieces) | Values::Changed(pieces) => pieces.bytes.len(),
            _ => 0,
        }
    }

    /// Appends one value, and gives the number of bytes that it takes.
    #[inline]
    pub(super) fn push(&mut self, raw: Option<&[u8]>) -> Result<usize, Malformed> {
        let Some(raw) = raw else {
            self.push_null();
            return Ok(size_of::<i32>());
        };
        if self.push_typed(raw)? {
            self.nulls.append_non_null();
        } else {
            self.push_changed(raw)?;
        }
        Ok(raw.len().max(size_of::<i32>()))
    }

    /// Appends a value, if it fits.
    #[inline]
    fn push_typed(&mut self, raw: &[u8]) -> Result<bool, Malformed> {
        match &mut self.values {
            Values::Text(pieces) if self.kind == Kind::Text => pieces.push(raw),
            Values::Int32(values) => {
                let value = i32::from_be_bytes(fixed(raw)?);
                if self.kind == Kind::Date {
                    match value.checked_add(EPOCH_DAYS) {
                        Some(days) if value != i32::MIN => values.push(days),
                        _ => return Ok(false),
                    }
                } else {
                    values.push(value);
                }
            }
            Values::Int64(values) => {
                let value = i64::from_be_bytes(fixed(raw)?);
                match fitting(&self.kind, value) {
                    Some(value) => values.push(value),
                    None => return Ok(false),
                }
            }
            Values::Float64(values) => values.push(f64::from_be_bytes(fixed(raw)?)),
            Values::Boolean(values) => values.append(fixed::<1>(raw)? != [0]),
            Values::Int16(values) => values.push(i16::from_be_bytes(fixed(raw)?)),
            Values::UInt32(values) => values.push(u32::from_be_bytes(fixed(raw)?)),
            Values::Float32(values) => values.push(f32::from_be_bytes(fixed(raw)?)),
            Values::Bytes(pieces) => pieces.push(raw),
            _ => return self.push_rare(raw),
        }
        Ok(true)
    }

    fn push_rare(&mut self, raw: &[u8]) -> Result<bool, Malformed> {
        match (&mut self.values, &self.kind) {
            (Values::Decimal128(values), Kind::Decimal128 { scale, .. }) => {
                match Numeric::read(raw)?.unscaled(*scale) {
                    Ok(value) => values.push(value),
                    Err(_) => return Ok(false),
                }
            }
            (Values::Decimal256(values), Kind::Decimal256 { scale, .. }) => {
                match Numeric::read(raw)?.unscaled(*scale) {
                    Ok(value) => values.push(value),
                    Err(_) => return Ok(false),
                }
            }
            (Values::Interval(values), _) => {
                let (microseconds, days, months) = interval(raw)?;
                // The two ends are the infinities of newer servers.
                let is_infinite = matches!(
                    (microseconds, days, months),
                    (i64::MIN, i32::MIN, i32::MIN) | (i64::MAX, i32::MAX, i32::MAX)
                );
                match microseconds.checked_mul(1000) {
                    Some(nanoseconds) if !is_infinite => {
                        values.push(IntervalMonthDayNano::new(months, days, nanoseconds));
                    }
                    _ => return Ok(false),
                }
            }
            (Values::Text(pieces), Kind::Numeric) => {
                Numeric::read(raw)?.push_text(&mut pieces.bytes);
                pieces.end_value();
            }
            (Values::Text(pieces), Kind::Jsonb) => pieces.push(jsonb(raw)?),
            (Values::Text(pieces), Kind::Uuid) => {
                push_uuid(&mut pieces.bytes, raw)?;
                pieces.end_value();
            }
            (Values::List(list), _) => match list.push(raw) {
                Ok(()) => {}
                Err(NoList::Dimensions) => return Ok(false),
                Err(NoList::Malformed) => return Err(Malformed),
            },
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn push_null(&mut self) {
        match &mut self.values {
            Values::Boolean(values) => values.append(false),
            Values::Int16(values) => values.push(0),
            Values::Int32(values) => values.push(0),
            Values::Int64(values) => values.push(0),
            Values::UInt32(values) => values.push(0),
            Values::Float32(values) => values.push(0.0),
            Values::Float64(values) => values.push(0.0),
            Values::Decimal128(values) => values.push(0),
            Values::Decimal256(values) => values.push(i256::ZERO),
            Values::Interval(values) => values.push(IntervalMonthDayNano::ZERO),
            Values::Text(pieces) | Values::Bytes(pieces) | Values::Changed(pieces) => pieces.end_value(),
            Values::List(list) => list.push_null(),
        }
        self.nulls.append_null();
    }

    /// A value that does not fit: all before it become text, and so does it.
    #[cold]
    fn push_changed(&mut self, raw: &[u8]) -> Result<(), Malformed> {
        if !self.has_changed() {
            let values = std::mem::replace(&mut self.values, Values::Changed(Pieces::with_capacity(0, 0)));
            self.values = Values::Changed(self.as_text(values)?);
        }
        if let Values::Changed(pieces) = &mut self.values {
            push_value(&mut pieces.bytes, &self.kind, raw)?;
            pieces.end_value();
        }
        self.nulls.append_non_null();
        Ok(())
    }

    /// The values so far, as the server would write them.
    fn as_text(&self, values: Values) -> Result<Pieces, Malformed> {
        let is_null = |row: usize| !self.nulls.is_valid(row);
        let mut text = String::new();
        Ok(match (values, &self.kind) {
            (Values::Int32(values), _) => self.written(&values, |out, days| {
                text.clear();
                push_date(&mut text, days - EPOCH_DAYS);
                out.extend_from_slice(text.as_bytes());
            }),
            (Values::Int64(values), kind) => self.written(&values, |out, value| {
                text.clear();
                match kind {
                    Kind::Timestamp { has_zone } => push_timestamp(&mut text, value - EPOCH_MICROSECONDS, *has_zone),
                    _ => push_time(&mut text, *value),
                }
                out.extend_from_slice(text.as_bytes());
            }),
            (Values::Decimal128(values), Kind::Decimal128 { scale, .. }) => {
                self.written(&values, |out, value| push_decimal(out, itoa::Buffer::new().format(*value), *scale))
            }
            (Values::Decimal256(values), Kind::Decimal256 { scale, .. }) => {
                self.written(&values, |out, value| push_decimal(out, &value.to_string(), *scale))
            }
            (Values::Interval(values), _) => self.written(&values, |out, value| {
                text.clear();
                push_interval(&mut text, value.months, value.days, value.nanoseconds / 1000);
                out.extend_from_slice(text.as_bytes());
            }),
            (Values::List(list), _) => list.into_text(is_null)?,
            (Values::Text(pieces) | Values::Bytes(pieces) | Values::Changed(pieces), _) => pieces,
            // All values of the other types fit.
            _ => Pieces::with_capacity(0, 0),
        })
    }

    fn written<T>(&self, values: &[T], mut write: impl FnMut(&mut Vec<u8>, &T)) -> Pieces {
        let mut pieces = Pieces::with_capacity(values.len(), values.len() * 16);
        for (row, value) in values.iter().enumerate() {
            if self.nulls.is_valid(row) {
                write(&mut pieces.bytes, value);
            }
            pieces.end_value();
        }
        pieces
    }

    /// The column, once all rows of the block are in it; or the row of a text that is not UTF-8.
    pub(super) fn finish(self) -> Result<ArrayRef, usize> {
        let Self { kind, values, mut nulls } = self;
        let data_type = kind.data_type();
        let nulls = nulls.finish();
        Ok(match values {
            Values::Boolean(mut values) => Arc::new(BooleanArray::new(values.finish(), nulls)),
            Values::Int16(values) => Arc::new(Int16Array::new(fitted(values).into(), nulls)),
            Values::Int32(values) if kind == Kind::Date => Arc::new(Date32Array::new(fitted(values).into(), nulls)),
            Values::Int32(values) => Arc::new(Int32Array::new(fitted(values).into(), nulls)),
            Values::Int64(values) => match kind {
                Kind::Time => Arc::new(Time64MicrosecondArray::new(fitted(values).into(), nulls)),
                Kind::Timestamp { .. } => {
                    Arc::new(TimestampMicrosecondArray::new(fitted(values).into(), nulls).with_data_type(data_type))
                }
                _ => Arc::new(Int64Array::new(fitted(values).into(), nulls)),
            },
            Values::UInt32(values) => Arc::new(UInt32Array::new(fitted(values).into(), nulls)),
            Values::Float32(values) => Arc::new(Float32Array::new(fitted(values).into(), nulls)),
            Values::Float64(values) => Arc::new(Float64Array::new(fitted(values).into(), nulls)),
            Values::Decimal128(values) => {
                Arc::new(Decimal128Array::new(fitted(values).into(), nulls).with_data_type(data_type))
            }
            Values::Decimal256(values) => {
                Arc::new(Decimal256Array::new(fitted(values).into(), nulls).with_data_type(data_type))
            }
            Values::Interval(values) => {
                Arc::new(PrimitiveArray::<IntervalMonthDayNanoType>::new(fitted(values).into(), nulls))
            }
            Values::Text(pieces) | Values::Changed(pieces) => pieces.into_text(nulls)?,
            Values::Bytes(pieces) => pieces.into_binary(nulls),
            Values::List(list) => list.finish(nulls)?,
        })
    }
}

/// A value as Arrow counts, if Arrow can hold it.
#[inline]
fn fitting(kind: &Kind, value: i64) -> Option<i64> {
    match kind {
        Kind::Timestamp { .. } if matches!(value, i64::MIN | i64::MAX) => None,
        Kind::Timestamp { .. } => value.checked_add(EPOCH_MICROSECONDS),
        // There is a time 24:00:00.
        Kind::Time if value >= MICROSECONDS_PER_DAY => None,
        _ => Some(value),
    }
}
