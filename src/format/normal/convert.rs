//! One column of any type, turned into one that rows have.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type,
    Float16Type, Float32Type, Int8Type, Int16Type, Int32Type, Int64Type, IntervalDayTimeType, IntervalMonthDayNanoType,
    IntervalYearMonthType, Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, BinaryArray, ListArray, PrimitiveArray, StringArray, new_null_array};
use arrow_buffer::{IntervalMonthDayNano, OffsetBuffer};
use arrow_schema::{DataType, Field, IntervalUnit, TimeUnit};
use arrow_select::take::take;

use crate::block::list_of;
use crate::format::RowType;

/// How many milliseconds a day has.
const DAY: i64 = 86_400_000;

/// Whether rows have that type as it is. There may be more, which [`normal_type`] knows: this is asked first because it makes nothing.
pub(super) fn is_normal(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Boolean
            | DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32
            | DataType::UInt64
            | DataType::Float32
            | DataType::Float64
            | DataType::Decimal128(..)
            | DataType::Decimal256(..)
            | DataType::Utf8
            | DataType::Binary
            | DataType::Date32
            | DataType::Time64(TimeUnit::Microsecond)
            | DataType::Timestamp(TimeUnit::Microsecond, None)
            | DataType::Interval(IntervalUnit::MonthDayNano)
    )
}

/// The type that a column becomes, if it can become one.
pub(super) fn normal_type(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::Timestamp(_, zone) => {
            DataType::Timestamp(TimeUnit::Microsecond, zone.as_ref().map(|_| Arc::from("UTC")))
        }
        DataType::Null | DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Date64 => DataType::Date32,
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time64(TimeUnit::Microsecond),
        DataType::Interval(_) => DataType::Interval(IntervalUnit::MonthDayNano),
        DataType::Float16 => DataType::Float32,
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Dictionary(_, values) => normal_type(values)?,
        DataType::List(items) | DataType::LargeList(items) | DataType::FixedSizeList(items, _) => {
            let items = normal_type(items.data_type()).filter(|items| !matches!(items, DataType::List(_)))?;
            list_of(items)
        }
        other => RowType::of(other)?.data_type().clone(),
    })
}

/// The column with the type that [`normal_type`] says, or the row whose value would lose something.
pub(super) fn converted(column: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, usize> {
    if column.data_type() == wanted {
        return Ok(Arc::clone(column));
    }
    let array = column.as_ref();
    match array.data_type() {
        DataType::Null => Ok(new_null_array(wanted, array.len())),
        DataType::LargeUtf8 => Ok(Arc::new(array.as_string::<i64>().iter().collect::<StringArray>())),
        DataType::Utf8View => Ok(Arc::new(array.as_string_view().iter().collect::<StringArray>())),
        DataType::LargeBinary => Ok(Arc::new(array.as_binary::<i64>().iter().collect::<BinaryArray>())),
        DataType::BinaryView => Ok(Arc::new(array.as_binary_view().iter().collect::<BinaryArray>())),
        DataType::FixedSizeBinary(_) => Ok(Arc::new(array.as_fixed_size_binary().iter().collect::<BinaryArray>())),
        DataType::Timestamp(..) => timestamps(array, wanted),
        DataType::Date64 => mapped::<Date64Type, Date32Type>(array, wanted, |value| {
            (value % DAY == 0).then(|| i32::try_from(value / DAY).ok())?
        }),
        DataType::Time32(_) | DataType::Time64(_) => times(array, wanted),
        DataType::Interval(IntervalUnit::YearMonth) => {
            mapped::<IntervalYearMonthType, IntervalMonthDayNanoType>(array, wanted, |months| {
                Some(IntervalMonthDayNano::new(months, 0, 0))
            })
        }
        DataType::Interval(_) => mapped::<IntervalDayTimeType, IntervalMonthDayNanoType>(array, wanted, |span| {
            Some(IntervalMonthDayNano::new(0, span.days, i64::from(span.milliseconds) * 1_000_000))
        }),
        DataType::Float16 => mapped::<Float16Type, Float32Type>(array, wanted, |value| Some(value.to_f32())),
        DataType::Decimal32(..) => mapped::<Decimal32Type, Decimal128Type>(array, wanted, |value| Some(value.into())),
        DataType::Decimal64(..) => mapped::<Decimal64Type, Decimal128Type>(array, wanted, |value| Some(value.into())),
        DataType::Dictionary(..) => from_dictionary(array, wanted),
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => lists(array, wanted),
        // There is no other type that becomes one that it is not.
        _ => Err(0),
    }
}

fn mapped<S: ArrowPrimitiveType, T: ArrowPrimitiveType>(
    array: &dyn Array,
    wanted: &DataType,
    turn: impl Fn(S::Native) -> Option<T::Native>,
) -> Result<ArrayRef, usize> {
    let source = array.as_primitive::<S>();
    let mut values = Vec::with_capacity(source.len());
    for row in 0..source.len() {
        let value = if source.is_null(row) { Some(T::default_value()) } else { turn(source.value(row)) };
        values.push(value.ok_or(row)?);
    }
    let array = PrimitiveArray::<T>::new(values.into(), source.nulls().cloned());
    Ok(Arc::new(array.with_data_type(wanted.clone())))
}

fn timestamps(array: &dyn Array, wanted: &DataType) -> Result<ArrayRef, usize> {
    match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => {
            mapped::<TimestampSecondType, TimestampMicrosecondType>(array, wanted, |value| value.checked_mul(1_000_000))
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            mapped::<TimestampMillisecondType, TimestampMicrosecondType>(array, wanted, |value| {
                value.checked_mul(1_000)
            })
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            mapped::<TimestampNanosecondType, TimestampMicrosecondType>(array, wanted, thousandth)
        }
        _ => mapped::<TimestampMicrosecondType, TimestampMicrosecondType>(array, wanted, Some),
    }
}

fn times(array: &dyn Array, wanted: &DataType) -> Result<ArrayRef, usize> {
    match array.data_type() {
        DataType::Time32(TimeUnit::Second) => {
            mapped::<Time32SecondType, Time64MicrosecondType>(array, wanted, |value| Some(i64::from(value) * 1_000_000))
        }
        DataType::Time32(_) => mapped::<Time32MillisecondType, Time64MicrosecondType>(array, wanted, |value| {
            Some(i64::from(value) * 1_000)
        }),
        _ => mapped::<Time64NanosecondType, Time64MicrosecondType>(array, wanted, thousandth),
    }
}

/// Microseconds of nanoseconds that are no finer.
fn thousandth(value: i64) -> Option<i64> {
    (value % 1_000 == 0).then_some(value / 1_000)
}

fn from_dictionary(array: &dyn Array, wanted: &DataType) -> Result<ArrayRef, usize> {
    let DataType::Dictionary(keys, _) = array.data_type() else { return Err(0) };
    let plain = match keys.as_ref() {
        DataType::Int8 => looked_up::<Int8Type>(array),
        DataType::Int16 => looked_up::<Int16Type>(array),
        DataType::Int32 => looked_up::<Int32Type>(array),
        DataType::Int64 => looked_up::<Int64Type>(array),
        DataType::UInt8 => looked_up::<UInt8Type>(array),
        DataType::UInt16 => looked_up::<UInt16Type>(array),
        DataType::UInt32 => looked_up::<UInt32Type>(array),
        _ => looked_up::<UInt64Type>(array),
    };
    converted(&plain.ok_or(0_usize)?, wanted)
}

fn looked_up<K: ArrowDictionaryKeyType>(array: &dyn Array) -> Option<ArrayRef> {
    let dictionary = array.as_dictionary::<K>();
    take(dictionary.values().as_ref(), dictionary.keys(), None).ok()
}

fn lists(array: &dyn Array, wanted: &DataType) -> Result<ArrayRef, usize> {
    let DataType::List(item) = wanted else { return Err(0) };
    let (items, lengths): (&ArrayRef, Vec<usize>) = match array.data_type() {
        DataType::List(_) => (array.as_list::<i32>().values(), lengths(array.as_list::<i32>().offsets())),
        DataType::LargeList(_) => (array.as_list::<i64>().values(), lengths(array.as_list::<i64>().offsets())),
        DataType::FixedSizeList(_, size) => {
            let size = usize::try_from(*size).map_err(|_| 0_usize)?;
            (array.as_fixed_size_list().values(), vec![size; array.len()])
        }
        _ => return Err(0),
    };
    let first = match array.data_type() {
        DataType::List(_) => {
            array.as_list::<i32>().offsets().first().map_or(0, |first| usize::try_from(*first).unwrap_or(0))
        }
        DataType::LargeList(_) => {
            array.as_list::<i64>().offsets().first().map_or(0, |first| usize::try_from(*first).unwrap_or(0))
        }
        _ => 0,
    };
    let total: usize = lengths.iter().sum();
    let items = converted(&items.slice(first, total), item.data_type()).map_err(|at| row_of(&lengths, at))?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    let item = Arc::new(Field::clone(item));
    ListArray::try_new(item, offsets, items, array.nulls().cloned())
        .map(|list| Arc::new(list) as ArrayRef)
        .map_err(|_| 0)
}

fn lengths<O: arrow_array::OffsetSizeTrait>(offsets: &OffsetBuffer<O>) -> Vec<usize> {
    offsets.lengths().collect()
}

/// The row of the list that holds an item.
fn row_of(lengths: &[usize], item: usize) -> usize {
    let mut end = 0;
    let ends = lengths.iter().map(|length| {
        end += length;
        end
    });
    ends.take_while(|end| *end <= item).count()
}

#[cfg(test)]
mod tests {
    use arrow_array::{
        Date64Array, DictionaryArray, FixedSizeListArray, Int64Array, LargeStringArray, NullArray, StringViewArray,
        TimestampMicrosecondArray, TimestampNanosecondArray,
    };

    use super::*;

    fn normal(array: impl Array + 'static) -> Result<ArrayRef, usize> {
        let array: ArrayRef = Arc::new(array);
        converted(&array, &normal_type(array.data_type()).unwrap())
    }

    #[test]
    fn other_ways_to_keep_text_become_text() {
        let expected = StringArray::from(vec![Some("a"), None, Some("a")]);
        let values = vec![Some("a"), None, Some("a")];
        for array in [
            normal(LargeStringArray::from(values.clone())),
            normal(StringViewArray::from(values.clone())),
            normal(values.into_iter().collect::<DictionaryArray<Int8Type>>()),
        ] {
            assert_eq!(array.unwrap().as_ref(), &expected as &dyn Array);
        }
        assert_eq!(normal(NullArray::new(2)).unwrap().null_count(), 2);
    }

    #[test]
    fn nothing_is_rounded() {
        let nanoseconds =
            |value| normal(TimestampNanosecondArray::from(vec![None, Some(value)]).with_timezone("+02:00"));
        let expected = TimestampMicrosecondArray::from(vec![None, Some(-1)]).with_timezone("UTC");
        assert_eq!(nanoseconds(-1000).unwrap().as_ref(), &expected as &dyn Array);
        assert_eq!(nanoseconds(1001).unwrap_err(), 1);
        assert_eq!(normal(Date64Array::from(vec![DAY, 1])).unwrap_err(), 1);
    }

    #[test]
    fn lists_of_any_kind_become_lists() {
        let item = Arc::new(Field::new("element", DataType::Int64, false));
        let items = Arc::new(Int64Array::from(vec![1, 2, 3, 4, 5, 6]));
        let fixed = FixedSizeListArray::new(item, 2, items, None).slice(1, 2);
        let lists = normal(fixed).unwrap();
        assert_eq!(lists.data_type(), &list_of(DataType::Int64));
        assert_eq!(lists.as_list::<i32>().value(1).as_ref(), &Int64Array::from(vec![5, 6]) as &dyn Array);
        assert_eq!(row_of(&[2, 0, 3], 1), 0);
        assert_eq!(row_of(&[2, 0, 3], 2), 2);
    }

    #[test]
    fn what_rows_can_not_have_is_none() {
        let nested = list_of(list_of(DataType::Int8));
        for data_type in [nested, DataType::Struct(arrow_schema::Fields::empty()), DataType::Duration(TimeUnit::Second)]
        {
            assert_eq!(normal_type(&data_type), None);
        }
    }
}
