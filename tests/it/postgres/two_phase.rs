//! Transactions in two phases.

use rejoin::session::{BranchError, Decision, LogId, TransactionBranch, TransactionOptions, Xid};
use uuid::Uuid;

use super::{new_database, update};

fn xid(log: u64, transaction: u128) -> Xid {
    Xid { log: LogId::new(log), transaction: Uuid::from_u128(transaction), branch: 1 }
}

fn named(xid: Xid) -> TransactionOptions {
    TransactionOptions { xid: Some(xid), ..TransactionOptions::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prepared_branch_waits_for_its_end() {
    let database = new_database();
    database.psql("CREATE TABLE t (n integer)");
    let log = LogId::new(0xa11);
    for (number, decision) in [(1, Decision::Commit), (2, Decision::Rollback)] {
        let branch = database.sql().begin(named(xid(0xa11, number))).await.unwrap();
        assert!(branch.can_prepare());
        update(branch.executor(), "INSERT INTO t VALUES (1)", []).await.unwrap();
        super::query(branch.executor(), "SELECT * FROM t", []).await.unwrap();
        branch.prepare().await.unwrap();
        assert_eq!(database.sql().prepared(log).await.unwrap(), [xid(0xa11, number)]);
        assert_eq!(database.sql().prepared(LogId::new(0xa12)).await.unwrap(), []);
        match decision {
            Decision::Commit => branch.commit().await.unwrap(),
            Decision::Rollback => branch.rollback().await.unwrap(),
        }
        assert_eq!(database.sql().prepared(log).await.unwrap(), []);
        assert_eq!(database.psql("SELECT count(*) FROM t"), "1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_was_left_prepared_is_settled_by_its_name() {
    let database = new_database();
    database.psql("CREATE TABLE t (n integer)");
    for (number, decision) in [(3, Decision::Commit), (4, Decision::Rollback)] {
        let xid = xid(0xb11, number);
        let branch = database.sql().begin(named(xid)).await.unwrap();
        update(branch.executor(), "INSERT INTO t VALUES (1)", []).await.unwrap();
        branch.prepare().await.unwrap();
        drop(branch);
        assert_eq!(database.sql().prepared(xid.log).await.unwrap(), [xid]);
        database.sql().settle(xid, decision).await.unwrap();
        database.sql().settle(xid, decision).await.unwrap();
        assert_eq!(database.sql().prepared(xid.log).await.unwrap(), []);
        assert_eq!(database.psql("SELECT count(*) FROM t"), "1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_can_not_be_prepared_holds_nothing() {
    let database = new_database();
    let branch = database.sql().begin(named(xid(0xc11, 5))).await.unwrap();
    update(branch.executor(), "CREATE TEMP TABLE t (n integer)", []).await.unwrap();
    assert!(matches!(branch.prepare().await, Err(BranchError::Refused { .. })));
    let branch = database.sql().begin(TransactionOptions::default()).await.unwrap();
    assert!(!branch.can_prepare());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_tells_what_became_of_a_transaction() {
    let database = new_database();
    database.psql("CREATE TABLE t (n integer)");
    for (commits, decision) in [(true, Decision::Commit), (false, Decision::Rollback)] {
        let branch = database.sql().begin(TransactionOptions::default()).await.unwrap();
        assert_eq!(branch.witness().await, Ok(None), "it has written nothing");
        update(branch.executor(), "INSERT INTO t VALUES (1)", []).await.unwrap();
        let witness = branch.witness().await.unwrap().unwrap();
        assert!(database.sql().outcome(&witness).await.is_err(), "it is not over");
        let ended = if commits { branch.commit().await } else { branch.rollback().await };
        ended.unwrap();
        assert_eq!(database.sql().outcome(&witness).await, Ok(Some(decision)));
    }
    assert_eq!(database.sql().outcome("3").await.unwrap_or(None), None);
}
