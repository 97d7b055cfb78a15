//! What others change between two statements: both are of the tables as they are.

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use rejoin::block::{BlockReader, StreamType, pipe};
use rejoin::format::{CsvOptions, CsvWriter};
use rejoin::resource::ResourceError;
use rejoin::resource::relational::{
    Argument, CursorOptions, Fetch, FetchFrom, ParameterRows, ProcedureCall, SqlExecutor, Statement, TableName,
};
use rejoin::session::{TransactionBranch, TransactionOptions};
use tokio_util::sync::CancellationToken;

use super::{new_database, query, read_all, update};

const MOMENT: &str = "2026-11-21 08:00:00+00";

/// Has every way of an update leave a moment and a number with a zero before it in the table `t`.
async fn insert(sql: &(impl SqlExecutor + ?Sized), rows: u8) -> Result<u64, ResourceError> {
    let (sender, parameters) = ParameterRows::channel();
    let feeding = async move {
        for _ in 0..rows {
            sender.send(vec![MOMENT.into(), "0131".into()]).await.unwrap();
        }
        sender.finish().await;
    };
    let updating = sql.update("INSERT INTO t VALUES (?, ?)".into(), parameters, CancellationToken::new());
    tokio::join!(updating, feeding).0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_has_the_type_that_its_column_has_now() {
    let database = new_database();
    database.psql("CREATE TABLE t (at date, n integer)");
    insert(database.sql(), 1).await.unwrap();
    let branch = database.sql().begin(TransactionOptions::default()).await.unwrap();
    insert(branch.executor(), 1).await.unwrap();
    branch.commit().await.unwrap();
    database.psql("DROP TABLE t; CREATE TABLE t (at timestamptz, n text)");
    // Both connections are used once more: that of the update, and that of the transaction.
    insert(database.sql(), 1).await.unwrap();
    insert(database.sql(), 200).await.unwrap();
    let branch = database.sql().begin(TransactionOptions::default()).await.unwrap();
    insert(branch.executor(), 1).await.unwrap();
    insert(branch.executor(), 200).await.unwrap();
    branch.commit().await.unwrap();
    let count = format!("SELECT count(*) FROM t WHERE at = '{MOMENT}' AND n = '0131'");
    assert_eq!(database.psql(&count), "402");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_compared_as_what_its_column_is_now() {
    let database = new_database();
    for (before, now, value) in [
        ("date", "timestamptz", MOMENT),
        ("timestamp", "timestamptz", "2026-11-21 08:00:00+02"),
        ("real", "double precision", "0.1"),
        ("char(3)", "text", "a  "),
        ("integer", "text", "0131"),
        ("integer", "numeric", "0.5"),
        ("text", "integer", " 7"),
    ] {
        database.psql(&format!("DROP TABLE IF EXISTS t; CREATE TABLE t (a {before})"));
        let sql = "SELECT 1 FROM t WHERE a = ?";
        // A value that both types take.
        let neutral = if before == "date" || before == "timestamp" { "2026-01-01" } else { "1" };
        query(database.sql(), sql, [neutral.into()]).await.unwrap();
        database.psql(&format!("DROP TABLE t; CREATE TABLE t (a {now}); INSERT INTO t VALUES ('{value}')"));
        let found = query(database.sql(), sql, [value.into()]).await.unwrap();
        assert_eq!(found[0].num_rows(), 1, "{before}, {now}");
        let branch = database.sql().begin(TransactionOptions::default()).await.unwrap();
        let found = query(branch.executor(), sql, [value.into()]).await.unwrap();
        assert_eq!(found[0].num_rows(), 1, "{before}, {now}, in a transaction");
        branch.rollback().await.unwrap();
    }
}

/// The one value of a result, as text.
fn first(blocks: &[RecordBatch]) -> String {
    let mut text = String::new();
    CsvWriter::new(CsvOptions::default()).unwrap().rows(&blocks[0], &mut text).unwrap();
    text.trim_end().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_gives_the_types_of_now() {
    let database = new_database();
    let sql = "SELECT a FROM t";
    for (before, now, value) in [("integer", "real", "5"), ("date", "integer", "7"), ("bigint", "timestamp", MOMENT)] {
        database.psql(&format!("DROP TABLE IF EXISTS t; CREATE TABLE t (a {before})"));
        database.query(sql, []).await.unwrap();
        database.psql(&format!("DROP TABLE t; CREATE TABLE t (a {now}); INSERT INTO t VALUES ('{value}')"));
        let direct = database.psql(sql);
        let options = CursorOptions { scrollable: false };
        let cursor = database.sql().open_cursor(Statement::new(sql, []), options, CancellationToken::new());
        let cursor = cursor.await.unwrap();
        let (writer, reader): (_, BlockReader) = pipe(StreamType::Rows);
        let fetch = Fetch { from: FetchFrom::Next, rows: 1 };
        let (end, blocks) = tokio::join!(cursor.fetch(fetch, writer, CancellationToken::new()), read_all(reader));
        assert_eq!(end.unwrap().rows, 1);
        assert_eq!(first(&blocks.unwrap()), direct, "{before}, {now}");
        cursor.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_reads_a_table_that_was_changed_as_it_is_now() {
    let database = new_database();
    database.psql("CREATE TABLE t AS SELECT 1 AS n");
    let sql = "SELECT * FROM t";
    database.query(sql, []).await.unwrap();
    for (change, columns) in
        [("ALTER TABLE t ADD a text", 2), ("ALTER TABLE t ALTER n TYPE text", 2), ("ALTER TABLE t DROP a", 1)]
    {
        let branch = database.sql().begin(TransactionOptions::default()).await.unwrap();
        database.psql(change);
        let blocks = query(branch.executor(), sql, []).await.unwrap();
        assert_eq!(blocks[0].num_columns(), columns, "{change}");
        assert_eq!(update(branch.executor(), "DELETE FROM t WHERE false", []).await, Ok(0));
        branch.commit().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_is_called_as_it_is_now() {
    let database = new_database();
    for (returns, value) in [("integer", "7"), ("text", "seven"), ("real", "7.5")] {
        database.psql(&format!(
            "DROP FUNCTION IF EXISTS f; CREATE FUNCTION f(text) RETURNS SETOF {returns} LANGUAGE sql AS \
             $$ SELECT '{value}'::{returns} $$"
        ));
        for _ in 0..2 {
            let call = ProcedureCall { name: TableName::parse("f"), arguments: vec![Argument::In("x".into())] };
            let (writer, reader) = pipe(StreamType::Rows);
            let (end, blocks) =
                tokio::join!(database.sql().call(call, writer, CancellationToken::new()), read_all(reader));
            assert_eq!(end.unwrap().rows, 1, "{returns}");
            assert_eq!(first(&blocks.unwrap()), value);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_comes_with_a_statement_changes_nothing_for_the_next() {
    let database = new_database();
    let whose = "SELECT 'yours' AS whose WHERE ?::integer = 1";
    let forget = "DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$";
    let replace = "DECLARE r record; BEGIN \
         FOR r IN SELECT name FROM pg_prepared_statements WHERE statement LIKE 'SELECT ''yours%' LOOP \
             EXECUTE 'DEALLOCATE ' || r.name; \
             EXECUTE 'PREPARE ' || r.name || '(int) AS SELECT ''mine''::text AS whose WHERE $1 = 1'; \
         END LOOP; ";
    let block = format!("DO $$ {replace} END $$");
    let ask = || async {
        let found = query(database.sql(), whose, ["1".into()]).await.unwrap();
        found[0].column(0).as_string::<i32>().value(0).to_owned()
    };
    for code in [forget, &block] {
        assert_eq!(ask().await, "yours");
        query(database.sql(), code, []).await.unwrap();
        assert_eq!(ask().await, "yours", "after a query: {code}");
        assert_eq!(update(database.sql(), code, []).await, Ok(0));
        assert_eq!(ask().await, "yours", "after an update: {code}");
    }
    // A function that nobody else sees.
    let branch = database.sql().begin(TransactionOptions::default()).await.unwrap();
    let function = format!("CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE plpgsql AS $$ {replace} RETURN 1; END $$");
    update(branch.executor(), &function, []).await.unwrap();
    query(branch.executor(), "SELECT pg_temp.f()", []).await.unwrap();
    branch.commit().await.unwrap();
    assert_eq!(ask().await, "yours");
    // One that the owner of the database made, and that should not do what it does.
    database
        .psql("CREATE FUNCTION forget() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$");
    query(database.sql(), "SELECT forget()", []).await.unwrap();
    for sql in [whose, "SELECT 'other' WHERE ?::integer = 1"] {
        query(database.sql(), sql, ["1".into()]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_very_long_statement_is_not_kept() {
    let database = new_database();
    let long = format!("SELECT '{}'", "x".repeat(20_000));
    for _ in 0..2 {
        database.query(&long, []).await.unwrap();
    }
    let kept = "SELECT count(*)::text FROM pg_prepared_statements WHERE length(statement) > 20000";
    let kept = database.query(kept, []).await.unwrap();
    assert_eq!(kept[0].column(0).as_string::<i32>().value(0), "0");
}
