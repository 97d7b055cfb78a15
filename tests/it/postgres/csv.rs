//! Our CSV is the CSV of `COPY`, byte by byte.

use rejoin::format::{CsvOptions, CsvWriter};
use rejoin::resource::relational::{Parameter, SqlExecutor};
use rejoin::session::TransactionOptions;

use super::{Database, new_database, query};

/// The forms of values that [`CsvWriter`] has.
const FORMS: &str =
    "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'iso_8601'; SET extra_float_digits = 1;";

/// What `COPY` writes.
fn by_copy(database: &Database, sql: &str, options: &CsvOptions) -> String {
    let CsvOptions { delimiter, null, header, .. } = options;
    database.psql(&format!(
        "{FORMS} COPY ({sql}) TO STDOUT (FORMAT csv, DELIMITER E'{}', NULL '{null}', HEADER {header})",
        delimiter.escape_default()
    ))
}

async fn by_us(sql: &(impl SqlExecutor + ?Sized), text: &str, options: CsvOptions) -> String {
    let mut writer = CsvWriter::new(options).unwrap();
    let mut csv = String::new();
    let blocks = query(sql, text, []).await.unwrap();
    writer.begin(blocks[0].schema_ref(), &mut csv);
    for rows in &blocks {
        writer.rows(rows, &mut csv).unwrap();
    }
    csv
}

fn options(delimiter: char, null: &str, header: bool) -> CsvOptions {
    CsvOptions { delimiter, null: null.to_owned(), header, ..CsvOptions::default() }
}

/// Types, and values of them as the database takes them.
const VALUES: [(&str, &[&str]); 24] = [
    ("boolean", &["true", "false"]),
    ("smallint", &["-32768", "0"]),
    ("integer", &["2147483647"]),
    ("bigint", &["-9223372036854775808"]),
    ("oid", &["4294967295"]),
    ("real", &["0.1", "1e20", "100000", "1e6", "1e-5", "NaN", "-Infinity", "0", "-0", "3.4028235e38"]),
    (
        "float8",
        &["0.1", "1e14", "1e15", "100", "1e-4", "1e-5", "1.7976931348623157e308", "5e-324", "Infinity", "NaN", "-0"],
    ),
    ("numeric(10,2)", &["1.5", "-0.01", "0", "12345678.90"]),
    ("numeric(50,10)", &["-1.5", "1234567890123456789012345678901234567890"]),
    ("numeric", &["1.500", "1e20", "NaN", "-Infinity"]),
    ("text", &["", "a,b;c\td|e", "say \"hi\"", "one\ntwo", "one\rtwo", "NULL", "\\.", "\\N", " spaces ", "ä€😀"]),
    ("char(4)", &["ab", ""]),
    (
        "bytea",
        &[
            "",
            "\\x00ff10",
            "\\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f4041424344",
        ],
    ),
    ("date", &["2026-11-21", "0044-03-15 BC", "12345-06-07", "0001-01-01", "5874897-12-31", "infinity"]),
    ("time", &["08:00", "23:59:59.999999", "12:00:00.5", "24:00"]),
    ("timestamp", &["2026-11-21 08:00:00.5", "0044-03-15 12:00 BC", "12345-06-07 01:02:03.000001", "infinity"]),
    (
        "timestamptz",
        &["2026-11-21 08:00:00+00", "0044-03-15 12:00+00 BC", "1969-12-31 23:59:59.999999+00", "-infinity"],
    ),
    (
        "interval",
        &["1 year 2 months 3 days 04:05:06.7", "-1 day", "0", "-0.5 second", "-14 months", "36 hours", "-01:00:30.25"],
    ),
    ("uuid", &["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]),
    ("json", &["{\"a\": [1, 2]}"]),
    ("jsonb", &["{\"a\": \"x,y\"}", "1"]),
    ("inet", &["10.0.0.1/8", "::1", "10.0.0.1"]),
    ("xml", &["<a b=\"1\">x</a>"]),
    ("int4range", &["[1,5)"]),
];

/// `COPY` writes truth values as `t` and `f`, and bytes not as base64, of which the server breaks the lines.
fn in_copy(type_name: &str) -> &str {
    match type_name {
        "boolean" => "v::text",
        "bytea" => "translate(encode(v, 'base64'), E'\\n', '')",
        _ => "v",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_has_the_same_bytes() {
    let database = new_database();
    for (type_name, values) in VALUES {
        database.psql(&format!("CREATE TABLE t (n serial, v {type_name})"));
        for value in values {
            database.update("INSERT INTO t (v) VALUES (?)", [Parameter::from(*value)]).await.unwrap();
        }
        database.psql("INSERT INTO t (v) VALUES (NULL)");
        let theirs = format!("(SELECT n, {} AS v FROM t) AS t", in_copy(type_name));
        for (columns, options) in [
            ("v, n", options(',', "", false)),
            ("v", options(',', "", true)),
            ("v AS \"a;b\", v", options(';', "NULL", true)),
            ("n, v", options('\t', "\\N", false)),
            ("n, v", options('1', "0", true)),
            ("v, n", options(' ', "true", false)),
        ] {
            let copied = by_copy(&database, &format!("SELECT {columns} FROM {theirs} ORDER BY n"), &options);
            let ours = by_us(database.sql(), &format!("SELECT {columns} FROM t ORDER BY n"), options.clone()).await;
            assert_eq!(ours.trim_end(), copied, "{type_name} {columns} {options:?}");
        }
        database.psql("DROP TABLE t");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_with_settings_of_its_own_gives_the_same_csv() {
    let database = new_database();
    let sql = "SELECT 0.123456789012345678::float8, TIMESTAMPTZ '2026-01-01 00:00+00', DATE '2026-01-02'";
    let expected = by_us(database.sql(), sql, CsvOptions::default()).await;
    for setting in [
        "SET extra_float_digits = -5",
        "SET TimeZone = 'Asia/Tokyo'",
        "SELECT set_config('DateStyle', 'German', false)",
        "DO $$ BEGIN SET extra_float_digits = -5; END $$",
    ] {
        let branch = database.sql().begin(TransactionOptions::default()).await.unwrap();
        super::update(branch.executor(), setting, []).await.unwrap();
        let csv = by_us(branch.executor(), sql, CsvOptions::default()).await;
        assert_eq!(csv, expected, "{setting}");
    }
}
