//! Rows for tests: one column of each type that rows have.

use std::sync::Arc;

use arrow_array::builder::{Int32Builder, ListBuilder, StringBuilder};
use arrow_array::types::{Date32Type, IntervalMonthDayNanoType};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array, Float32Array, Float64Array,
    Int8Array, Int16Array, Int32Array, Int64Array, IntervalMonthDayNanoArray, PrimitiveArray, RecordBatch, StringArray,
    Time64MicrosecondArray, TimestampMicrosecondArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use arrow_buffer::{IntervalMonthDayNano, i256};

/// 2026-11-21, in days.
const DAY: i32 = 20_778;
/// 2026-11-21 08:00:00.5, in microseconds.
const MOMENT: i64 = 1_795_248_000_500_000;

/// A row of values and a row of NULL, in columns named after their types.
pub(super) fn every_type() -> RecordBatch {
    let dates: PrimitiveArray<Date32Type> = Date32Array::from(vec![Some(DAY), None]);
    let span = IntervalMonthDayNano::new(14, 3, 14_400_000_000_000);
    let spans: PrimitiveArray<IntervalMonthDayNanoType> = IntervalMonthDayNanoArray::from(vec![Some(span), None]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("boolean", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("int8", Arc::new(Int8Array::from(vec![Some(-8), None]))),
        ("int16", Arc::new(Int16Array::from(vec![Some(-16), None]))),
        ("int32", Arc::new(Int32Array::from(vec![Some(-32), None]))),
        ("int64", Arc::new(Int64Array::from(vec![Some(i64::MIN), None]))),
        ("uint8", Arc::new(UInt8Array::from(vec![Some(u8::MAX), None]))),
        ("uint16", Arc::new(UInt16Array::from(vec![Some(u16::MAX), None]))),
        ("uint32", Arc::new(UInt32Array::from(vec![Some(u32::MAX), None]))),
        ("uint64", Arc::new(UInt64Array::from(vec![Some(u64::MAX), None]))),
        ("float32", Arc::new(Float32Array::from(vec![Some(0.1), None]))),
        ("float64", Arc::new(Float64Array::from(vec![Some(1e20), None]))),
        ("decimal128", Arc::new(decimals128())),
        ("decimal256", Arc::new(decimals256())),
        ("utf8", Arc::new(StringArray::from(vec![Some("say \"é\" & <go>"), None]))),
        ("binary", Arc::new(BinaryArray::from(vec![Some(&b"\x00\xff"[..]), None]))),
        ("date", Arc::new(dates)),
        ("time", Arc::new(Time64MicrosecondArray::from(vec![Some(MOMENT % 86_400_000_000), None]))),
        ("timestamp", Arc::new(TimestampMicrosecondArray::from(vec![Some(MOMENT), None]))),
        ("moment", Arc::new(TimestampMicrosecondArray::from(vec![Some(MOMENT), None]).with_timezone("UTC"))),
        ("interval", Arc::new(spans)),
        ("integers", integers()),
        ("texts", texts()),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

fn decimals128() -> Decimal128Array {
    Decimal128Array::from(vec![Some(12_340), None]).with_precision_and_scale(10, 2).unwrap()
}

fn decimals256() -> Decimal256Array {
    let value = i256::from_string(&"9".repeat(50)).unwrap();
    Decimal256Array::from(vec![Some(value), None]).with_precision_and_scale(60, 10).unwrap()
}

fn integers() -> ArrayRef {
    let mut lists = ListBuilder::new(Int32Builder::new());
    lists.append_value([Some(1), None, Some(-3)]);
    lists.append_null();
    Arc::new(lists.finish())
}

fn texts() -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new());
    lists.append_value([Some("a b"), Some("null"), None, Some("say \"hi\\\""), Some(""), Some("plain")]);
    lists.append_null();
    Arc::new(lists.finish())
}

/// So many rows of two columns.
pub(super) fn many(rows: usize) -> RecordBatch {
    let numbers: Int64Array = (0..i64::try_from(rows).unwrap()).collect();
    let texts: StringArray = (0..rows).map(|row| (row % 7 != 0).then(|| format!("row {row}"))).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![("number", Arc::new(numbers)), ("text", Arc::new(texts))];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}
