//! Queries: rows in blocks, errors by blame, cancelling, and that nothing is left behind.

use std::time::Duration;

use arrow_array::RecordBatch;
use rejoin::block::{BLOCK_ROWS, Block, StreamType, pipe};
use rejoin::resource::ResourceError;
use rejoin::resource::relational::{Parameter, Statement};
use tokio_util::sync::CancellationToken;

use super::{Database, new_database, open, read_all, settings};
use crate::databases::PostgresServer;

/// What one value of a result is.
async fn value(database: &Database, sql: &str) -> String {
    let blocks = database.query(&format!("SELECT ({sql})::text"), []).await.unwrap();
    arrow_array::cast::AsArray::as_string::<i32>(blocks[0].column(0)).value(0).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_in_blocks_the_first_early() {
    let database = new_database();
    let blocks = database.query("SELECT g, 'row ' || g FROM generate_series(1, 5000) g", []).await.unwrap();
    assert_eq!(blocks[0].num_rows(), 64);
    assert!(blocks.iter().all(|block| block.num_rows() <= BLOCK_ROWS));
    assert_eq!(blocks.iter().map(RecordBatch::num_rows).sum::<usize>(), 5000);
    let blocks = database.query("SELECT repeat('x', 100000) FROM generate_series(1, 20)", []).await.unwrap();
    assert!(blocks.iter().all(|block| block.num_rows() <= 2));
    let empty = database.query("SELECT 1 AS a WHERE false", []).await.unwrap();
    assert_eq!((empty.len(), empty[0].num_rows(), empty[0].num_columns()), (1, 0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_were_found_do_not_wait_for_slow_ones() {
    let database = new_database();
    let (writer, mut reader) = pipe(StreamType::Rows);
    // The server itself keeps rows until its buffer is full.
    let sql = "SELECT repeat('x', 50000), pg_sleep(CASE WHEN g = 5 THEN 600 ELSE 0 END) FROM generate_series(1, 5) g";
    let cancel = CancellationToken::new();
    let running = database.sql().query(Statement::new(sql, []), writer, cancel.clone());
    let first = async {
        let first = reader.next().await;
        cancel.cancel();
        first
    };
    let (end, first) = tokio::join!(running, first);
    assert_eq!(end, Err(ResourceError::Cancelled));
    assert!(matches!(first, Ok(Some(Block::Rows(rows))) if rows.num_rows() < 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_say_who_is_to_blame_and_where() {
    let database = new_database();
    database.psql("CREATE TABLE t (n integer)");
    let error = database.query("SELECT ?::text, nothing FROM t", ["a".into()]).await.unwrap_err();
    let ResourceError::Sql { code, offset, .. } = &error else { panic!("{error:?}") };
    assert_eq!((&**code, *offset), ("42703", Some(16)));
    for (sql, code) in [
        ("SELEKT 1", "SqlError"),
        ("SELECT 1/0", "SqlError"),
        ("SELECT 1; SELECT 2", "SqlError"),
        ("-- nothing", "SqlError"),
        ("INSERT INTO t VALUES (1)", "SqlReadOnly"),
        ("INSERT INTO t VALUES (1) RETURNING '1.1.1.1'::inet", "SqlReadOnly"),
        ("WITH a AS (INSERT INTO t VALUES (1) RETURNING n) SELECT *, '1.1.1.1'::inet FROM a", "SqlReadOnly"),
        ("CREATE TABLE u (n integer)", "SqlReadOnly"),
        ("SELECT n FROM t FOR UPDATE", "SqlReadOnly"),
        ("SELECT nextval('t_seq')", "SqlError"),
        ("COMMIT", "SqlUnsupported"),
        ("VACUUM t", "SqlUnsupported"),
        ("SELECT * FROM t WHERE n = ?", "SqlError"),
    ] {
        let error = database.query(sql, []).await.unwrap_err();
        assert_eq!(error.code(), code, "{sql}: {error}");
    }
    assert_eq!(database.psql("SELECT count(*) FROM t"), "0");
    // None of these has cost a connection.
    assert_eq!(connections(&database), 1);
}

/// How many connections the service has.
fn connections(database: &Database) -> usize {
    let sql = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND application_name = 'rejoin'",
        database.name
    );
    database.psql(&sql).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_query_is_left_for_the_next() {
    let database = new_database();
    let backend = value(&database, "pg_backend_pid()").await;
    for sql in [
        "SELECT set_config('search_path', 'nowhere', false)",
        "SELECT set_config('statement_timeout', '1', false)",
        "SELECT set_config('default_transaction_read_only', 'off', false)",
        "SET search_path TO nowhere",
        "SET TRANSACTION READ WRITE",
        "SELECT pg_advisory_lock(7)",
        "SHOW search_path",
    ] {
        database.query(sql, []).await.unwrap();
    }
    assert!(database.query("SELECT set_config('transaction_read_only', 'off', false)", []).await.is_err());
    assert_eq!(value(&database, "pg_backend_pid()").await, backend, "the connection is the same");
    assert_eq!(
        value(&database, "current_setting('search_path') || current_setting('statement_timeout')").await,
        "\"$user\", public0"
    );
    assert_eq!(value(&database, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").await, "0");
    for (setting, is) in
        [("TimeZone", "UTC"), ("IntervalStyle", "iso_8601"), ("DateStyle", "ISO, YMD"), ("extra_float_digits", "1")]
    {
        assert_eq!(value(&database, &format!("current_setting('{setting}')")).await, is);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_an_update_is_left_for_the_next() {
    let database = new_database();
    let backend = value(&database, "pg_backend_pid()").await;
    for sql in [
        "SET search_path TO nowhere",
        "SET TimeZone TO 'Europe/Paris'",
        "SET ROLE pg_monitor",
        "SELECT pg_advisory_lock(7)",
        "CREATE TEMP TABLE secret AS SELECT 1 AS n",
        "SELECT set_config('statement_timeout', '1', false)",
    ] {
        database.update(sql, []).await.unwrap();
    }
    assert_eq!(value(&database, "pg_backend_pid()").await, backend, "the connection is the same");
    assert_eq!(value(&database, "concat_ws(' ', current_user, current_setting('search_path'), current_setting('TimeZone'), current_setting('statement_timeout'))").await, "rejoin \"$user\", public UTC 0");
    assert_eq!(value(&database, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").await, "0");
    assert!(database.query("SELECT * FROM secret", []).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_was_changed_is_read_as_it_is_now() {
    let database = new_database();
    database.psql("CREATE TABLE t AS SELECT 1 AS n");
    for (change, columns) in
        [("ALTER TABLE t ADD a text", 2), ("ALTER TABLE t ALTER n TYPE text", 2), ("ALTER TABLE t DROP a", 1)]
    {
        database.query("SELECT * FROM t", []).await.unwrap();
        database.psql(change);
        let blocks = database.query("SELECT * FROM t", []).await.unwrap();
        assert_eq!(blocks[0].num_columns(), columns, "{change}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_told_to_forget_statements_is_told_them_again() {
    let database = new_database();
    database.psql(
        "CREATE FUNCTION forget() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DEALLOCATE ALL'; RETURN 1; END $$",
    );
    for _ in 0..3 {
        assert_eq!(value(&database, "SELECT 7").await, "7");
        assert_eq!(value(&database, "SELECT forget()").await, "1");
    }
    // More than a connection keeps: those that make room are forgotten in the middle of others.
    for number in 0..600 {
        assert_eq!(value(&database, &format!("SELECT {number}")).await, number.to_string());
    }
    let own = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'rejoin%'";
    assert!(value(&database, own).await.parse::<u32>().unwrap() <= 260);
}

/// Waits until so many statements of the service run in the database.
pub(super) async fn until_running(database: &Database, wanted: usize) {
    let sql = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND application_name = 'rejoin' AND state = 'active'",
        database.name
    );
    while database.psql(&sql).parse::<usize>().unwrap() != wanted {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_reaches_the_server() {
    let database = new_database();
    let slow = || Statement::new("SELECT count(*) FROM generate_series(1, 1000000000000) g", [] as [Parameter; 0]);
    // By the token.
    let cancel = CancellationToken::new();
    let (writer, reader) = pipe(StreamType::Rows);
    let running = database.sql().query(slow(), writer, cancel.clone());
    let stopping = async {
        until_running(&database, 1).await;
        cancel.cancel();
    };
    let (end, ()) = tokio::join!(running, stopping);
    assert_eq!(end, Err(ResourceError::Cancelled));
    assert!(read_all(reader).await.is_none(), "the stream is broken");
    until_running(&database, 0).await;
    // By dropping the future.
    let (writer, _reader) = pipe(StreamType::Rows);
    {
        let running = database.sql().query(slow(), writer, CancellationToken::new());
        tokio::select! {
            _ = running => panic!("it does not end"),
            () = until_running(&database, 1) => {}
        }
    }
    until_running(&database, 0).await;
    // By the reader who leaves.
    let (writer, reader) = pipe(StreamType::Rows);
    let running = database.sql().query(slow(), writer, CancellationToken::new());
    let leaving = async {
        until_running(&database, 1).await;
        drop(reader);
    };
    let (end, ()) = tokio::join!(running, leaving);
    assert_eq!(end, Err(ResourceError::Cancelled));
    until_running(&database, 0).await;
    // An update.
    let running = database.update("SELECT pg_sleep(600)", []);
    tokio::select! {
        _ = running => panic!("it does not end"),
        () = until_running(&database, 1) => {}
    }
    until_running(&database, 0).await;
    assert_eq!(value(&database, "1").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_leaves_in_the_middle_stops_the_query() {
    let database = new_database();
    let (writer, mut reader) = pipe(StreamType::Rows);
    let statement = Statement::new("SELECT g, repeat('x', 1000) FROM generate_series(1, 100000000) g", []);
    let reading = async {
        reader.next().await.unwrap();
        drop(reader);
    };
    let (end, ()) = tokio::join!(database.sql().query(statement, writer, CancellationToken::new()), reading);
    assert_eq!(end, Err(ResourceError::Cancelled));
    until_running(&database, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_takes_too_long_is_stopped() {
    let server = PostgresServer::shared();
    let name = server.create_database();
    let mut settings = settings(server, &name);
    settings.access.statement_timeout = Some(Duration::from_millis(100));
    let database = Database { resource: open(&settings), name };
    for sql in ["SELECT pg_sleep(600)", "SELECT g, pg_sleep(0.01) FROM generate_series(1, 100000) g"] {
        let error = database.query(sql, []).await.unwrap_err();
        assert!(matches!(error, ResourceError::TimedOut { .. }), "{error:?}");
    }
    let error = database.update("SELECT pg_sleep(600)", []).await.unwrap_err();
    assert!(matches!(error, ResourceError::TimedOut { .. }), "{error:?}");
    assert_eq!(value(&database, "1").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_finds_no_connection_free_waits_and_is_told() {
    let server = PostgresServer::shared();
    let name = server.create_database();
    let mut settings = settings(server, &name);
    settings.access.pool.size = 1;
    settings.access.pool.wait = Duration::from_millis(50);
    let database = Database { resource: open(&settings), name };
    let (writer, reader) = pipe(StreamType::Rows);
    let cancel = CancellationToken::new();
    let holding = database.sql().query(Statement::new("SELECT pg_sleep(600)", []), writer, cancel.clone());
    let asking = async {
        until_running(&database, 1).await;
        let error = database.query("SELECT 1", []).await.unwrap_err();
        assert!(matches!(error, ResourceError::Busy { .. }) && error.is_retryable(), "{error:?}");
        cancel.cancel();
    };
    let (end, ()) = tokio::join!(holding, asking);
    assert_eq!(end, Err(ResourceError::Cancelled));
    drop(reader);
    assert_eq!(value(&database, "1").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_whose_connections_are_all_at_work_is_well() {
    let server = PostgresServer::shared();
    let name = server.create_database();
    let mut settings = settings(server, &name);
    settings.access.pool.size = 1;
    settings.access.pool.wait = Duration::from_millis(10);
    let database = Database { resource: open(&settings), name };
    let branch = database.sql().begin(rejoin::session::TransactionOptions::default()).await.unwrap();
    database.resource.health().await.unwrap();
    drop(branch);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_out_is_one_in_every_language() {
    let database = new_database();
    database.psql(
        "CREATE FUNCTION stop(text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '%', $1 USING ERRCODE = '57014'; END $$",
    );
    let message = "storniere Anfrage wegen Zeitüberschreitung der Anfrage";
    let error = database.query("SELECT stop(?)", [message.into()]).await.unwrap_err();
    assert!(matches!(error, ResourceError::TimedOut { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_goes_on_in_the_next_line_keeps_its_question_marks() {
    let database = new_database();
    let sql = "SELECT E'a' -- or so\n 'b\\' ? ', ?::text";
    let blocks = database.query(sql, ["x".into()]).await.unwrap();
    let values = [0, 1].map(|column| arrow_array::cast::AsArray::as_string::<i32>(blocks[0].column(column)).value(0));
    assert_eq!(values, ["ab' ? ", "x"]);
}
