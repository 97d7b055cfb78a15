//! Queries in an open transaction that end early: by an error, by their reader, with their connection.

use std::time::Duration;

use rejoin::block::{BlockReader, StreamType, pipe};
use rejoin::resource::ResourceError;
use rejoin::resource::relational::{CursorOptions, Fetch, FetchFrom, QueryEnd, RelationalBranch, Statement};
use rejoin::session::{TransactionBranch, TransactionOptions};
use tokio_util::sync::CancellationToken;

use super::queries::until_running;
use super::transactions::{begin, insert, sum, with_table};
use super::{Database, open, query, read_all, settings, update};
use crate::databases::PostgresServer;

/// A hundred megabytes: whoever takes the first rows has not taken the last.
const MANY: &str = "SELECT g, repeat('x', 1000) FROM generate_series(1, 100000) g";

/// Fails at a row behind some that have left already.
const FAILING: &str = "SELECT 1 / (30000 - g), repeat('x', 100) FROM generate_series(1, 60000) g";

/// Runs [`MANY`], does something once the first rows have come, and reads on then.
async fn amid_rows(
    branch: &RelationalBranch,
    cancel: CancellationToken,
    act: impl AsyncFnOnce(),
) -> Result<QueryEnd, ResourceError> {
    let (writer, mut reader) = pipe(StreamType::Rows);
    let querying = branch.executor().query(Statement::new(MANY, []), writer, cancel);
    let reading = async move {
        assert!(reader.next().await.unwrap().is_some());
        act().await;
        read_all(reader).await
    };
    let (end, rest) = tokio::join!(querying, reading);
    assert!(rest.is_none(), "the stream breaks off");
    end
}

async fn backend(branch: &RelationalBranch) -> i32 {
    use arrow_array::cast::AsArray;
    let blocks = query(branch.executor(), "SELECT pg_backend_pid()", []).await.unwrap();
    blocks[0].column(0).as_primitive::<arrow_array::types::Int32Type>().value(0)
}

/// Everything says that it is over, and nothing of it holds.
async fn is_over(database: &Database, branch: &RelationalBranch) {
    assert!(branch.ended().is_some());
    assert!(insert(branch, "5").await.unwrap_err().to_string().contains("over"));
    assert!(query(branch.executor(), "SELECT 1", []).await.unwrap_err().to_string().contains("over"));
    assert!(branch.commit().await.is_err());
    until_running(database, 0).await;
    // What it had locked is free.
    assert_eq!(database.update("INSERT INTO t VALUES (1)", []).await, Ok(1));
    assert_eq!(database.psql("DELETE FROM t RETURNING n"), "1");
    for _ in 0..3 {
        database.query("SELECT 1", []).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_amid_the_rows_takes_back_the_query_alone() {
    let database = with_table();
    let branch = begin(&database).await;
    for round in ["1", "2", "3"] {
        insert(&branch, round).await.unwrap();
        // Behind the savepoint that comes with it, and behind one that is there.
        for _ in 0..2 {
            let error = query(branch.executor(), FAILING, []).await.unwrap_err();
            assert!(matches!(&error, ResourceError::Sql { code, .. } if code == "22012"), "{error:?}");
        }
        sum(&branch).await;
    }
    for wrong in
        ["SELECT nothing FROM t", "INSERT INTO t VALUES (9) RETURNING '10.0.0.1'::inet", "SELECT n FROM t WHERE n = ?"]
    {
        for round in 0..3 {
            assert!(query(branch.executor(), wrong, []).await.is_err(), "{wrong}");
            assert_eq!(update(branch.executor(), "UPDATE t SET n = n + 10", []).await, Ok(3), "{wrong}, {round}");
        }
    }
    assert_eq!(sum(&branch).await, 6 + 9 * 30);
    branch.commit().await.unwrap();
    assert_eq!(database.psql("SELECT sum(n) FROM t"), "276");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_killed_amid_the_rows_ends_the_transaction() {
    let database = with_table();
    for has_savepoint in [false, true] {
        let branch = begin(&database).await;
        let kill = format!("SELECT pg_terminate_backend({}, 10000)", backend(&branch).await);
        insert(&branch, "1").await.unwrap();
        if has_savepoint {
            sum(&branch).await;
        }
        let kill = async || assert_eq!(database.psql(&kill), "t");
        let error = amid_rows(&branch, CancellationToken::new(), kill).await.unwrap_err();
        assert!(matches!(error, ResourceError::Unavailable { .. }), "{error:?}");
        is_over(&database, &branch).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_was_killed_before_ends_the_transaction() {
    let database = with_table();
    for has_savepoint in [false, true] {
        let branch = begin(&database).await;
        let kill = format!("SELECT pg_terminate_backend({}, 10000)", backend(&branch).await);
        sum(&branch).await;
        if !has_savepoint {
            insert(&branch, "1").await.unwrap();
        }
        assert_eq!(database.psql(&kill), "t");
        let error = query(branch.executor(), "SELECT sum(n) FROM t", []).await.unwrap_err();
        assert!(matches!(error, ResourceError::Unavailable { .. }), "{error:?}");
        is_over(&database, &branch).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_amid_the_rows_ends_the_transaction() {
    let database = with_table();
    // By the token.
    let branch = begin(&database).await;
    insert(&branch, "1").await.unwrap();
    let cancel = CancellationToken::new();
    let error = amid_rows(&branch, cancel.clone(), async || cancel.cancel()).await.unwrap_err();
    assert_eq!(error, ResourceError::Cancelled);
    is_over(&database, &branch).await;
    // By dropping the reader, or the query.
    for drops_reader in [true, false] {
        let branch = begin(&database).await;
        insert(&branch, "1").await.unwrap();
        let (writer, mut reader): (_, BlockReader) = pipe(StreamType::Rows);
        let mut querying =
            Box::pin(branch.executor().query(Statement::new(MANY, []), writer, CancellationToken::new()));
        tokio::select! {
            end = &mut querying => panic!("{end:?}"),
            first = reader.next() => assert!(first.unwrap().is_some()),
        }
        if drops_reader {
            drop(reader);
            assert_eq!(querying.await, Err(ResourceError::Cancelled));
        } else {
            drop(querying);
        }
        is_over(&database, &branch).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_that_breaks_off_takes_back_itself_alone_unless_the_connection_is_gone() {
    let database = with_table();
    let branch = begin(&database).await;
    insert(&branch, "1").await.unwrap();
    let open = |sql: &'static str| {
        let options = CursorOptions { scrollable: false };
        branch.executor().open_cursor(Statement::new(sql, []), options, CancellationToken::new())
    };
    let failing = open(FAILING).await.unwrap();
    let many = open(MANY).await.unwrap();
    let fetch = async |cursor: &dyn rejoin::resource::relational::RowCursor, rows| {
        let (writer, reader) = pipe(StreamType::Rows);
        let fetch = Fetch { from: FetchFrom::Next, rows };
        let (end, rest) = tokio::join!(cursor.fetch(fetch, writer, CancellationToken::new()), read_all(reader));
        end.map(|end| (end.rows, rest.unwrap().len()))
    };
    assert_eq!(fetch(&*failing, 10).await, Ok((10, 1)));
    assert_eq!(fetch(&*many, 10).await, Ok((10, 1)));
    let error = fetch(&*failing, 60_000).await.unwrap_err();
    assert!(matches!(&error, ResourceError::Sql { code, .. } if code == "22012"), "{error:?}");
    assert!(fetch(&*failing, 1).await.is_err(), "nobody knows where it stands");
    insert(&branch, "2").await.unwrap();
    assert_eq!(fetch(&*many, 10_000).await.unwrap().0, 10_000);
    assert_eq!(sum(&branch).await, 3);
    let kill = format!("SELECT pg_terminate_backend({}, 10000)", backend(&branch).await);
    assert_eq!(database.psql(&kill), "t");
    let error = fetch(&*many, 1).await.unwrap_err();
    assert!(matches!(error, ResourceError::Unavailable { .. }), "{error:?}");
    is_over(&database, &branch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_driver_forgets_between_two_queries_confuses_nobody() {
    let database = with_table();
    let branch = begin(&database).await;
    insert(&branch, "1").await.unwrap();
    for round in 0..30 {
        // Prepared for this one time, and forgotten while the next is sent.
        let by_date = "SELECT n FROM t WHERE DATE '2026-11-22' = ?";
        let blocks = query(branch.executor(), by_date, ["2026-11-22".into()]).await.unwrap();
        assert_eq!(blocks[0].num_rows(), 1);
        assert_eq!(sum(&branch).await, 1);
        query(branch.executor(), &format!("SELECT {round}"), []).await.unwrap();
        if round % 10 == 0 {
            update(branch.executor(), "UPDATE t SET n = n", []).await.unwrap();
        }
    }
    branch.commit().await.unwrap();
    for _ in 0..30 {
        database.query("SELECT n FROM t WHERE DATE '2026-11-22' = ?", ["2026-11-22".into()]).await.unwrap();
        database.query("SELECT n FROM t", []).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_that_the_server_has_forgotten_are_prepared_again() {
    let database = with_table();
    database
        .psql("CREATE FUNCTION forget() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$");
    let branch = begin(&database).await;
    for (round, leaves_savepoint) in [(1, false), (2, true), (3, false)] {
        insert(&branch, &round.to_string()).await.unwrap();
        let before = sum(&branch).await;
        query(branch.executor(), "SELECT forget()", []).await.unwrap();
        if leaves_savepoint {
            update(branch.executor(), "UPDATE t SET n = n", []).await.unwrap();
        }
        assert_eq!(sum(&branch).await, before, "round {round}");
    }
    branch.commit().await.unwrap();
    assert_eq!(database.psql("SELECT sum(n) FROM t"), "6");
    database.query("SELECT sum(n) FROM t", []).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_takes_too_long_takes_back_itself_alone() {
    let server = PostgresServer::shared();
    let name = server.create_database();
    server.run(&name, "CREATE TABLE t (n integer)");
    let mut settings = settings(server, &name);
    settings.access.statement_timeout = Some(Duration::from_secs(1));
    let database = Database { resource: open(&settings), name };
    let branch = begin(&database).await;
    insert(&branch, "1").await.unwrap();
    let slow = "SELECT g, pg_sleep(0.001)::text FROM generate_series(1, 10000) g";
    for _ in 0..2 {
        let error = query(branch.executor(), slow, []).await.unwrap_err();
        assert!(matches!(error, ResourceError::TimedOut { .. }), "{error:?}");
        assert_eq!(sum(&branch).await, 1);
    }
    branch.commit().await.unwrap();
    assert_eq!(database.psql("SELECT sum(n) FROM t"), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stands_still_amid_the_rows_ends_the_transaction() {
    let server = PostgresServer::start();
    server.run("postgres", "CREATE TABLE t (n integer)");
    let mut settings = settings(&server, "postgres");
    settings.uri.push_str("?connect_timeout=1");
    settings.access.statement_timeout = Some(Duration::from_secs(3));
    let database = Database { resource: open(&settings), name: "postgres".into() };
    let begin = || database.sql().begin(TransactionOptions::default());
    for comes_first in [true, false] {
        let branch = begin().await.unwrap();
        insert(&branch, "1").await.unwrap();
        let error = if comes_first {
            server.freeze();
            query(branch.executor(), "SELECT n FROM t", []).await.unwrap_err()
        } else {
            amid_rows(&branch, CancellationToken::new(), async || server.freeze()).await.unwrap_err()
        };
        assert!(matches!(error, ResourceError::TimedOut { .. }), "{error:?}");
        assert!(branch.ended().is_some());
        let error = query(branch.executor(), "SELECT n FROM t", []).await.unwrap_err();
        assert!(error.to_string().contains("over"), "{error:?}");
        server.thaw();
        let open = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'rejoin' AND xact_start IS NOT NULL";
        while server.run("postgres", open) != "0" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(server.run("postgres", "SELECT count(*) FROM t"), "0");
        database.query("SELECT 1", []).await.unwrap();
    }
}
