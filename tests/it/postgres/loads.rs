//! Loading many rows.

use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, Int32Array, IntervalMonthDayNanoArray, ListArray, RecordBatch, StringArray};
use arrow_buffer::{IntervalMonthDayNano, OffsetBuffer};
use arrow_schema::{DataType, Field, IntervalUnit};
use rejoin::block::{Block, BlockReader, StreamType, pipe};
use rejoin::resource::ResourceError;
use rejoin::resource::relational::{BulkLoad, SqlExecutor, TableName};
use rejoin::session::{TransactionBranch, TransactionOptions};
use tokio_util::sync::CancellationToken;

use super::{new_database, query};

fn into_table(name: &str, create: bool) -> BulkLoad {
    BulkLoad { table: TableName::parse(name), create, transactionally: true }
}

/// A stream of these blocks.
fn stream(blocks: Vec<RecordBatch>, is_complete: bool) -> BlockReader {
    let (writer, reader) = pipe(StreamType::Rows);
    tokio::spawn(async move {
        for block in blocks {
            if writer.send(Block::Rows(block)).await.is_err() {
                return;
            }
        }
        if is_complete {
            writer.finish().await;
        }
    });
    reader
}

async fn load(sql: &(impl SqlExecutor + ?Sized), load: BulkLoad, rows: BlockReader) -> Result<u64, ResourceError> {
    sql.load(load, rows, CancellationToken::new()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_every_type_arrive_as_they_left() {
    let database = new_database();
    database.psql(
        "CREATE TABLE source AS SELECT g AS n, g % 2 = 0 AS b, g::smallint AS s, g::bigint * 1000000007 AS l, g / 7.0::real AS r,
            g / 7.0::float8 AS d, (g / 100.0)::numeric(10,2) AS q, 'row \"' || g || E'\\n,' AS t, decode(lpad(to_hex(g), 8, '0'), 'hex') AS y,
            DATE '2026-11-21' + g AS day, TIME '08:00' + g * INTERVAL '1 second' AS at, TIMESTAMP '2026-11-21 08:00:00.5' + g * INTERVAL '1 hour' AS ts,
            TIMESTAMPTZ '2026-11-21 08:00:00+00' + g * INTERVAL '1 hour' AS tz, g * INTERVAL '1 month 1 second' AS i, ARRAY[g, NULL, g + 1] AS a,
            ARRAY['a b', NULL, '\"', g::text] AS w
         FROM generate_series(1, 3000) g;
         INSERT INTO source (n, t) VALUES (0, ''), (-1, NULL), (-2, '\\.')",
    );
    let rows = query(database.sql(), "SELECT * FROM source ORDER BY n", []).await.unwrap();
    assert_eq!(load(database.sql(), into_table("copied \"here\"", true), stream(rows, true)).await, Ok(3003));
    let differences = "SELECT count(*) FROM ((TABLE source EXCEPT TABLE \"copied \"\"here\"\"\") UNION ALL (TABLE \"copied \"\"here\"\"\" EXCEPT TABLE source)) q";
    assert_eq!(database.psql(differences), "0");
    assert_eq!(database.psql("SELECT count(*) FROM \"copied \"\"here\"\"\""), "3003");
}

fn people(numbers: &[i32], names: &[Option<&str>]) -> RecordBatch {
    let numbers = Arc::new(Int32Array::from(numbers.to_vec())) as ArrayRef;
    let names = Arc::new(StringArray::from(names.to_vec())) as ArrayRef;
    RecordBatch::try_from_iter([("id", numbers), ("name", names)]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_go_by_their_names_and_the_database_reads_their_text() {
    let database = new_database();
    database.psql("CREATE TABLE t (name varchar, extra integer DEFAULT 7, id numeric)");
    let rows = people(&[1, 2], &[Some(""), None]);
    assert_eq!(load(database.sql(), into_table("public.t", false), stream(vec![rows], true)).await, Ok(2));
    assert_eq!(database.psql("SELECT id, name IS NULL, extra FROM t ORDER BY id"), "1|f|7\n2|t|7");
    database.psql("CREATE TABLE b (y bytea)");
    let bytes = Arc::new(BinaryArray::from(vec![Some(&b"\x00\xff"[..]), Some(b""), None])) as ArrayRef;
    let rows = RecordBatch::try_from_iter([("y", bytes)]).unwrap();
    assert_eq!(load(database.sql(), into_table("b", false), stream(vec![rows], true)).await, Ok(3));
    assert_eq!(database.psql("SELECT y FROM b"), "\\x00ff\n\\x");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_fails_leaves_nothing() {
    let database = new_database();
    database.psql("CREATE TABLE t (id integer UNIQUE, name text NOT NULL)");
    let good = || people(&[1, 2], &[Some("a"), Some("b")]);
    for (name, blocks, is_complete, code) in [
        ("t", vec![good(), people(&[3], &[None])], true, "SqlError"),
        ("t", vec![good(), good()], true, "SqlError"),
        ("t", vec![good()], false, "Cancelled"),
        ("nowhere", vec![good()], true, "SqlError"),
    ] {
        let error = load(database.sql(), into_table(name, false), stream(blocks, is_complete)).await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert_eq!(database.psql("SELECT count(*) FROM t"), "0");
    }
    assert!(load(database.sql(), into_table("t", true), stream(vec![good()], true)).await.is_err(), "it is there");
    // In a transaction it takes back itself alone.
    let branch = database.sql().begin(TransactionOptions::default()).await.unwrap();
    assert_eq!(load(branch.executor(), into_table("t", false), stream(vec![good()], true)).await, Ok(2));
    assert!(load(branch.executor(), into_table("t", false), stream(vec![good()], true)).await.is_err());
    branch.commit().await.unwrap();
    assert_eq!(database.psql("SELECT count(*) FROM t"), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_span_of_time_that_is_finer_than_the_database_keeps_is_refused() {
    let database = new_database();
    database.psql("CREATE TABLE t (i interval); CREATE TABLE l (i interval[])");
    let spans = |nanoseconds: i64| {
        let span = |nanoseconds| Some(IntervalMonthDayNano::new(1, 2, nanoseconds));
        IntervalMonthDayNanoArray::from(vec![None, span(5000), span(nanoseconds)])
    };
    let rows = |nanoseconds| RecordBatch::try_from_iter([("i", Arc::new(spans(nanoseconds)) as ArrayRef)]).unwrap();
    assert_eq!(load(database.sql(), into_table("t", false), stream(vec![rows(-7000)], true)).await, Ok(3));
    let finer = stream(vec![rows(1000), rows(1001)], true);
    let error = load(database.sql(), into_table("t", false), finer).await.unwrap_err();
    assert!(matches!(error, ResourceError::Data { row: 6, .. }), "{error:?}");
    // Two lists, of which the second has it.
    let item = Arc::new(Field::new_list_field(DataType::Interval(IntervalUnit::MonthDayNano), true));
    let lists = ListArray::new(item, OffsetBuffer::new(vec![0, 2, 2, 3].into()), Arc::new(spans(1)), None);
    let rows = RecordBatch::try_from_iter([("i", Arc::new(lists) as ArrayRef)]).unwrap();
    let error = load(database.sql(), into_table("l", false), stream(vec![rows], true)).await.unwrap_err();
    assert!(matches!(error, ResourceError::Data { row: 3, .. }), "{error:?}");
    assert_eq!(database.psql("SELECT count(*), max(i) FROM t"), "3|1 mon 2 days 00:00:00.000005");
}
