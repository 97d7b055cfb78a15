use arrow_schema::DataType::{self, Binary, Float64, Int64, Utf8};

use super::*;
use crate::block::{BLOCK_ROWS, ColumnOrigin, ROWS_BYTES};
use crate::resource::relational::TableKind::{Table, View};

fn types(blocks: &[RecordBatch]) -> Vec<Vec<DataType>> {
    let of = |block: &RecordBatch| block.schema().fields().iter().map(|field| field.data_type().clone()).collect();
    blocks.iter().map(of).collect()
}

#[tokio::test]
async fn declared_types_give_columns_their_types() {
    let create = "CREATE TABLE t (i INT, b BIGINT, r DOUBLE, v VARCHAR(9), d DECIMAL(9, 2), x BLOB, s TIMESTAMP, n)";
    let database = prepared(memory(), &[create]).await;
    let empty = blocks(&database, "SELECT * FROM t", []).await.unwrap();
    assert_eq!(types(&empty), [[Int64, Int64, Float64, Utf8, Utf8, Binary, Utf8, Utf8]]);
    assert_eq!(empty[0].num_rows(), 0);

    update(&database, "INSERT INTO t VALUES (1, 2, 3, 4, 5.5, x'00', 7, 8.25)").await.unwrap();
    let full = blocks(&database, "SELECT * FROM t", []).await.unwrap();
    assert_eq!(types(&full), [[Int64, Int64, Float64, Utf8, Utf8, Binary, Int64, Float64]]);
    assert_eq!(lines(&database, "SELECT * FROM t").await, "1,2,3.0,4,5.5,\0,7,8.25\n");
}

#[tokio::test]
async fn values_that_do_not_fit_their_column_are_carried_exactly() {
    let database = prepared(
        memory(),
        &[
            "CREATE TABLE t (i INTEGER)",
            "INSERT INTO t VALUES (-9223372036854775808), (9223372036854775807), (1.5), ('many'), (NULL), (0.1)",
        ],
    )
    .await;
    let expected = "-9223372036854775808\n9223372036854775807\n1.5\nmany\n-\n0.1\n";
    assert_eq!(lines(&database, "SELECT i FROM t").await, expected);
    let mixed = blocks(&database, "SELECT i FROM t", []).await.unwrap();
    assert_eq!(types(&mixed), [[Utf8]]);
    update(&database, "INSERT INTO t VALUES (x'ff')").await.unwrap();
    let mixed = blocks(&database, "SELECT i FROM t", []).await.unwrap();
    assert_eq!(types(&mixed), [[Binary]]);
}

#[tokio::test]
async fn a_column_keeps_its_type_but_for_the_blocks_that_need_another() {
    // The first block has 64 rows, the next ones 1,024.
    let database = memory();
    let sql = format!("{ENDLESS} LIMIT 3000").replace("SELECT x FROM", "SELECT iif(x = 1500, 'odd', x) AS x FROM");
    let blocks = blocks(&database, &sql, []).await.unwrap();
    let rows: Vec<usize> = blocks.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(rows, [64, BLOCK_ROWS, BLOCK_ROWS, 3000 - 64 - 2 * BLOCK_ROWS]);
    assert_eq!(types(&blocks), [[Int64], [Int64], [Utf8], [Int64]]);
}

#[tokio::test]
async fn a_column_that_begins_with_null_is_text_to_the_end() {
    let sql = format!("{ENDLESS} LIMIT 100").replace("SELECT x FROM", "SELECT nullif(max(x, 70), 70) AS x FROM");
    let blocks = blocks(&memory(), &sql, []).await.unwrap();
    assert_eq!(types(&blocks), [[Utf8], [Utf8]]);
    assert_eq!(blocks[0].column(0).null_count(), 64);
}

#[tokio::test]
async fn reals_come_back_as_they_are() {
    let sql = "SELECT 0.1 + 0.2, 1e300 * 10, 9e999, -9e999, 123456789.123456789, 1e16, -0.0, 5e-324";
    let expected = "0.30000000000000004,1e301,inf,-inf,123456789.12345679,1e16,-0.0,5e-324\n";
    assert_eq!(lines(&memory(), sql).await, expected);
}

#[tokio::test]
async fn empty_and_missing_values_are_told_apart() {
    let found = blocks(&memory(), "SELECT '' AS t, NULL AS n, x'' AS b, 'a' || char(0) || 'b' AS z", []).await.unwrap();
    let nulls: Vec<usize> = found[0].columns().iter().map(Array::null_count).collect();
    assert_eq!(nulls, [0, 1, 0, 0]);
    assert_eq!(lines(&memory(), "SELECT 'a' || char(0) || 'b'").await, "a\0b\n");
}

#[tokio::test]
async fn columns_say_where_they_come_from() {
    let create = "CREATE TABLE town (id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(40) NOT NULL, motto TEXT)";
    let database = prepared(memory(), &[create]).await;
    let sql = "SELECT id, name AS called, motto, count(*) FROM town GROUP BY id";
    let blocks = blocks(&database, sql, []).await.unwrap();
    let schema = blocks[0].schema();
    let origins: Vec<ColumnOrigin> = schema.fields().iter().map(|field| ColumnOrigin::of(field)).collect();
    let of = |type_name: &str, column: &str, nullable, auto_increment| ColumnOrigin {
        type_name: Some(type_name.into()),
        table: Some("town".into()),
        column: Some(column.into()),
        nullable: Some(nullable),
        auto_increment,
    };
    let expected = [
        of("INTEGER", "id", false, true),
        of("VARCHAR(40)", "name", false, false),
        of("TEXT", "motto", true, false),
        ColumnOrigin::default(),
    ];
    assert_eq!(origins, expected);
    assert_eq!(schema.field(1).name(), "called");
}

#[tokio::test]
async fn a_changed_schema_shows_in_the_next_result() {
    let database = prepared(memory(), &["CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES ('1')"]).await;
    assert_eq!(lines(&database, "SELECT * FROM t").await, "1\n");
    let database = prepared(database, &["ALTER TABLE t ADD COLUMN b INTEGER DEFAULT 2"]).await;
    assert_eq!(lines(&database, "SELECT * FROM t").await, "1,2\n");
    let database =
        prepared(database, &["DROP TABLE t", "CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (3)"]).await;
    let blocks = blocks(&database, "SELECT * FROM t", []).await.unwrap();
    assert_eq!(types(&blocks), [[Int64]]);
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_named_by_row_and_column() {
    let sql = format!("{ENDLESS} LIMIT 200")
        .replace("SELECT x FROM", "SELECT x, iif(x = 150, CAST(x'41ff' AS TEXT), 'é') AS t FROM");
    let error = query_error(&memory(), &sql).await;
    let expected = ResourceError::Data {
        row: 150,
        column: "t".into(),
        problem: "the text is not UTF-8; read it as bytes with CAST(… AS BLOB)".into(),
    };
    assert_eq!(error, expected);
    // Two halves of one character in two rows are two errors, not one character.
    let halves = "SELECT CAST(x'c3' AS TEXT) AS t UNION ALL SELECT CAST(x'a9' AS TEXT)";
    assert!(matches!(query_error(&memory(), halves).await, ResourceError::Data { row: 1, .. }));
    assert_eq!(lines(&memory(), "SELECT CAST(CAST(x'41ff' AS TEXT) AS BLOB)").await, "[41, ff]\n");
}

#[tokio::test]
async fn large_rows_travel_one_by_one() {
    let sql = "SELECT replace(hex(zeroblob(1000000)), '0', 'ab') AS t FROM (VALUES (1), (2), (3))";
    let blocks = blocks(&memory(), sql, []).await.unwrap();
    let rows: Vec<usize> = blocks.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(rows, [1, 1, 1]);
    assert!(blocks.iter().all(|block| block.get_array_memory_size() > 4_000_000));
}

#[tokio::test]
async fn blocks_are_bounded_in_bytes() {
    let sql = format!("{ENDLESS} LIMIT 2000").replace("SELECT x FROM", "SELECT printf('%.1000c', 'x') FROM");
    let blocks = blocks(&memory(), &sql, []).await.unwrap();
    let lengths = blocks.iter().map(|block| block.column(0).to_data().buffers()[1].len());
    assert!(lengths.max().unwrap() <= ROWS_BYTES + 1000);
    assert!(blocks[1..].iter().all(|block| block.num_rows() < 200));
}

#[tokio::test]
async fn blocks_hold_little_more_memory_than_their_rows_need() {
    for (value, limit) in [("printf('%.1000c', 'x')", 3000), ("printf('%.20000c', 'x')", 100), ("x, x / 2.0", 50_000)] {
        let sql = format!("{ENDLESS} LIMIT {limit}").replace("SELECT x FROM", &format!("SELECT {value} FROM"));
        for block in blocks(&memory(), &sql, []).await.unwrap() {
            let held = block.get_array_memory_size();
            assert!(held < ROWS_BYTES + ROWS_BYTES / 2, "{value}: {} rows hold {held} bytes", block.num_rows());
        }
    }
}

#[tokio::test]
async fn rows_that_are_slow_to_find_leave_at_once() {
    let slow = "(WITH RECURSIVE c(y) AS (SELECT 1 UNION ALL SELECT y + 1 FROM c WHERE y < 20000 + v.column1) SELECT count(*) FROM c)";
    let blocks = blocks(&memory(), &format!("SELECT {slow} FROM (VALUES (1), (2), (3)) AS v"), []).await.unwrap();
    let rows: Vec<usize> = blocks.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(rows, [1, 1, 1]);
}

#[tokio::test]
async fn parameters_are_bound_by_position_and_type() {
    let parameters = [
        Parameter::Null,
        Parameter::from("it's"),
        Parameter::Integer(i64::MAX),
        Parameter::Real(0.5),
        Parameter::Boolean(true),
        Parameter::Bytes(bytes::Bytes::from_static(b"\xff")),
    ];
    let sql = "SELECT ?, ?, ?, ?, ?, ?";
    assert_eq!(lines_with(&memory(), sql, parameters).await, "-,it's,9223372036854775807,0.5,1,[ff]\n");
}

#[tokio::test]
async fn text_is_compared_by_the_type_of_the_column() {
    let database = prepared(
        memory(),
        &[
            "CREATE TABLE t (id INTEGER PRIMARY KEY, phone TEXT, price REAL, day TIMESTAMP)",
            "INSERT INTO t VALUES (42, '0131', 1.5, '2026-09-01'), (43, '131', 2.0, '2026-10-01')",
        ],
    )
    .await;
    for (condition, value, expected) in [
        ("id = ?", "42", "42\n"),
        ("id > ?", "42", "43\n"),
        ("phone = ?", "0131", "42\n"),
        ("phone = ?", "131", "43\n"),
        ("price = ?", "2", "43\n"),
        ("price < ?", "1.75", "42\n"),
        ("strftime('%m', day) = ?", "09", "42\n"),
        ("strftime('%m', day) = ?", "10", "43\n"),
        ("length(phone) > CAST(? AS INTEGER)", "3", "42\n"),
        ("true ORDER BY id LIMIT ?", "1", "42\n"),
    ] {
        let found = lines_with(&database, &format!("SELECT id FROM t WHERE {condition}"), [value.into()]).await;
        assert_eq!(found, expected, "{condition} with {value}");
    }
}

#[tokio::test]
async fn the_schema_lists_tables_views_and_columns() {
    let database = prepared(
        memory(),
        &[
            "CREATE TABLE town (id INTEGER PRIMARY KEY, name TEXT NOT NULL DEFAULT 'Perth', motto)",
            "CREATE VIEW towns AS SELECT name FROM town",
            "CREATE TABLE road (a INT, b INT, PRIMARY KEY (b, a)) WITHOUT ROWID",
        ],
    )
    .await;
    let schema = database.schema(&SchemaFilter::default()).await.unwrap();
    let tables: Vec<_> = schema.tables.iter().map(|table| (table.name.as_str(), table.kind)).collect();
    assert_eq!(tables, [("road", Table), ("town", Table), ("towns", View)]);
    let keys: Vec<_> = schema.tables[0].columns.iter().map(|column| column.primary_key).collect();
    assert_eq!(keys, [Some(2), Some(1)]);
    let name = &schema.tables[1].columns[1];
    assert_eq!((name.type_name.as_str(), name.nullable, name.default.as_deref()), ("TEXT", false, Some("'Perth'")));
    let motto = &schema.tables[1].columns[2];
    assert_eq!((motto.type_name.as_str(), motto.nullable), ("", true));
}

#[tokio::test]
async fn a_healthy_database_says_so_and_a_missing_one_why() {
    memory().health().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let missing = on_disk(&folder, SqliteMode::ReadWrite).health().await.unwrap_err();
    assert!(matches!(missing, ResourceError::Unavailable { .. }), "{missing:?}");
    assert!(missing.to_string().contains("test.db"), "{missing}");
    std::fs::write(
        folder.path().join("test.db"),
        "this is no database, and longer than a header of one hundred bytes would have to be to look like one…",
    )
    .unwrap();
    let damaged = on_disk(&folder, SqliteMode::ReadWrite).health().await.unwrap_err();
    assert!(matches!(damaged, ResourceError::Unavailable { .. }), "{damaged:?}");
}

#[tokio::test]
async fn numbers_among_text_keep_their_forms() {
    let sql = "SELECT column1 AS x FROM (VALUES (1), ('a'), (9e999), (-9e999), (1.0), (0.1), (NULL), (-7))";
    assert_eq!(lines(&memory(), sql).await, "1\na\nInfinity\n-Infinity\n1.0\n0.1\n-\n-7\n");
}
