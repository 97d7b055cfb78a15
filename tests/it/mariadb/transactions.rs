//! Transactions on connections of their own.

use rejoin::resource::relational::{Parameter, ParameterRows, RelationalBranch};
use rejoin::session::{BranchError, Decision, Isolation, LogId, TransactionBranch, TransactionOptions, Xid};
use tokio_util::sync::CancellationToken;

use super::stage::{Stage, csv, update};

async fn begin(stage: &Stage) -> RelationalBranch {
    stage.sql().begin(TransactionOptions::default()).await.unwrap()
}

fn stage() -> Stage {
    let stage = Stage::new();
    stage.run("CREATE TABLE t (id INT PRIMARY KEY, n INT); INSERT INTO t VALUES (1, 10), (2, 20)");
    stage
}

#[tokio::test]
async fn what_a_transaction_does_is_seen_by_others_when_it_commits() {
    let stage = stage();
    let branch = begin(&stage).await;
    assert_eq!(update(branch.executor(), "UPDATE t SET n = n + ?", [1.into()]).await.unwrap(), 2);
    assert_eq!(csv(branch.executor(), "SELECT SUM(n) FROM t").await.unwrap(), "32");
    assert_eq!(csv(stage.sql(), "SELECT SUM(n) FROM t").await.unwrap(), "30");
    branch.commit().await.unwrap();
    assert_eq!(csv(stage.sql(), "SELECT SUM(n) FROM t").await.unwrap(), "32");
    let error = csv(branch.executor(), "SELECT 1").await.unwrap_err();
    assert!(error.to_string().contains("is over"), "{error}");

    let branch = begin(&stage).await;
    update(branch.executor(), "DELETE FROM t", []).await.unwrap();
    branch.rollback().await.unwrap();
    assert_eq!(csv(stage.sql(), "SELECT COUNT(*) FROM t").await.unwrap(), "2");

    let branch = begin(&stage).await;
    update(branch.executor(), "DELETE FROM t", []).await.unwrap();
    drop(branch);
    // This waits for the locks of the transaction.
    update(stage.sql(), "UPDATE t SET n = n", []).await.unwrap();
    assert_eq!(csv(stage.sql(), "SELECT COUNT(*) FROM t").await.unwrap(), "2");
}

#[tokio::test]
async fn a_statement_that_fails_takes_back_itself_and_nothing_else() {
    let stage = stage();
    let branch = begin(&stage).await;
    update(branch.executor(), "INSERT INTO t VALUES (3, 30)", []).await.unwrap();
    let error = update(branch.executor(), "INSERT INTO t VALUES (4, 40), (1, 0)", []).await.unwrap_err();
    assert_eq!(error.code(), "SqlError");
    let (sender, rows) = ParameterRows::channel();
    let sending = async {
        for id in [5, 6, 1] {
            let _ = sender.send(vec![Parameter::Integer(id)]).await;
        }
        sender.finish().await;
    };
    let many = branch.executor().update("INSERT INTO t VALUES (?, 0)".into(), rows, CancellationToken::new());
    let (done, ()) = tokio::join!(many, sending);
    assert_eq!(done.unwrap_err().code(), "SqlError");
    for (sql, code) in [
        ("SELEC", "SqlReadOnly"),
        ("INSERT INTO t VALUES (8, 8) RETURNING id", "SqlReadOnly"),
        ("SELECT id FROM nothing", "SqlError"),
        ("SELECT ?, 'prepared, and then not run'", "SqlError"),
    ] {
        assert_eq!(csv(branch.executor(), sql).await.unwrap_err().code(), code, "{sql}");
    }
    for sql in ["DROP TABLE t", "COMMIT", "LOCK TABLES t WRITE", "SET autocommit = 1"] {
        assert_eq!(update(branch.executor(), sql, []).await.unwrap_err().code(), "SqlError", "{sql}");
    }
    branch.commit().await.unwrap();
    assert_eq!(stage.run("SELECT GROUP_CONCAT(id ORDER BY id) FROM t"), "1,2,3");
}

#[tokio::test]
async fn savepoints_take_back_what_came_after_them() {
    let stage = stage();
    let branch = begin(&stage).await;
    branch.savepoint("a`b").await.unwrap();
    update(branch.executor(), "DELETE FROM t WHERE id = 1", []).await.unwrap();
    branch.rollback_to("a`b").await.unwrap();
    branch.release("a`b").await.unwrap();
    update(branch.executor(), "DELETE FROM t WHERE id = 2", []).await.unwrap();
    branch.commit().await.unwrap();
    assert_eq!(stage.run("SELECT GROUP_CONCAT(id) FROM t"), "1");
}

#[tokio::test]
async fn a_transaction_has_the_isolation_and_the_access_that_was_asked_for() {
    let stage = stage();
    let options = |isolation, read_only| TransactionOptions { isolation, read_only, xid: None };
    for (isolation, sees) in [(Isolation::ReadCommitted, "31"), (Isolation::RepeatableRead, "30")] {
        stage.run("UPDATE t SET n = 10 * id");
        let branch = stage.sql().begin(options(Some(isolation), false)).await.unwrap();
        assert_eq!(csv(branch.executor(), "SELECT SUM(n) FROM t").await.unwrap(), "30");
        stage.run("UPDATE t SET n = 11 WHERE id = 1");
        assert_eq!(csv(branch.executor(), "SELECT SUM(n) FROM t").await.unwrap(), sees);
        branch.commit().await.unwrap();
    }
    let branch = stage.sql().begin(options(Some(Isolation::Serializable), true)).await.unwrap();
    let error = update(branch.executor(), "DELETE FROM t", []).await.unwrap_err();
    assert_eq!(error.code(), "SqlReadOnly");
    branch.commit().await.unwrap();
}

#[tokio::test]
async fn a_deadlock_ends_one_transaction_which_may_be_tried_again() {
    let stage = stage();
    let (one, other) = (begin(&stage).await, begin(&stage).await);
    update(one.executor(), "UPDATE t SET n = 0 WHERE id = 1", []).await.unwrap();
    update(other.executor(), "UPDATE t SET n = 0 WHERE id = 2", []).await.unwrap();
    let (first, second) = tokio::join!(
        update(one.executor(), "UPDATE t SET n = 0 WHERE id = 2", []),
        update(other.executor(), "UPDATE t SET n = 0 WHERE id = 1", [])
    );
    let (branch, error) = match (first, second) {
        (Err(error), Ok(_)) => (one, error),
        (Ok(_), Err(error)) => (other, error),
        both => panic!("{both:?}"),
    };
    assert_eq!((error.code(), error.is_retryable()), ("TransactionConflict", true));
    let later = update(branch.executor(), "INSERT INTO t VALUES (9, 9)", []).await.unwrap_err();
    assert!(later.is_retryable() && later.to_string().contains("conflict"), "{later}");
    assert!(matches!(branch.commit().await, Err(BranchError::Refused { is_retryable: true, .. })));
    assert_eq!(stage.run("SELECT COUNT(*) FROM t WHERE id = 9"), "0");
}

#[tokio::test]
async fn a_lock_that_is_awaited_for_too_long_leaves_the_transaction_open() {
    let stage = stage();
    let (one, other) = (begin(&stage).await, begin(&stage).await);
    update(one.executor(), "UPDATE t SET n = 0 WHERE id = 1", []).await.unwrap();
    update(other.executor(), "UPDATE t SET n = 0 WHERE id = 2", []).await.unwrap();
    let sql = "SELECT n FROM t WHERE id = 1 FOR UPDATE NOWAIT";
    assert_eq!(csv(other.executor(), sql).await.unwrap_err().code(), "DataResourceBusy");
    other.commit().await.unwrap();
    one.rollback().await.unwrap();
    assert_eq!(stage.run("SELECT GROUP_CONCAT(n ORDER BY id) FROM t"), "10,0");
}

#[tokio::test]
async fn a_cancelled_statement_leaves_its_transaction_open() {
    let stage = stage();
    let branch = begin(&stage).await;
    update(branch.executor(), "INSERT INTO t VALUES (3, 30)", []).await.unwrap();
    for sql in ["SELECT SLEEP(60)", "SELECT seq, REPEAT('x', 1000) FROM seq_1_to_10000000"] {
        let (writer, mut reader) = rejoin::block::pipe(rejoin::block::StreamType::Rows);
        let cancel = CancellationToken::new();
        let statement = rejoin::resource::relational::Statement::new(sql, []);
        let cancelling = async {
            while !stage.running().contains(sql) {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            let _ = futures_util::poll!(Box::pin(reader.next()));
            cancel.cancel();
        };
        let (done, ()) = tokio::join!(branch.executor().query(statement, writer, cancel.clone()), cancelling);
        assert_eq!(done.unwrap_err().code(), "Cancelled");
        assert_eq!(stage.running(), "");
        assert_eq!(csv(branch.executor(), "SELECT COUNT(*) FROM t").await.unwrap(), "3");
    }
    branch.commit().await.unwrap();
    assert_eq!(stage.run("SELECT COUNT(*) FROM t"), "3");
}

#[tokio::test]
async fn a_prepared_branch_survives_its_connection_and_is_ended_by_its_name() {
    let stage = stage();
    let log = LogId::new(rand_id(&stage));
    for (branch, decision, count) in [(1, Decision::Commit, "3"), (2, Decision::Rollback, "3")] {
        let xid = Xid { log, transaction: uuid::Uuid::from_u128(7), branch };
        let options = TransactionOptions { xid: Some(xid), ..TransactionOptions::default() };
        let transaction = stage.sql().begin(options).await.unwrap();
        assert!(transaction.can_prepare());
        transaction.savepoint("a").await.unwrap();
        let insert = format!("INSERT INTO t VALUES ({}, 0)", branch + 2);
        update(transaction.executor(), &insert, []).await.unwrap();
        transaction.savepoint("b").await.unwrap();
        update(transaction.executor(), "DELETE FROM t", []).await.unwrap();
        transaction.rollback_to("b").await.unwrap();
        transaction.prepare().await.unwrap();
        assert_eq!(stage.sql().prepared(log).await.unwrap(), [xid]);
        assert!(stage.sql().settle(xid, decision).await.is_err(), "its connection is open still");
        drop(transaction);
        while stage.sql().settle(xid, decision).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        stage.sql().settle(xid, decision).await.unwrap();
        assert_eq!(stage.sql().prepared(log).await.unwrap(), []);
        assert_eq!(stage.run("SELECT COUNT(*) FROM t"), count);
    }
}

#[tokio::test]
async fn a_branch_with_a_name_may_end_in_every_way() {
    let stage = stage();
    let log = LogId::new(rand_id(&stage));
    for (branch, is_prepared, commits) in [(1, false, true), (2, false, false), (3, true, true), (4, true, false)] {
        let xid = Xid { log, transaction: uuid::Uuid::from_u128(8), branch };
        let options = TransactionOptions { xid: Some(xid), isolation: Some(Isolation::Serializable), read_only: false };
        let transaction = stage.sql().begin(options).await.unwrap();
        update(transaction.executor(), "INSERT INTO t VALUES (?, 0)", [(10 + i64::from(branch)).into()]).await.unwrap();
        if is_prepared {
            transaction.prepare().await.unwrap();
        }
        if commits { transaction.commit().await.unwrap() } else { transaction.rollback().await.unwrap() }
    }
    assert_eq!(stage.run("SELECT GROUP_CONCAT(id ORDER BY id) FROM t"), "1,2,11,13");
    assert_eq!(stage.sql().prepared(log).await.unwrap(), []);
}

/// A number that no other test has: that of the database.
fn rand_id(stage: &Stage) -> u64 {
    stage.database.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()
}
