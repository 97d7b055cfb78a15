//! Databases that stop, freeze and die.

use std::time::Duration;

use rejoin::block::{StreamType, pipe};
use rejoin::resource::ResourceError;
use rejoin::resource::relational::{ParameterRows, Statement};
use rejoin::session::{BranchError, TransactionBranch, TransactionOptions};
use tokio_util::sync::CancellationToken;

use super::{Database, open, query, settings, update};
use crate::databases::PostgresServer;

fn database(server: &PostgresServer) -> Database {
    let mut settings = settings(server, "postgres");
    settings.uri.push_str("?connect_timeout=2");
    Database { resource: open(&settings), name: "postgres".into() }
}

async fn until_active(server: &PostgresServer) {
    let active = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'rejoin' AND state = 'active'";
    while server.run("postgres", active) == "0" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_request_works_when_the_database_is_back() {
    let mut server = PostgresServer::start();
    let database = database(&server);
    database.update("CREATE TABLE t (n integer)", []).await.unwrap();
    // In order.
    server.stop();
    server.start_again();
    assert_eq!(database.update("INSERT INTO t VALUES (1)", []).await, Ok(1));
    database.query("SELECT * FROM t", []).await.unwrap();
    // Not in order.
    server.kill();
    for error in [
        database.query("SELECT 1", []).await.unwrap_err(),
        database.update("INSERT INTO t VALUES (2)", []).await.unwrap_err(),
        database.resource.health().await.unwrap_err(),
    ] {
        assert!(matches!(error, ResourceError::Unavailable { .. }), "{error:?}");
    }
    server.start_again();
    assert_eq!(database.update("INSERT INTO t VALUES (3)", []).await, Ok(1));
    assert_eq!(server.run("postgres", "SELECT sum(n) FROM t"), "4");
    // By somebody who ends its connections.
    server.run("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rejoin'");
    database.query("SELECT * FROM t", []).await.unwrap();
    assert_eq!(database.update("INSERT INTO t VALUES (4)", []).await, Ok(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_in_the_middle_says_what_may_have_happened() {
    let mut server = PostgresServer::start();
    let database = database(&server);
    let (writer, _reader) = pipe(StreamType::Rows);
    let sleeping = database.sql().query(Statement::new("SELECT pg_sleep(600)", []), writer, CancellationToken::new());
    let killing = async {
        until_active(&server).await;
        server.run("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rejoin' AND state = 'active'");
        until_active(&server).await;
        server.run("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rejoin' AND state = 'active'");
    };
    let (end, ()) = tokio::join!(sleeping, killing);
    assert!(matches!(end, Err(ResourceError::Unavailable { .. })), "{end:?}");

    let updating =
        database.sql().update("SELECT pg_sleep(600)".into(), ParameterRows::one([]), CancellationToken::new());
    let mut updating = std::pin::pin!(updating);
    tokio::select! {
        _ = &mut updating => panic!("it does not end"),
        () = until_active(&server) => {}
    }
    server.kill();
    let end = updating.await;
    assert!(matches!(end, Err(ResourceError::Lost { .. } | ResourceError::Unavailable { .. })), "{end:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_ends_with_its_connection() {
    let mut server = PostgresServer::start();
    let database = database(&server);
    database.update("CREATE TABLE t (n integer)", []).await.unwrap();
    let branch = database.sql().begin(TransactionOptions::default()).await.unwrap();
    update(branch.executor(), "INSERT INTO t VALUES (1)", []).await.unwrap();
    let other = database.sql().begin(TransactionOptions::default()).await.unwrap();
    update(other.executor(), "INSERT INTO t VALUES (2)", []).await.unwrap();
    server.kill();
    server.start_again();
    let error = query(branch.executor(), "SELECT * FROM t", []).await.unwrap_err();
    assert!(matches!(error, ResourceError::Unavailable { .. } | ResourceError::Sql { .. }), "{error:?}");
    assert!(branch.ended().is_some());
    assert!(update(branch.executor(), "INSERT INTO t VALUES (1)", []).await.unwrap_err().to_string().contains("over"));
    assert!(branch.commit().await.is_err());
    // Whether a commit has come to the server, nobody knows who only sees that the connection is gone.
    assert!(matches!(other.commit().await, Err(BranchError::Lost { .. })));
    assert_eq!(server.run("postgres", "SELECT count(*) FROM t"), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_stands_still_is_given_up_and_works_when_it_goes_on() {
    let server = PostgresServer::start();
    let mut settings = settings(&server, "postgres");
    settings.uri.push_str("?connect_timeout=1");
    settings.access.statement_timeout = Some(Duration::from_millis(500));
    let database = Database { resource: open(&settings), name: "postgres".into() };
    database.query("SELECT 1", []).await.unwrap();
    server.freeze();
    let error = database.query("SELECT 1", []).await.unwrap_err();
    assert!(matches!(error, ResourceError::TimedOut { .. } | ResourceError::Unavailable { .. }), "{error:?}");
    let error = database.query("SELECT 1", []).await.unwrap_err();
    assert!(matches!(error, ResourceError::Unavailable { .. }), "{error:?}");
    server.thaw();
    database.query("SELECT 1", []).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_the_server_says_nothing_of_may_have_been_done() {
    let server = PostgresServer::start();
    let mut settings = settings(&server, "postgres");
    settings.access.statement_timeout = Some(Duration::from_secs(1));
    let database = Database { resource: open(&settings), name: "postgres".into() };
    database.query("SELECT 1", []).await.unwrap();
    let freezing = async {
        until_active(&server).await;
        server.freeze();
    };
    let (end, ()) = tokio::join!(database.update("SELECT pg_sleep(0.9)", []), freezing);
    server.thaw();
    assert!(matches!(end, Err(ResourceError::Lost { .. })), "{end:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_connections_to_a_server_that_stands_still_one_is_waited_for() {
    let server = PostgresServer::start();
    let database = database(&server);
    let sleeping = || database.query("SELECT pg_sleep(0.2)", []);
    let all = futures_util::future::join_all((0..12).map(|_| sleeping())).await;
    assert!(all.iter().all(Result::is_ok));
    // Those that were used a moment ago are not asked whether they are alive.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    server.freeze();
    let begun = std::time::Instant::now();
    let error = database.query("SELECT 1", []).await.unwrap_err();
    assert!(matches!(error, ResourceError::Unavailable { .. }), "{error:?}");
    // Twelve would take twenty-four seconds.
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    server.thaw();
    database.query("SELECT 1", []).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_begins_though_the_connections_are_gone() {
    let server = PostgresServer::start();
    let database = database(&server);
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rejoin'";
    for _ in 0..10 {
        database.query("SELECT 1", []).await.unwrap();
        server.run("postgres", end);
        let branch = database.sql().begin(TransactionOptions::default()).await.unwrap();
        branch.rollback().await.unwrap();
    }
}
