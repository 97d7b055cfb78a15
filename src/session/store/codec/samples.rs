//! Columns of every type, for tests.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BinaryArray, BinaryViewArray, BooleanArray, LargeBinaryArray, LargeStringArray, NullArray,
    RecordBatch, StringArray, StringViewArray, StructArray, UnionArray, make_array,
};
use arrow_buffer::{Buffer, NullBuffer};
use arrow_data::ArrayData;
use arrow_schema::{DataType, Field, Fields, IntervalUnit, Schema, TimeUnit, UnionFields, UnionMode};

/// Every type that a column may have, some of them within others.
pub(super) fn types() -> Vec<DataType> {
    use DataType as T;
    let zone = Some("Europe/Vienna".into());
    let item = |data_type: T| Arc::new(Field::new("item", data_type, true));
    let fields = |types: &[T]| -> Fields {
        types.iter().enumerate().map(|(index, each)| Field::new(format!("f{index}"), each.clone(), true)).collect()
    };
    let entries = |key: T, value: T| {
        let entries: Fields = vec![Field::new("keys", key, false), Field::new("values", value, true)].into();
        Arc::new(Field::new("entries", T::Struct(entries), false))
    };
    let union = |mode| {
        let fields = UnionFields::try_new([3, 7], fields(&[T::Int64, T::Utf8]).iter().cloned()).unwrap();
        T::Union(fields, mode)
    };
    let dictionary = |key: T, value: T| T::Dictionary(Box::new(key), Box::new(value));
    let runs = |values: T| T::RunEndEncoded(Arc::new(Field::new("run_ends", T::Int32, false)), item(values));
    let plain = vec![
        T::Null,
        T::Boolean,
        T::Int8,
        T::Int16,
        T::Int32,
        T::Int64,
        T::UInt8,
        T::UInt16,
        T::UInt32,
        T::UInt64,
        T::Float16,
        T::Float32,
        T::Float64,
        T::Date32,
        T::Date64,
        T::Time32(TimeUnit::Second),
        T::Time64(TimeUnit::Nanosecond),
        T::Timestamp(TimeUnit::Microsecond, None),
        T::Timestamp(TimeUnit::Millisecond, zone),
        T::Duration(TimeUnit::Second),
        T::Interval(IntervalUnit::YearMonth),
        T::Interval(IntervalUnit::DayTime),
        T::Interval(IntervalUnit::MonthDayNano),
        T::Decimal32(9, 2),
        T::Decimal64(18, 2),
        T::Decimal128(38, -3),
        T::Decimal256(76, 10),
        T::FixedSizeBinary(3),
        T::Utf8,
        T::LargeUtf8,
        T::Utf8View,
        T::Binary,
        T::LargeBinary,
        T::BinaryView,
    ];
    let nested = [
        T::List(item(T::Utf8)),
        T::LargeList(item(T::Int64)),
        T::ListView(item(T::Utf8)),
        T::LargeListView(item(T::Decimal128(38, 2))),
        T::FixedSizeList(item(T::Boolean), 2),
        T::Struct(fields(&[T::Int64, T::Utf8View, T::Boolean])),
        T::Struct(Fields::empty()),
        T::Map(entries(T::Utf8, T::Int32), false),
        dictionary(T::Int8, T::Utf8),
        dictionary(T::UInt64, T::Utf8View),
        runs(T::Utf8),
        runs(T::Utf8View),
        union(UnionMode::Sparse),
        union(UnionMode::Dense),
        T::List(item(union(UnionMode::Dense))),
        T::List(item(union(UnionMode::Sparse))),
        T::List(item(dictionary(T::Int16, T::List(item(T::BinaryView))))),
        T::List(item(runs(T::Int64))),
        T::Struct(fields(&[T::ListView(item(dictionary(T::Int8, T::Binary)))])),
        T::Map(entries(T::Int32, T::Utf8View), false),
        dictionary(T::Int32, T::Struct(fields(&[dictionary(T::Int8, T::Utf8)]))),
    ];
    plain.into_iter().chain(nested).collect()
}

/// Rows with a column of each of the types, metadata on the schema and on its fields.
pub(super) fn rows(types: &[DataType], rows: usize) -> RecordBatch {
    let metadata = |value: &str| [("rejoin.table".to_owned(), value.to_owned())].into();
    let fields = types.iter().enumerate().map(|(index, each)| {
        Field::new(format!("column {index}"), each.clone(), true).with_metadata(metadata(&index.to_string()))
    });
    let schema = Schema::new_with_metadata(fields.collect::<Fields>(), metadata("all"));
    let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(rows));
    let columns = types.iter().map(|each| column(each, rows)).collect();
    RecordBatch::try_new_with_options(Arc::new(schema), columns, &options).unwrap()
}

/// A column of that type; every third value is NULL, where a type has NULLs of its own.
fn column(data_type: &DataType, rows: usize) -> ArrayRef {
    use DataType as T;
    let present = |row: &usize| row % 3 != 2;
    let nulls = || Some((0..rows).map(|row| present(&row)).collect::<NullBuffer>());
    let text =
        |row: usize| present(&row).then(|| format!("{row} of a text that is longer than a view holds in itself"));
    let bytes = |row: usize| text(row).map(String::into_bytes);
    let builder = || ArrayData::builder(data_type.clone()).len(rows).nulls(nulls());
    let built = |builder: arrow_data::ArrayDataBuilder| make_array(builder.build().unwrap());
    match data_type {
        T::Null => Arc::new(NullArray::new(rows)),
        T::Boolean => Arc::new((0..rows).map(|row| present(&row).then_some(row % 2 == 0)).collect::<BooleanArray>()),
        T::Utf8 => Arc::new((0..rows).map(text).collect::<StringArray>()),
        T::LargeUtf8 => Arc::new((0..rows).map(text).collect::<LargeStringArray>()),
        T::Utf8View => Arc::new((0..rows).map(text).collect::<StringViewArray>()),
        T::Binary => Arc::new((0..rows).map(bytes).collect::<BinaryArray>()),
        T::LargeBinary => Arc::new((0..rows).map(bytes).collect::<LargeBinaryArray>()),
        T::BinaryView => Arc::new((0..rows).map(bytes).collect::<BinaryViewArray>()),
        T::FixedSizeBinary(width) => built(builder().add_buffer(numbers(rows, usize::try_from(*width).unwrap()))),
        T::List(item) | T::Map(item, _) => {
            let child = if matches!(data_type, T::Map(..)) {
                entries(item, 2 * rows)
            } else {
                column(item.data_type(), 2 * rows)
            };
            let offsets: Vec<i32> = (0..=rows).map(|row| i32::try_from(row + row.min(3)).unwrap()).collect();
            built(builder().add_buffer(Buffer::from_vec(offsets)).add_child_data(child.to_data()))
        }
        T::LargeList(item) => {
            let offsets: Vec<i64> = (0..=rows).map(|row| i64::try_from(2 * row).unwrap()).collect();
            let child = column(item.data_type(), 2 * rows).to_data();
            built(builder().add_buffer(Buffer::from_vec(offsets)).add_child_data(child))
        }
        T::ListView(item) => {
            let offsets: Vec<i32> = (0..rows).rev().map(|row| i32::try_from(row).unwrap()).collect();
            let child = column(item.data_type(), 2 * rows).to_data();
            let sizes = Buffer::from_vec(vec![2_i32; rows]);
            built(builder().add_buffer(Buffer::from_vec(offsets)).add_buffer(sizes).add_child_data(child))
        }
        T::LargeListView(item) => {
            let offsets: Vec<i64> = (0..rows).rev().map(|row| i64::try_from(row).unwrap()).collect();
            let child = column(item.data_type(), 2 * rows).to_data();
            let sizes = Buffer::from_vec(vec![2_i64; rows]);
            built(builder().add_buffer(Buffer::from_vec(offsets)).add_buffer(sizes).add_child_data(child))
        }
        T::FixedSizeList(item, size) => {
            let child = column(item.data_type(), rows * usize::try_from(*size).unwrap());
            built(builder().add_child_data(child.to_data()))
        }
        T::Struct(fields) if fields.is_empty() => Arc::new(StructArray::new_empty_fields(rows, nulls())),
        T::Struct(fields) => {
            let children = fields.iter().map(|field| column(field.data_type(), rows)).collect();
            Arc::new(StructArray::new(fields.clone(), children, nulls()))
        }
        T::Dictionary(key, value) => {
            let keys: Vec<u8> = (0..rows).flat_map(|row| row_number(row % 5, key.primitive_width().unwrap())).collect();
            let values = column(value, 5).to_data();
            built(builder().add_buffer(Buffer::from_vec(keys)).add_child_data(values).align_buffers(true))
        }
        T::RunEndEncoded(_, values) => {
            let ends: Vec<i32> =
                (0..rows.div_ceil(2)).map(|run| i32::try_from((2 * run + 2).min(rows)).unwrap()).collect();
            let runs = ends.len();
            let ends = ArrayData::builder(T::Int32).len(runs).add_buffer(Buffer::from_vec(ends)).build().unwrap();
            let values = column(values.data_type(), runs).to_data();
            built(ArrayData::builder(data_type.clone()).len(rows).add_child_data(ends).add_child_data(values))
        }
        T::Union(fields, mode) => {
            let ids: Vec<i8> = (0..rows).map(|row| if row % 2 == 0 { 3 } else { 7 }).collect();
            let offsets: Vec<i32> = (0..rows).map(|row| i32::try_from(row / 2).unwrap()).collect();
            let offsets = (*mode == UnionMode::Dense).then(|| offsets.into());
            let children = fields.iter().map(|(_, field)| column(field.data_type(), rows)).collect();
            Arc::new(UnionArray::try_new(fields.clone(), ids.into(), offsets, children).unwrap())
        }
        plain => built(builder().add_buffer(numbers(rows, plain.primitive_width().unwrap())).align_buffers(true)),
    }
}

/// The entries of a map: the keys are not NULL.
fn entries(item: &Field, rows: usize) -> ArrayRef {
    let DataType::Struct(fields) = item.data_type() else { panic!("{item}") };
    let keys = column(fields[0].data_type(), rows);
    let keys = make_array(keys.to_data().into_builder().nulls(None).build().unwrap());
    Arc::new(StructArray::new(fields.clone(), vec![keys, column(fields[1].data_type(), rows)], None))
}

fn numbers(rows: usize, width: usize) -> Buffer {
    Buffer::from_vec((0..rows).flat_map(|row| row_number(row, width)).collect::<Vec<_>>())
}

fn row_number(row: usize, width: usize) -> impl Iterator<Item = u8> {
    row.to_le_bytes().into_iter().chain(std::iter::repeat(0)).take(width)
}
