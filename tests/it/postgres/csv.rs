//! CSV that the database writes itself is the CSV that we write, byte by byte.

use rejoin::block::{Block, StreamType, pipe};
use rejoin::format::{CsvOptions, CsvWriter};
use rejoin::resource::relational::{CsvForm, Parameter, QueryEnd, SqlExecutor, Statement};
use rejoin::session::TransactionOptions;
use tokio_util::sync::CancellationToken;

use super::{new_database, query};

/// What the database writes; `None` when it leaves it to us.
async fn by_database(sql: &(impl SqlExecutor + ?Sized), statement: &Statement, form: &CsvForm) -> Option<String> {
    let (writer, mut reader) = pipe(StreamType::Text);
    let reading = async move {
        let mut text = String::new();
        while let Ok(Some(Block::Text(piece))) = reader.next().await {
            text.push_str(&piece);
        }
        text
    };
    let running = async move { sql.query_csv(statement, form, &writer, CancellationToken::new()).await };
    let (end, text) = tokio::join!(running, reading);
    end.unwrap().map(|QueryEnd { rows }| {
        let lines = text.lines().count() as u64;
        assert!(lines >= rows, "{rows} rows in {lines} lines");
        text
    })
}

async fn by_us(sql: &(impl SqlExecutor + ?Sized), text: &str, form: &CsvForm) -> String {
    let CsvForm { delimiter, null, header } = form.clone();
    let mut writer = CsvWriter::new(CsvOptions { delimiter, null, header, ..CsvOptions::default() }).unwrap();
    let mut csv = String::new();
    let blocks = query(sql, text, []).await.unwrap();
    writer.begin(blocks[0].schema_ref(), &mut csv);
    for rows in &blocks {
        writer.rows(rows, &mut csv).unwrap();
    }
    csv
}

fn form(delimiter: char, null: &str, header: bool) -> CsvForm {
    CsvForm { delimiter, null: null.to_owned(), header }
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

#[tokio::test(flavor = "multi_thread")]
async fn every_type_has_the_same_bytes() {
    let database = new_database();
    for (type_name, values) in VALUES {
        database.psql(&format!("CREATE TABLE t (n serial, v {type_name})"));
        for value in values {
            database.update("INSERT INTO t (v) VALUES (?)", [Parameter::from(*value)]).await.unwrap();
        }
        database.psql("INSERT INTO t (v) VALUES (NULL)");
        for (columns, form) in [
            ("v, n", form(',', "", false)),
            ("v", form(',', "", true)),
            ("v AS \"a;b\", v", form(';', "NULL", true)),
            ("n, v", form('\t', "\\N", false)),
            ("n, v", form('1', "0", true)),
            ("v, n", form(' ', "true", false)),
        ] {
            let sql = format!("SELECT {columns} FROM t ORDER BY n; -- all");
            let written = by_database(database.sql(), &Statement::new(&*sql, []), &form).await;
            let ours = by_us(database.sql(), &sql, &form).await;
            assert_eq!(written.as_deref(), Some(&*ours), "{type_name} {columns} {form:?}");
        }
        database.psql("DROP TABLE t");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_database_would_write_differently_is_left_to_us() {
    let database = new_database();
    let plain = form(',', "", false);
    for (sql, parameters, form) in [
        ("SELECT ?::integer", vec![Parameter::Integer(1)], plain.clone()),
        ("SELECT ARRAY[1, 2]", vec![], plain.clone()),
        ("SHOW search_path", vec![], plain.clone()),
        ("SELECT 1", vec![], form('é', "", false)),
        ("SELECT 1", vec![], form(',', "a,b", false)),
    ] {
        assert_eq!(by_database(database.sql(), &Statement::new(sql, parameters), &form).await, None, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_as_csv_is_a_query() {
    let database = new_database();
    database.psql("CREATE TABLE t (n integer)");
    let (writer, _reader) = pipe(StreamType::Text);
    let plain = form(',', "", false);
    for (sql, code) in
        [("SELECT nothing FROM t", "SqlError"), ("SELECT 1 / (g - 5000) FROM generate_series(1, 10000) g", "SqlError")]
    {
        let (bounded, mut reader) = pipe(StreamType::Text);
        let draining = async { while let Ok(Some(_)) = reader.next().await {} };
        let statement = Statement::new(sql, []);
        let running = async { database.sql().query_csv(&statement, &plain, &bounded, CancellationToken::new()).await };
        let error = tokio::select! {
            result = running => result.unwrap_err(),
            () = draining => unreachable!("the writer is there"),
        };
        assert_eq!(error.code(), code, "{sql}: {error}");
    }
    let writes = Statement::new("WITH a AS (INSERT INTO t VALUES (1) RETURNING n) SELECT n FROM a", []);
    let declined = database.sql().query_csv(&writes, &plain, &writer, CancellationToken::new()).await;
    assert!(matches!(declined, Ok(None)), "{declined:?}");
    drop(writer);
    let branch = database.sql().begin(TransactionOptions::default()).await.unwrap();
    super::update(branch.executor(), "INSERT INTO t VALUES (7)", []).await.unwrap();
    let written = by_database(branch.executor(), &Statement::new("SELECT * FROM t", []), &plain).await;
    assert_eq!(written.as_deref(), Some("7\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_with_settings_of_its_own_gives_the_same_csv() {
    let database = new_database();
    let sql = "SELECT 0.123456789012345678::float8, TIMESTAMPTZ '2026-01-01 00:00+00', DATE '2026-01-02'";
    let statement = Statement::new(sql, []);
    let form = form(',', "", false);
    let expected = by_database(database.sql(), &statement, &form).await.unwrap();
    for setting in [
        "SET extra_float_digits = -5",
        "SET TimeZone = 'Asia/Tokyo'",
        "SELECT set_config('DateStyle', 'German', false)",
        "DO $$ BEGIN SET extra_float_digits = -5; END $$",
    ] {
        let branch = database.sql().begin(TransactionOptions::default()).await.unwrap();
        super::update(branch.executor(), setting, []).await.unwrap();
        let csv = match by_database(branch.executor(), &statement, &form).await {
            Some(csv) => csv,
            None => by_us(branch.executor(), sql, &form).await,
        };
        assert_eq!(csv, expected, "{setting}");
    }
}
