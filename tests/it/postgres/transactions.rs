//! Transactions that span statements.

use rejoin::block::{Block, StreamType, pipe};
use rejoin::resource::ResourceError;
use rejoin::resource::relational::{Parameter, ParameterRows, RelationalBranch, Statement};
use rejoin::session::{BranchError, Isolation, TransactionBranch, TransactionOptions};
use tokio_util::sync::CancellationToken;

use super::{Database, new_database, query, update};

pub(super) async fn begin(database: &Database) -> RelationalBranch {
    begin_with(database, TransactionOptions::default()).await
}

async fn begin_with(database: &Database, options: TransactionOptions) -> RelationalBranch {
    database.sql().begin(options).await.unwrap()
}

/// What `sum(n)` of the table `t` is in a transaction.
pub(super) async fn sum(branch: &RelationalBranch) -> i64 {
    use arrow_array::cast::AsArray;
    let blocks = query(branch.executor(), "SELECT sum(n) FROM t", []).await.unwrap();
    let sums = blocks[0].column(0).as_primitive::<arrow_array::types::Int64Type>().clone();
    if arrow_array::Array::is_null(&sums, 0) { 0 } else { sums.value(0) }
}

pub(super) async fn insert(branch: &RelationalBranch, number: &str) -> Result<u64, ResourceError> {
    update(branch.executor(), "INSERT INTO t VALUES (?)", [Parameter::from(number)]).await
}

pub(super) fn with_table() -> Database {
    let database = new_database();
    database.psql("CREATE TABLE t (n integer UNIQUE)");
    database
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_in_it_is_seen_in_it_and_holds_when_it_is_committed() {
    let database = with_table();
    let branch = begin(&database).await;
    insert(&branch, "1").await.unwrap();
    assert_eq!(sum(&branch).await, 1);
    insert(&branch, "2").await.unwrap();
    assert_eq!((sum(&branch).await, sum(&branch).await), (3, 3));
    assert_eq!(database.psql("SELECT count(*) FROM t"), "0");
    branch.commit().await.unwrap();
    assert_eq!(database.psql("SELECT sum(n) FROM t"), "3");
    assert!(insert(&branch, "3").await.is_err(), "it is over");

    let branch = begin(&database).await;
    insert(&branch, "4").await.unwrap();
    branch.rollback().await.unwrap();
    assert_eq!(database.psql("SELECT sum(n) FROM t"), "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_fails_takes_back_itself_alone() {
    let database = with_table();
    let branch = begin(&database).await;
    insert(&branch, "1").await.unwrap();
    for wrong in [
        "INSERT INTO t VALUES (2), (1)",
        "INSERT INTO nowhere VALUES (1)",
        "INSERT INTO t VALUES (2), (1/0)",
        "VACUUM t",
        "COMMIT",
    ] {
        assert!(update(branch.executor(), wrong, []).await.is_err(), "{wrong}");
        assert_eq!(sum(&branch).await, 1, "{wrong}");
    }
    for wrong in [
        "SELECT nothing FROM t",
        "SELECT n / 0 FROM t",
        "INSERT INTO t VALUES (2)",
        "ROLLBACK",
        "SELECT * FROM t WHERE n = ?",
    ] {
        assert!(query(branch.executor(), wrong, []).await.is_err(), "{wrong}");
        assert_eq!(sum(&branch).await, 1, "{wrong}");
    }
    insert(&branch, "2").await.unwrap();
    branch.commit().await.unwrap();
    assert_eq!(database.psql("SELECT sum(n) FROM t"), "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn its_queries_can_not_write() {
    let database = with_table();
    database.psql("CREATE FUNCTION sneak() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t VALUES (9); RETURN 9; END $$");
    let branch = begin(&database).await;
    insert(&branch, "1").await.unwrap();
    for write in [
        "SELECT sneak()",
        "INSERT INTO t VALUES (9)",
        "WITH a AS (INSERT INTO t VALUES (9) RETURNING n) SELECT * FROM a",
    ] {
        let error = query(branch.executor(), write, []).await.unwrap_err();
        assert!(matches!(error, ResourceError::ReadOnly { .. }), "{write}: {error:?}");
    }
    for attempt in ["SET TRANSACTION READ WRITE", "SELECT set_config('transaction_read_only', 'off', false)"] {
        assert!(query(branch.executor(), attempt, []).await.is_err(), "{attempt}");
    }
    assert_eq!(sum(&branch).await, 1);
    assert_eq!(update(branch.executor(), "SELECT sneak()", []).await, Ok(0));
    branch.commit().await.unwrap();
    assert_eq!(database.psql("SELECT sum(n) FROM t"), "10");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_goes_back_to_savepoints() {
    let database = with_table();
    let branch = begin(&database).await;
    insert(&branch, "1").await.unwrap();
    branch.savepoint("a").await.unwrap();
    insert(&branch, "2").await.unwrap();
    assert_eq!(sum(&branch).await, 3);
    branch.savepoint("it's \"b\"").await.unwrap();
    insert(&branch, "4").await.unwrap();
    assert_eq!(sum(&branch).await, 7);
    branch.rollback_to("it's \"b\"").await.unwrap();
    assert_eq!(sum(&branch).await, 3);
    insert(&branch, "8").await.unwrap();
    branch.release("it's \"b\"").await.unwrap();
    assert_eq!(sum(&branch).await, 11);
    branch.rollback_to("a").await.unwrap();
    assert_eq!(sum(&branch).await, 1);
    insert(&branch, "16").await.unwrap();
    branch.release("a").await.unwrap();
    branch.commit().await.unwrap();
    assert_eq!(database.psql("SELECT sum(n) FROM t"), "17");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_isolation_is_what_was_asked_for() {
    use arrow_array::cast::AsArray;
    let database = with_table();
    for (name, isolation) in Isolation::NAMES {
        let options =
            TransactionOptions { isolation: Some(isolation), read_only: true, ..TransactionOptions::default() };
        let branch = begin_with(&database, options).await;
        let blocks = query(branch.executor(), "SELECT replace(current_setting('transaction_isolation'), ' ', '')", [])
            .await
            .unwrap();
        assert_eq!(blocks[0].column(0).as_string::<i32>().value(0), name.to_lowercase());
        assert!(matches!(insert(&branch, "1").await, Err(ResourceError::ReadOnly { .. })));
        branch.commit().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_ends_it() {
    let database = with_table();
    database.psql("INSERT INTO t VALUES (1)");
    let options = TransactionOptions { isolation: Some(Isolation::RepeatableRead), ..TransactionOptions::default() };
    let branch = begin_with(&database, options).await;
    assert_eq!(sum(&branch).await, 1);
    database.psql("UPDATE t SET n = 2");
    let error = update(branch.executor(), "UPDATE t SET n = 3", []).await.unwrap_err();
    assert!(matches!(error, ResourceError::Conflict { .. }) && error.is_retryable(), "{error:?}");
    assert!(query(branch.executor(), "SELECT 1", []).await.unwrap_err().to_string().contains("is over"));
    assert!(matches!(branch.commit().await, Err(BranchError::Refused { is_retryable: true, .. })));
    assert_eq!(database.psql("SELECT n FROM t"), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_the_database_refuses_holds_nothing() {
    let database = new_database();
    database.psql("CREATE TABLE t (n integer UNIQUE DEFERRABLE INITIALLY DEFERRED)");
    let branch = begin(&database).await;
    insert(&branch, "1").await.unwrap();
    insert(&branch, "1").await.unwrap();
    let error = branch.commit().await.unwrap_err();
    assert!(matches!(&error, BranchError::Refused { is_retryable: false, .. }), "{error:?}");
    assert_eq!(database.psql("SELECT count(*) FROM t"), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_dropped_is_rolled_back() {
    let database = with_table();
    let branch = begin(&database).await;
    insert(&branch, "1").await.unwrap();
    drop(branch);
    // The lock of the row is gone with it.
    assert_eq!(database.update("INSERT INTO t VALUES (1)", []).await, Ok(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_was_cancelled_takes_the_transaction_with_it() {
    let database = with_table();
    let branch = begin(&database).await;
    insert(&branch, "1").await.unwrap();
    let cancel = CancellationToken::new();
    cancel.cancel();
    let (writer, _reader) = pipe(StreamType::Rows);
    let statement = Statement::new("SELECT pg_sleep(600)", []);
    assert_eq!(branch.executor().query(statement, writer, cancel).await, Err(ResourceError::Cancelled));
    // It was cancelled before it had its turn.
    assert_eq!(sum(&branch).await, 1);
    let (writer, _reader) = pipe(StreamType::Rows);
    let statement = Statement::new("SELECT pg_sleep(600)", []);
    let running = branch.executor().query(statement, writer, CancellationToken::new());
    tokio::select! {
        _ = running => panic!("it does not end"),
        () = super::queries::until_running(&database, 1) => {}
    }
    assert!(insert(&branch, "2").await.unwrap_err().to_string().contains("is over"));
    assert!(branch.commit().await.is_err());
    super::queries::until_running(&database, 0).await;
    assert_eq!(database.update("INSERT INTO t VALUES (1)", []).await, Ok(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rows_of_a_query_can_be_parameters_of_an_update_in_the_same_transaction() {
    let database = with_table();
    let branch = begin(&database).await;
    let (writer, mut reader) = pipe(StreamType::Rows);
    let (sender, rows) = ParameterRows::channel();
    let statement = Statement::new("SELECT g FROM generate_series(1, 20000) g", []);
    let querying = branch.executor().query(statement, writer, CancellationToken::new());
    let feeding = async move {
        use arrow_array::cast::AsArray;
        while let Some(Block::Rows(rows)) = reader.next().await.unwrap() {
            let numbers = rows.column(0).as_primitive::<arrow_array::types::Int32Type>().clone();
            for number in numbers.values() {
                sender.send(vec![Parameter::Integer(i64::from(*number))]).await.unwrap();
            }
        }
        sender.finish().await;
    };
    let updating = branch.executor().update("INSERT INTO t VALUES (?)".into(), rows, CancellationToken::new());
    let (queried, (), updated) = tokio::join!(querying, feeding, updating);
    assert_eq!((queried.unwrap().rows, updated), (20000, Ok(20000)));
    branch.commit().await.unwrap();
    assert_eq!(database.psql("SELECT count(*) FROM t"), "20000");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_it_is_left_for_the_next() {
    let database = with_table();
    for commits in [true, false] {
        let branch = begin(&database).await;
        for statement in
            ["SET search_path TO nowhere", "SELECT pg_advisory_lock(7)", "CREATE TEMP TABLE secret (n integer)"]
        {
            update(branch.executor(), statement, []).await.unwrap();
        }
        query(branch.executor(), "SELECT pg_advisory_lock(8), set_config('TimeZone', 'Europe/Paris', false)", [])
            .await
            .unwrap();
        let ended = if commits { branch.commit().await } else { branch.rollback().await };
        ended.unwrap();
        let blocks = database.query("SELECT 1 WHERE current_setting('search_path') <> '\"$user\", public' OR current_setting('TimeZone') <> 'UTC'", []).await.unwrap();
        assert_eq!(blocks[0].num_rows(), 0);
        assert_eq!(database.psql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), "0");
        assert!(database.query("SELECT * FROM secret", []).await.is_err());
    }
}
