//! Transactions in two phases.

use std::time::Duration;

use rejoin::resource::relational::access::{Login, Otherwise, PoolSettings, Requester, RoleMap, Who};
use rejoin::session::{BranchError, Decision, LogId, Principal, TransactionBranch, TransactionOptions, Xid};
use uuid::Uuid;

use super::{new_database, open, password, settings, update};
use crate::databases::{PASSWORD, PostgresServer};

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
        // It has written nothing, so it is all the same what became of it: nobody is told to compare the data.
        let witness = branch.witness().await.unwrap().unwrap();
        assert_eq!(database.sql().outcome(&witness).await, Ok(Some(Decision::Rollback)));
        update(branch.executor(), "INSERT INTO t VALUES (1)", []).await.unwrap();
        let witness = branch.witness().await.unwrap().unwrap();
        assert!(database.sql().outcome(&witness).await.is_err(), "it is not over");
        let ended = if commits { branch.commit().await } else { branch.rollback().await };
        ended.unwrap();
        assert_eq!(database.sql().outcome(&witness).await, Ok(Some(decision)));
    }
    assert_eq!(database.sql().outcome("3").await.unwrap_or(None), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_settled_though_all_connections_wait_for_it() {
    let database = new_database();
    database.psql("CREATE TABLE t AS SELECT 1 AS n");
    let mut settings = settings(PostgresServer::shared(), &database.name);
    settings.access.pool = PoolSettings { size: 1, wait: Duration::from_millis(10), ..PoolSettings::default() };
    let small = open(&settings);
    let small = small.as_relational().unwrap();
    let xid = xid(0xe11, 8);
    let branch = small.begin(named(xid)).await.unwrap();
    update(branch.executor(), "UPDATE t SET n = 2", []).await.unwrap();
    branch.prepare().await.unwrap();
    drop(branch);
    let waiting = small.begin(TransactionOptions::default()).await.unwrap();
    let updating = update(waiting.executor(), "UPDATE t SET n = n + 1", []);
    let settling = async {
        super::queries::until_running(&database, 1).await;
        assert_eq!(small.prepared(xid.log).await.unwrap(), [xid]);
        small.settle(xid, Decision::Commit).await.unwrap();
    };
    let (updated, ()) = tokio::join!(updating, settling);
    assert_eq!(updated, Ok(1));
    waiting.commit().await.unwrap();
    assert_eq!(database.psql("SELECT n FROM t"), "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_settled_as_the_user_who_prepared_it() {
    let database = new_database();
    let clerk = format!("clerk_{}", database.name);
    let owner = format!("owner_{}", database.name);
    database.psql(&format!(
        "CREATE ROLE {clerk} LOGIN PASSWORD '{PASSWORD}'; CREATE ROLE {owner} LOGIN PASSWORD '{PASSWORD}'; \
         CREATE TABLE t (n integer); GRANT ALL ON t TO {clerk}, {owner}"
    ));
    let login = |user: &str| Login { user: Some(user.into()), password: Some(password()) };
    let mut settings = settings(PostgresServer::shared(), &database.name);
    settings.access.login = login(&owner);
    settings.access.role_map =
        Some(RoleMap { entries: vec![(Who::Principal("ada".into()), login(&clerk))], otherwise: Otherwise::Default });
    let resource = open(&settings);
    let ada = Requester { principal: Principal::new("ada"), role: "user".into() };
    let as_clerk = resource.on_behalf_of(&ada).unwrap().unwrap();
    let all = resource.as_relational().unwrap();
    for (number, decision, rows) in [(9, Decision::Commit, "1"), (10, Decision::Rollback, "1")] {
        let xid = xid(0xf11, number);
        let branch = as_clerk.as_relational().unwrap().begin(named(xid)).await.unwrap();
        update(branch.executor(), "INSERT INTO t VALUES (1)", []).await.unwrap();
        branch.prepare().await.unwrap();
        drop(branch);
        assert_eq!(all.prepared(xid.log).await.unwrap(), [xid], "others see it");
        all.settle(xid, decision).await.unwrap();
        assert_eq!(all.prepared(xid.log).await.unwrap(), []);
        assert_eq!(database.psql("SELECT count(*) FROM t"), rows);
    }
    // Of somebody whom the resource does not know it stays, and that is told.
    let xid = xid(0xf11, 11);
    let stranger = database.sql().begin(named(xid)).await.unwrap();
    update(stranger.executor(), "INSERT INTO t VALUES (1)", []).await.unwrap();
    stranger.prepare().await.unwrap();
    assert!(all.settle(xid, Decision::Commit).await.is_err());
    stranger.rollback().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_keeps_no_prepared_transactions_is_not_asked_to() {
    let mut server = PostgresServer::start();
    server.run("postgres", "CREATE TABLE t (n integer)");
    let resource = open(&settings(&server, "postgres"));
    let database = resource.as_relational().unwrap();
    assert!(database.begin(named(xid(0xaa1, 12))).await.unwrap().can_prepare());
    server.run("postgres", "ALTER SYSTEM SET max_prepared_transactions = 0");
    server.stop();
    server.start_again();
    let branch = database.begin(named(xid(0xaa1, 13))).await.unwrap();
    assert!(!branch.can_prepare());
    update(branch.executor(), "INSERT INTO t VALUES (1)", []).await.unwrap();
    branch.commit().await.unwrap();
    assert_eq!(server.run("postgres", "SELECT count(*) FROM t"), "1");
}
