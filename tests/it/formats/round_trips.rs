//! Random rows of all types, written and read back.

use std::sync::Arc;

use arrow_array::builder::{Int64Builder, ListBuilder, StringBuilder};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int8Array,
    Int64Array, IntervalMonthDayNanoArray, RecordBatch, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
    UInt64Array,
};
use arrow_buffer::IntervalMonthDayNano;
use arrow_schema::{DataType, Field, Schema};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use rejoin::format::{
    ArrowCompression, CsvColumns, CsvOptions, CsvReaderOptions, JsonForm, LineBreak, ParquetCompression, RowType,
    TemporalColumns,
};
use serde_json::Value;

use super::written;

/// How many rows there are at the most.
const ROWS: usize = 12;

fn array<T: std::fmt::Debug + 'static>(
    values: impl Strategy<Value = T> + 'static,
    make: impl Fn(Vec<Option<T>>) -> ArrayRef + 'static,
) -> BoxedStrategy<ArrayRef> {
    vec(option::of(values), ROWS).prop_map(make).boxed()
}

/// Text that any document can hold.
fn text() -> BoxedStrategy<String> {
    prop_oneof![
        3 => "[a-z ,;\"\\\\{}\n\r\t&<>é𝄞]{0,12}",
        1 => Just("NULL".to_owned()),
        1 => Just("\\N".to_owned()),
        1 => Just("\\.".to_owned()),
        1 => Just(String::new()),
    ]
    .boxed()
}

fn column() -> BoxedStrategy<ArrayRef> {
    let day = 86_400_000_000_i64;
    let span = any::<(i32, i32, i64)>()
        .prop_map(|(months, days, nanoseconds)| IntervalMonthDayNano::new(months, days, nanoseconds));
    let real = prop_oneof![any::<f64>(), (-1_000_000..1_000_000_i32).prop_map(|value| f64::from(value) / 100.0)];
    let real = real.prop_map(|value| if value.is_nan() { f64::NAN } else { value });
    let real32 = any::<f32>().prop_map(|value| if value.is_nan() { f32::NAN } else { value });
    prop_oneof![
        array(any::<bool>(), |values| Arc::new(BooleanArray::from(values))),
        array(any::<i8>(), |values| Arc::new(Int8Array::from(values))),
        array(any::<i64>(), |values| Arc::new(Int64Array::from(values))),
        array(any::<u64>(), |values| Arc::new(UInt64Array::from(values))),
        array(real32, |values| Arc::new(Float32Array::from(values))),
        array(real, |values| Arc::new(Float64Array::from(values))),
        array(-(10_i128.pow(20))..10_i128.pow(20), |values| {
            Arc::new(Decimal128Array::from(values).with_precision_and_scale(20, 4).unwrap())
        }),
        array(text(), |values| Arc::new(StringArray::from(values))),
        array(vec(any::<u8>(), 0..5), |values| {
            Arc::new(BinaryArray::from(values.iter().map(|value| value.as_deref()).collect::<Vec<_>>()))
        }),
        array(any::<i32>(), |values| Arc::new(Date32Array::from(values))),
        array(0..=day, |values| Arc::new(Time64MicrosecondArray::from(values))),
        array(any::<i64>(), |values| Arc::new(TimestampMicrosecondArray::from(values))),
        array(any::<i64>(), |values| Arc::new(TimestampMicrosecondArray::from(values).with_timezone("UTC"))),
        array(span, |values| Arc::new(IntervalMonthDayNanoArray::from(values))),
        array(vec(option::of(any::<i64>()), 0..4), |values| {
            let mut lists = ListBuilder::new(Int64Builder::new());
            for list in values {
                lists.append_option(list);
            }
            Arc::new(lists.finish())
        }),
        array(vec(option::of(text()), 0..4), |values| {
            let mut lists = ListBuilder::new(StringBuilder::new());
            for list in values {
                lists.append_option(list);
            }
            Arc::new(lists.finish())
        }),
    ]
    .boxed()
}

fn rows() -> impl Strategy<Value = RecordBatch> {
    (vec(column(), 1..6), 0..=ROWS).prop_map(|(columns, rows)| {
        let fields = columns.iter().enumerate();
        let fields = fields.map(|(index, column)| Field::new(format!("c{index}"), column.data_type().clone(), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        RecordBatch::try_new(schema, columns).unwrap().slice(0, rows)
    })
}

/// What takes the place of spans of time where a format has none.
fn without_spans(rows: &RecordBatch) -> RecordBatch {
    let spans = |field: &Field| matches!(field.data_type(), DataType::Interval(_));
    let kept: Vec<usize> = (0..rows.num_columns()).filter(|index| !spans(rows.schema_ref().field(*index))).collect();
    rows.project(&kept).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn csv_is_read_back_as_it_was_written(
        rows in rows(),
        delimiter in prop_oneof![Just(','), Just(';'), Just('\t'), Just('1'), Just('-'), Just('é')],
        null in prop_oneof![Just(""), Just("\\N"), Just("NULL"), Just("0"), Just("true")],
        line_break in prop_oneof![Just(LineBreak::Lf), Just(LineBreak::CrLf), Just(LineBreak::Cr)],
        header: bool,
    ) {
        prop_assume!(!null.contains(delimiter));
        let options = CsvOptions { delimiter, null: null.into(), line_break, header, escape: true };
        let text = written::csv(std::slice::from_ref(&rows), options);
        let columns = rows.schema_ref().fields().iter();
        let columns = columns.map(|field| (field.name().clone(), RowType::of(field.data_type()).unwrap())).collect();
        let columns = CsvColumns::Declared(columns);
        let options = CsvReaderOptions { delimiter, null: null.into(), header, escape: true, columns };
        prop_assert_eq!(written::from_csv(&text, options).unwrap(), [rows]);
    }

    #[test]
    fn arrow_streams_are_read_back_as_they_were_written(rows in rows()) {
        let bytes = written::arrow(std::slice::from_ref(&rows), ArrowCompression::Zstd);
        prop_assert_eq!(written::from_arrow(&bytes).unwrap(), [rows]);
    }

    #[test]
    fn parquet_files_are_read_back_as_they_were_written(rows in rows()) {
        let rows = without_spans(&rows);
        prop_assume!(rows.num_columns() > 0);
        let bytes = written::parquet(std::slice::from_ref(&rows), ParquetCompression::Snappy);
        prop_assert_eq!(written::from_parquet(&bytes).unwrap(), [rows]);
    }

    #[test]
    fn a_rowset_is_read_back_with_the_same_text(rows in rows()) {
        let text = written::web_row_set(std::slice::from_ref(&rows), TemporalColumns::Text);
        let blocks = written::from_web_row_set(&text).unwrap();
        let again = written::web_row_set(&blocks, TemporalColumns::Text);
        let data = |document: &str| document.split_once("<data>").unwrap().1.to_owned();
        prop_assert_eq!(data(&again), data(&text));
    }

    #[test]
    fn json_is_json_and_has_every_value(rows in rows()) {
        let value: Value = serde_json::from_str(&written::json(std::slice::from_ref(&rows), JsonForm::Array)).unwrap();
        let objects = value.as_array().unwrap();
        prop_assert_eq!(objects.len(), rows.num_rows());
        for (index, object) in objects.iter().enumerate() {
            for (column, name) in rows.columns().iter().zip(rows.schema_ref().fields().iter().map(|field| field.name())) {
                prop_assert_eq!(object[name].is_null(), column.is_null(index));
                if let (DataType::Utf8, Some(text)) = (column.data_type(), object[name].as_str()) {
                    let column: &StringArray = arrow_array::cast::AsArray::as_string(column);
                    prop_assert_eq!(text, column.value(index));
                }
            }
        }
    }

    #[test]
    fn no_text_brings_a_reader_down(text in "[a-z\",\r\n<>/é ]{0,40}", bytes in vec(any::<u8>(), 0..80)) {
        let _ = written::from_csv(&text, CsvReaderOptions::default());
        let _ = written::from_web_row_set(&text);
        let _ = written::from_arrow(&bytes);
        let _ = written::from_parquet(&bytes);
    }
}
