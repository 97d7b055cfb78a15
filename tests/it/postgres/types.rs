//! Every type, value by value.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    IntervalMonthDayNanoType, Time64MicrosecondType, TimestampMicrosecondType, UInt32Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, IntervalUnit, TimeUnit};
use rejoin::block::ColumnOrigin;
use rejoin::resource::relational::Parameter;

use super::new_database;

/// A value of a column as text, as this test writes it; `-` is NULL.
fn shown(array: &ArrayRef, row: usize) -> String {
    if array.is_null(row) {
        return "-".into();
    }
    match array.data_type() {
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Int16 => array.as_primitive::<Int16Type>().value(row).to_string(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::UInt32 => array.as_primitive::<UInt32Type>().value(row).to_string(),
        DataType::Float32 => array.as_primitive::<Float32Type>().value(row).to_string(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).to_string(),
        DataType::Decimal128(..) => array.as_primitive::<Decimal128Type>().value_as_string(row),
        DataType::Decimal256(..) => array.as_primitive::<Decimal256Type>().value_as_string(row),
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::Binary => format!("{:?}", array.as_binary::<i32>().value(row)),
        DataType::Date32 => array.as_primitive::<Date32Type>().value(row).to_string(),
        DataType::Time64(_) => array.as_primitive::<Time64MicrosecondType>().value(row).to_string(),
        DataType::Timestamp(..) => array.as_primitive::<TimestampMicrosecondType>().value(row).to_string(),
        DataType::Interval(_) => {
            let value = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
            format!("{}/{}/{}", value.months, value.days, value.nanoseconds)
        }
        DataType::List(_) => {
            let list = array.as_list::<i32>().value(row);
            let elements: Vec<String> = (0..list.len()).map(|index| shown(&list, index)).collect();
            format!("[{}]", elements.join(" "))
        }
        other => panic!("{other}"),
    }
}

fn column(blocks: &[RecordBatch], index: usize) -> Vec<String> {
    blocks.iter().flat_map(|block| (0..block.num_rows()).map(|row| shown(block.column(index), row))).collect()
}

fn list_of(element: DataType) -> DataType {
    DataType::List(Arc::new(arrow_schema::Field::new("item", element, true)))
}

/// Types with values that they hold, each as the database takes it, and as it arrives.
fn cases() -> Vec<Case> {
    [numbers(), texts_and_moments(), others()].concat()
}

/// A type, its column, and values.
type Case = (&'static str, DataType, Vec<(&'static str, &'static str)>);

fn numbers() -> Vec<Case> {
    vec![
        ("boolean", DataType::Boolean, vec![("true", "true"), ("false", "false")]),
        ("smallint", DataType::Int16, vec![("-32768", "-32768"), ("32767", "32767")]),
        ("integer", DataType::Int32, vec![("-2147483648", "-2147483648"), ("2147483647", "2147483647")]),
        (
            "bigint",
            DataType::Int64,
            vec![("-9223372036854775808", "-9223372036854775808"), ("9223372036854775807", "9223372036854775807")],
        ),
        ("oid", DataType::UInt32, vec![("0", "0"), ("4294967295", "4294967295")]),
        (
            "real",
            DataType::Float32,
            vec![
                ("0.1", "0.1"),
                ("-3.4028235e38", "-340282350000000000000000000000000000000"),
                ("NaN", "NaN"),
                ("Infinity", "inf"),
            ],
        ),
        ("double precision", DataType::Float64, vec![("0.1", "0.1"), ("1e-5", "0.00001"), ("-Infinity", "-inf")]),
        (
            "numeric(10,2)",
            DataType::Decimal128(10, 2),
            vec![("12345678.9", "12345678.90"), ("-0.01", "-0.01"), ("0", "0.00")],
        ),
        (
            "numeric(38,0)",
            DataType::Decimal128(38, 0),
            vec![("99999999999999999999999999999999999999", "99999999999999999999999999999999999999")],
        ),
        (
            "numeric(38,38)",
            DataType::Decimal128(38, 38),
            vec![("-0.99999999999999999999999999999999999999", "-0.99999999999999999999999999999999999999")],
        ),
        (
            "numeric(76,3)",
            DataType::Decimal256(76, 3),
            vec![
                (
                    "-9999999999999999999999999999999999999999999999999999999999999999999999999.999",
                    "-9999999999999999999999999999999999999999999999999999999999999999999999999.999",
                ),
                ("1", "1.000"),
            ],
        ),
        (
            "numeric",
            DataType::Utf8,
            vec![
                ("1.500", "1.500"),
                ("-0.00012", "-0.00012"),
                ("1e20", "100000000000000000000"),
                ("NaN", "NaN"),
                ("-Infinity", "-Infinity"),
                ("10000", "10000"),
            ],
        ),
        ("numeric(3,-2)", DataType::Utf8, vec![("12345", "12300")]),
    ]
}

fn texts_and_moments() -> Vec<Case> {
    let utc = || DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    vec![
        ("text", DataType::Utf8, vec![("", ""), ("ä\t\"\n\\", "ä\t\"\n\\"), ("NULL", "NULL")]),
        ("varchar(4)", DataType::Utf8, vec![("abcd", "abcd")]),
        ("char(4)", DataType::Utf8, vec![("ab", "ab  ")]),
        ("name", DataType::Utf8, vec![("ab", "ab")]),
        ("bytea", DataType::Binary, vec![("\\x00ff", "[0, 255]"), ("", "[]")]),
        (
            "date",
            DataType::Date32,
            vec![
                ("1970-01-01", "0"),
                ("2000-02-29", "11016"),
                ("4713-01-01 BC", "-2440550"),
                ("5874897-12-31", "2145042905"),
            ],
        ),
        ("time", DataType::Time64(TimeUnit::Microsecond), vec![("00:00", "0"), ("23:59:59.999999", "86399999999")]),
        (
            "timestamp",
            DataType::Timestamp(TimeUnit::Microsecond, None),
            vec![
                ("1970-01-01 00:00:00.000001", "1"),
                ("1969-12-31 23:59:59", "-1000000"),
                ("0044-03-15 12:00 BC", "-63517780800000000"),
            ],
        ),
        ("timestamptz", utc(), vec![("1970-01-01 02:00:00+02", "0")]),
        (
            "interval",
            DataType::Interval(IntervalUnit::MonthDayNano),
            vec![("1 year 2 months 3 days 04:00:00.5", "14/3/14400500000000"), ("-1 day", "0/-1/0")],
        ),
    ]
}

fn others() -> Vec<Case> {
    vec![
        (
            "uuid",
            DataType::Utf8,
            vec![("A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")],
        ),
        ("json", DataType::Utf8, vec![("{ \"a\": 1.0 }", "{ \"a\": 1.0 }")]),
        ("jsonb", DataType::Utf8, vec![("{\"b\":1,\"a\":[null,\"x\"]}", "{\"a\": [null, \"x\"], \"b\": 1}")]),
        ("xml", DataType::Utf8, vec![("<a>1</a>", "<a>1</a>")]),
        ("inet", DataType::Utf8, vec![("10.0.0.1/8", "10.0.0.1/8"), ("::1", "::1")]),
        ("macaddr", DataType::Utf8, vec![("08:00:2b:01:02:03", "08:00:2b:01:02:03")]),
        ("timetz", DataType::Utf8, vec![("12:00:00+02", "12:00:00+02")]),
        ("bit varying(8)", DataType::Utf8, vec![("1010", "1010")]),
        ("money", DataType::Utf8, vec![("1.5", "$1.50")]),
        ("point", DataType::Utf8, vec![("(1,2.5)", "(1,2.5)")]),
        ("int4range", DataType::Utf8, vec![("[1,5)", "[1,5)")]),
        ("tsvector", DataType::Utf8, vec![("a b", "'a' 'b'")]),
        ("mood", DataType::Utf8, vec![("so so", "so so"), ("happy", "happy")]),
        ("pair", DataType::Utf8, vec![("(1,\"a b\")", "(1,\"a b\")")]),
        ("percent", DataType::Int32, vec![("100", "100")]),
        ("integer[]", list_of(DataType::Int32), vec![("{1,NULL,3}", "[1 - 3]"), ("{}", "[]")]),
        ("text[]", list_of(DataType::Utf8), vec![("{\"a b\",\"NULL\",NULL}", "[a b NULL -]")]),
        ("numeric(5,1)[]", list_of(DataType::Decimal128(5, 1)), vec![("{1,2.5}", "[1.0 2.5]")]),
        ("mood[]", list_of(DataType::Utf8), vec![("{happy,\"so so\"}", "[happy so so]")]),
        (
            "uuid[]",
            list_of(DataType::Utf8),
            vec![("{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", "[a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11]")],
        ),
        ("inet[]", DataType::Utf8, vec![("{10.0.0.1,NULL}", "{10.0.0.1,NULL}")]),
    ]
}

const OWN_TYPES: &str = "CREATE TYPE mood AS ENUM ('so so', 'happy'); CREATE TYPE pair AS (a integer, b text); \
    CREATE DOMAIN percent AS integer CHECK (value <= 100);";

#[tokio::test(flavor = "multi_thread")]
async fn every_type_travels_both_ways() {
    let database = new_database();
    database.psql(OWN_TYPES);
    for (type_name, data_type, values) in cases() {
        database.update(&format!("CREATE TABLE t (n serial, v {type_name})"), []).await.unwrap();
        for (given, _) in &values {
            let inserted = database.update("INSERT INTO t (v) VALUES (?)", [Parameter::from(*given)]).await;
            assert_eq!(inserted, Ok(1), "{type_name} {given}");
        }
        database.update("INSERT INTO t (v) VALUES (?)", [Parameter::Null]).await.unwrap();
        let blocks = database.query("SELECT v FROM t ORDER BY n", []).await.unwrap();
        assert_eq!(*blocks[0].schema().field(0).data_type(), data_type, "{type_name}");
        let mut wanted: Vec<&str> = values.iter().map(|(_, arrives)| *arrives).collect();
        wanted.push("-");
        assert_eq!(column(&blocks, 0), wanted, "{type_name}");
        database.update("DROP TABLE t", []).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_does_not_fit_turns_its_column_into_text() {
    let database = new_database();
    for (type_name, values) in [
        ("date", &["2026-11-21", "infinity", "0044-03-15 BC"][..]),
        ("time", &["12:30:00", "24:00:00"]),
        ("timestamp", &["2026-11-21 08:00:00.5", "-infinity"]),
        ("timestamptz", &["2026-11-21 08:00:00+00", "infinity", "0044-03-15 12:00:00+00 BC"]),
        ("timestamp", &["294276-12-31 23:59:59.999999", "2000-01-01 00:00:00"]),
        ("numeric(6,2)", &["1.50", "NaN", "-0.01", "0.00"]),
        ("numeric(60,2)", &["1.50", "NaN", "-1234567890123456789012345678901234567890.12"]),
        ("interval", &["P1Y2M3DT4H5M6.7S", "PT2562047788H", "P-1DT-0.5S", "PT0S"]),
        ("integer[]", &["{1,NULL}", "{{1,2},{3,4}}", "[0:1]={7,8}"]),
        ("text[]", &["{a,\"b \\\"c\\\\\",NULL,\"NULL\",\"\",\"{\"}", "{{a,\"b c\"}}"]),
        ("date[]", &["{2026-11-21,NULL}", "{infinity}"]),
        ("timestamptz[]", &["{\"2026-11-21 08:00:00+00\"}", "{{-infinity}}"]),
        ("float8[]", &["{1e+20,0.1}", "{{100,NaN}}"]),
        ("boolean[]", &["{t,f}", "{{t}}"]),
        ("bytea[]", &["{\"\\\\x00ff\"}", "{{\"\\\\x\"}}"]),
        ("jsonb[]", &["{\"{\\\"a\\\": 1}\"}", "{{1}}"]),
    ] {
        database.update(&format!("CREATE TABLE t (n serial, v {type_name})"), []).await.unwrap();
        for value in values {
            database.update("INSERT INTO t (v) VALUES (?)", [Parameter::from(*value)]).await.unwrap();
        }
        database.update("INSERT INTO t (v) VALUES (NULL)", []).await.unwrap();
        let blocks = database.query("SELECT v, v::text FROM t ORDER BY n", []).await.unwrap();
        assert_eq!(*blocks[0].schema().field(0).data_type(), DataType::Utf8, "{type_name}");
        assert_eq!(column(&blocks, 0), column(&blocks, 1), "{type_name}");
        assert_eq!(column(&blocks, 0)[..values.len()], *values, "{type_name}");
        database.update("DROP TABLE t", []).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_take_the_type_of_what_they_are_compared_with() {
    let database = new_database();
    database.psql("CREATE TABLE t (i integer, n numeric, s text, r float8, b boolean, y bytea)");
    let insert = "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)";
    let row = [
        Parameter::Integer(42),
        Parameter::Integer(7),
        Parameter::Integer(131),
        Parameter::Real(1e20),
        Parameter::Boolean(true),
        Parameter::Bytes(vec![0, 255].into()),
    ];
    assert_eq!(database.update(insert, row).await, Ok(1));
    for (condition, value) in [
        ("i = ?", Parameter::from("42")),
        ("i = ?", Parameter::Integer(42)),
        ("n = ?", Parameter::from("7.0")),
        ("s = ?", Parameter::from("131")),
        ("r = ?", Parameter::Real(1e20)),
        ("b = ?", Parameter::from("true")),
        ("y = ?", Parameter::Bytes(vec![0, 255].into())),
        ("y = ?", Parameter::from("\\x00ff")),
    ] {
        let blocks = database.query(&format!("SELECT count(*) FROM t WHERE {condition}"), [value]).await.unwrap();
        assert_eq!(column(&blocks, 0), ["1"], "{condition}");
    }
    let error = database.query("SELECT ?::text, i FROM t WHERE i = ?", ["a".into(), "forty".into()]).await.unwrap_err();
    assert!(error.to_string().contains("forty"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_say_where_they_come_from() {
    let database = new_database();
    database.psql("CREATE TABLE person (id serial PRIMARY KEY, name varchar(40), at inet)");
    let blocks = database.query("SELECT id AS key, name, at, id + 1 AS next FROM person", []).await.unwrap();
    let schema = blocks[0].schema();
    let origin = |index: usize| ColumnOrigin::of(schema.field(index));
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        origin(0),
        ColumnOrigin {
            type_name: text("integer"),
            table: text("person"),
            column: text("id"),
            nullable: Some(false),
            auto_increment: true
        }
    );
    assert_eq!(
        origin(1),
        ColumnOrigin {
            type_name: text("character varying(40)"),
            table: text("person"),
            column: text("name"),
            nullable: Some(true),
            auto_increment: false
        }
    );
    assert_eq!(origin(2).type_name, text("inet"));
    assert_eq!(origin(3), ColumnOrigin { type_name: text("integer"), ..ColumnOrigin::default() });
    assert_eq!(schema.field(0).name(), "key");
}
