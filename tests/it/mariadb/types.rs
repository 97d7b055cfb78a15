//! Each type, value by value: what the server holds, what comes out, and what goes back in.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Time64MicrosecondType,
    TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use rejoin::block::{Block, ColumnOrigin, StreamType, pipe};
use rejoin::resource::relational::{BulkLoad, TableName};
use tokio_util::sync::CancellationToken;

use super::stage::{Stage, blocks, shown, update};

const MICROSECOND: TimeUnit = TimeUnit::Microsecond;

/// The name of a column type, how it is declared in a result, its Arrow type, and values in SQL with what they are shown as.
type Case = (&'static str, &'static str, DataType, &'static [(&'static str, &'static str)]);

fn numbers_and_times() -> Vec<Case> {
    let moment = DataType::Timestamp(MICROSECOND, None);
    let instant = DataType::Timestamp(MICROSECOND, Some("UTC".into()));
    vec![
        ("BOOLEAN", "TINYINT", DataType::Int8, &[("TRUE", "1"), ("FALSE", "0")]),
        ("TINYINT", "TINYINT", DataType::Int8, &[("-128", "-128"), ("127", "127")]),
        ("TINYINT UNSIGNED", "TINYINT UNSIGNED", DataType::UInt8, &[("255", "255")]),
        ("SMALLINT", "SMALLINT", DataType::Int16, &[("-32768", "-32768"), ("32767", "32767")]),
        ("SMALLINT UNSIGNED", "SMALLINT UNSIGNED", DataType::UInt16, &[("65535", "65535")]),
        ("MEDIUMINT", "MEDIUMINT", DataType::Int32, &[("-8388608", "-8388608"), ("8388607", "8388607")]),
        ("MEDIUMINT UNSIGNED", "MEDIUMINT UNSIGNED", DataType::UInt32, &[("16777215", "16777215")]),
        ("INT", "INT", DataType::Int32, &[("-2147483648", "-2147483648"), ("2147483647", "2147483647")]),
        ("INT UNSIGNED", "INT UNSIGNED", DataType::UInt32, &[("4294967295", "4294967295")]),
        (
            "BIGINT",
            "BIGINT",
            DataType::Int64,
            &[("-9223372036854775808", "-9223372036854775808"), ("9223372036854775807", "9223372036854775807")],
        ),
        (
            "BIGINT UNSIGNED",
            "BIGINT UNSIGNED",
            DataType::UInt64,
            &[("18446744073709551615", "18446744073709551615"), ("1", "1")],
        ),
        ("BIT(1)", "BIT(1)", DataType::Boolean, &[("b'1'", "true"), ("b'0'", "false")]),
        ("BIT(64)", "BIT(64)", DataType::UInt64, &[("18446744073709551615", "18446744073709551615"), ("5", "5")]),
        ("BIT(9)", "BIT(9)", DataType::UInt64, &[("257", "257")]),
        ("YEAR", "YEAR", DataType::Int16, &[("2026", "2026"), ("0", "0"), ("2155", "2155")]),
        ("FLOAT", "FLOAT", DataType::Float32, &[("0.1", "0.1"), ("-3.4e38", "-3.4e38")]),
        (
            "DOUBLE",
            "DOUBLE",
            DataType::Float64,
            &[("0.1", "0.1"), ("1.7976931348623157e308", "1.7976931348623157e308")],
        ),
        (
            "DECIMAL(10,2)",
            "DECIMAL(10,2)",
            DataType::Decimal128(10, 2),
            &[("-12345678.90", "-12345678.90"), ("0.05", "0.05")],
        ),
        (
            "DECIMAL(38,0)",
            "DECIMAL(38,0)",
            DataType::Decimal128(38, 0),
            &[("99999999999999999999999999999999999999", "99999999999999999999999999999999999999")],
        ),
        (
            "DECIMAL(65,30)",
            "DECIMAL(65,30)",
            DataType::Decimal256(65, 30),
            &[
                (
                    "-99999999999999999999999999999999999.999999999999999999999999999999",
                    "-99999999999999999999999999999999999.999999999999999999999999999999",
                ),
                ("0", "0.000000000000000000000000000000"),
            ],
        ),
        ("DECIMAL(5,2) UNSIGNED", "DECIMAL(5,2) UNSIGNED", DataType::Decimal128(5, 2), &[("999.99", "999.99")]),
        (
            "DATE",
            "DATE",
            DataType::Date32,
            &[("'2026-11-22'", "2026-11-22"), ("'1000-01-01'", "1000-01-01"), ("'9999-12-31'", "9999-12-31")],
        ),
        ("TIME", "TIME", DataType::Time64(MICROSECOND), &[("'00:00:00'", "00:00:00"), ("'23:59:59'", "23:59:59")]),
        ("TIME(6)", "TIME(6)", DataType::Time64(MICROSECOND), &[("'23:59:59.999999'", "23:59:59.999999")]),
        (
            "DATETIME",
            "DATETIME",
            moment.clone(),
            &[("'1000-01-01 00:00:00'", "1000-01-01T00:00:00"), ("'9999-12-31 23:59:59'", "9999-12-31T23:59:59")],
        ),
        ("DATETIME(6)", "DATETIME(6)", moment, &[("'2026-11-22 08:00:00.000001'", "2026-11-22T08:00:00.000001")]),
        (
            "TIMESTAMP(3) NULL",
            "TIMESTAMP(3)",
            instant,
            &[
                ("'2026-11-22 08:00:00.125'", "2026-11-22T08:00:00.125Z"),
                ("'1970-01-01 00:00:01'", "1970-01-01T00:00:01Z"),
            ],
        ),
        ("CHAR(5)", "CHAR(5)", DataType::Utf8, &[("'Ünï'", "Ünï"), ("''", "")]),
        ("VARCHAR(40)", "VARCHAR(40)", DataType::Utf8, &[("'a\\tb\\nc\\\\d😀'", "a\tb\nc\\d😀")]),
    ]
}

fn texts_and_bytes() -> Vec<Case> {
    vec![
        ("VARCHAR(9) CHARACTER SET latin1", "VARCHAR(9)", DataType::Utf8, &[("'é'", "é")]),
        ("TINYTEXT", "TINYTEXT", DataType::Utf8, &[("'t'", "t")]),
        ("TEXT", "TEXT", DataType::Utf8, &[("'t'", "t")]),
        ("MEDIUMTEXT", "MEDIUMTEXT", DataType::Utf8, &[("'t'", "t")]),
        ("LONGTEXT", "LONGTEXT", DataType::Utf8, &[("'t'", "t")]),
        ("JSON", "LONGTEXT", DataType::Utf8, &[("'{\"a\": [1, null]}'", "{\"a\": [1, null]}")]),
        ("ENUM('a','b')", "ENUM", DataType::Utf8, &[("'b'", "b")]),
        ("SET('a','b')", "SET", DataType::Utf8, &[("'a,b'", "a,b"), ("''", "")]),
        (
            "UUID",
            "CHAR(36)",
            DataType::Utf8,
            &[("'123e4567-e89b-12d3-a456-426655440000'", "123e4567-e89b-12d3-a456-426655440000")],
        ),
        ("INET6", "CHAR(39)", DataType::Utf8, &[("'::1'", "::1")]),
        ("BINARY(3)", "BINARY(3)", DataType::Binary, &[("x'00FF'", "00ff00")]),
        ("VARBINARY(9)", "VARBINARY(9)", DataType::Binary, &[("x'00FF5C0A'", "00ff5c0a"), ("''", "")]),
        ("BLOB", "BLOB", DataType::Binary, &[("x'80'", "80")]),
        ("LONGBLOB", "LONGBLOB", DataType::Binary, &[("x'80'", "80")]),
    ]
}

/// A value as a test writes it.
fn text_of(array: &dyn Array, row: usize) -> String {
    if array.is_null(row) {
        return "NULL".into();
    }
    match array.data_type() {
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::UInt8 => array.as_primitive::<UInt8Type>().value(row).to_string(),
        DataType::UInt16 => array.as_primitive::<UInt16Type>().value(row).to_string(),
        DataType::UInt32 => array.as_primitive::<UInt32Type>().value(row).to_string(),
        DataType::Float32 => format!("{:?}", array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => format!("{:?}", array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(..) => array.as_primitive::<Decimal128Type>().value_as_string(row),
        DataType::Decimal256(..) => array.as_primitive::<Decimal256Type>().value_as_string(row),
        DataType::Date32 => array.as_primitive::<Date32Type>().value_as_date(row).unwrap().to_string(),
        DataType::Time64(_) => array.as_primitive::<Time64MicrosecondType>().value_as_time(row).unwrap().to_string(),
        DataType::Timestamp(_, zone) => {
            let moment = array.as_primitive::<TimestampMicrosecondType>().value_as_datetime(row).unwrap();
            let fraction = moment.format("%.f").to_string();
            let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
            format!("{}{fraction}{}", moment.format("%Y-%m-%dT%H:%M:%S"), if zone.is_some() { "Z" } else { "" })
        }
        DataType::Binary => array.as_binary::<i32>().value(row).iter().map(|byte| format!("{byte:02x}")).collect(),
        _ => shown(array, row),
    }
}

#[tokio::test]
async fn every_type_comes_out_exactly_and_goes_back_in() {
    let stage = Stage::new();
    for (index, (declared, told, data_type, values)) in
        numbers_and_times().into_iter().chain(texts_and_bytes()).enumerate()
    {
        let create = format!("CREATE TABLE t{index} (id INT AUTO_INCREMENT PRIMARY KEY, v {declared})");
        update(stage.sql(), &create, []).await.unwrap();
        for (value, _) in values.iter().chain([&("NULL", "NULL")]) {
            update(stage.sql(), &format!("INSERT INTO t{index} (v) VALUES ({value})"), []).await.unwrap();
        }
        let read = format!("SELECT v FROM t{index} ORDER BY id");
        let rows = blocks(stage.sql(), &read, []).await.unwrap();
        let [block] = rows.as_slice() else { panic!("{declared}: {} blocks", rows.len()) };
        assert_eq!(block.column(0).data_type(), &data_type, "{declared}");
        let origin = ColumnOrigin::of(block.schema().field(0));
        let expected = ColumnOrigin {
            type_name: Some(told.into()),
            table: Some(format!("t{index}")),
            column: Some("v".into()),
            nullable: Some(true),
            auto_increment: false,
        };
        assert_eq!(origin, expected);
        let read_back: Vec<String> = (0..block.num_rows()).map(|row| text_of(block.column(0), row)).collect();
        let expected: Vec<&str> = values.iter().map(|(_, text)| *text).chain(["NULL"]).collect();
        assert_eq!(read_back, expected, "{declared}");

        // Loaded into the same table, and found there again.
        load(&stage, &format!("t{index}"), false, block.clone()).await.unwrap();
        let again = blocks(stage.sql(), &read, []).await.unwrap();
        let all: Vec<String> = (0..again[0].num_rows()).map(|row| text_of(again[0].column(0), row)).collect();
        assert_eq!(all, [&read_back[..], &read_back[..]].concat(), "{declared}, loaded");
    }
}

async fn load(
    stage: &Stage,
    table: &str,
    create: bool,
    rows: RecordBatch,
) -> Result<u64, rejoin::resource::ResourceError> {
    let (writer, reader) = pipe(StreamType::Rows);
    writer.send(Block::Rows(rows)).await.unwrap();
    writer.finish().await;
    let load = BulkLoad { table: TableName::parse(table), create, transactionally: true };
    stage.sql().load(load, reader, CancellationToken::new()).await
}

#[tokio::test]
async fn what_its_type_does_not_have_comes_as_text_in_its_block() {
    let stage = Stage::new();
    stage.run(
        "SET sql_mode = ''; CREATE TABLE t (id INT PRIMARY KEY, d DATE, m DATETIME(2), t TIME(1));
         INSERT INTO t VALUES (1, '2026-01-02', '2026-01-02 03:04:05.25', '01:02:03.5'), (2, NULL, NULL, NULL),
         (3, '0000-00-00', '0000-00-00', '-00:00:01'), (4, '2026-11-00', '2026-00-00 01:00:00', '838:59:59.0')",
    );
    let rows = blocks(stage.sql(), "SELECT * FROM t ORDER BY id", []).await.unwrap();
    for (column, expected) in [
        (1, ["2026-01-02", "NULL", "0000-00-00", "2026-11-00"]),
        (2, ["2026-01-02 03:04:05.25", "NULL", "0000-00-00 00:00:00.00", "2026-00-00 01:00:00.00"]),
        (3, ["01:02:03.5", "NULL", "-00:00:01.0", "838:59:59.0"]),
    ] {
        assert_eq!(rows[0].column(column).data_type(), &DataType::Utf8);
        let texts: Vec<String> = (0..4).map(|row| text_of(rows[0].column(column), row)).collect();
        assert_eq!(texts, expected);
    }
    // In a later block only.
    let sql = "SELECT IF(seq = 2000, CAST('100:00:00' AS TIME), CAST('10:00:00' AS TIME)) AS v FROM seq_1_to_3000";
    let rows = blocks(stage.sql(), sql, []).await.unwrap();
    let types: Vec<bool> = rows.iter().map(|block| block.column(0).data_type() == &DataType::Utf8).collect();
    assert_eq!(types, [false, false, true, false]);
}

#[tokio::test]
async fn rows_that_do_not_fit_are_not_loaded_at_all() {
    let stage = Stage::new();
    stage.run("CREATE TABLE t (v TINYINT UNIQUE); INSERT INTO t VALUES (7)");
    for bad in [7_i32, 1000] {
        let values: ArrayRef = Arc::new(arrow_array::Int32Array::from(vec![1, 2, bad]));
        let error = load(&stage, "t", false, RecordBatch::try_from_iter([("v", values)]).unwrap()).await.unwrap_err();
        assert_eq!(error.code(), "SqlError", "{error}");
        assert_eq!(stage.run("SELECT GROUP_CONCAT(v) FROM t"), "7");
    }
    let values: ArrayRef = Arc::new(arrow_array::Int32Array::from(vec![1, 2, 3]));
    assert_eq!(load(&stage, "new", true, RecordBatch::try_from_iter([("v", values)]).unwrap()).await, Ok(3));
    assert_eq!(stage.run("SELECT SUM(v) FROM new"), "6");
}
