//! Servers that stop, stand still and die.

use std::time::Duration;

use rejoin::resource::relational::ParameterRows;
use rejoin::resource::relational::access::{AccessSettings, Login};
use rejoin::session::{BranchError, Decision, LogId, TransactionBranch, TransactionOptions, Xid};
use tokio_util::sync::CancellationToken;

use super::stage::{csv, open, password_file, update};
use crate::databases::MariaDbServer;

#[tokio::test]
async fn a_database_that_is_back_is_used_again() {
    let mut server = MariaDbServer::start();
    let database = server.create_database();
    let (_folder, password) = password_file();
    let access = AccessSettings { login: Login { user: None, password: Some(password) }, ..Default::default() };
    let resource = open(&server.uri(&database), access);
    let sql = resource.as_relational().unwrap();
    update(sql, "CREATE TABLE t (id INT PRIMARY KEY)", []).await.unwrap();
    let cancel = CancellationToken::new();
    // Two connections wait in the pool.
    let (a, b) = tokio::join!(csv(sql, "SELECT SLEEP(0.1)"), csv(sql, "SELECT SLEEP(0.1)"));
    assert_eq!((a.unwrap(), b.unwrap()), ("0".into(), "0".into()));

    for stops in [true, false] {
        let branch = sql.begin(TransactionOptions::default()).await.unwrap();
        update(branch.executor(), "INSERT INTO t VALUES (1)", []).await.unwrap();
        let insert = "INSERT INTO t SELECT SLEEP(60) + 9".to_owned();
        let writing = sql.update(insert.clone(), ParameterRows::one([]), cancel.clone());
        let reading = csv(sql, "SELECT SLEEP(60)");
        let ending = async {
            while !server.run(&database, "SHOW PROCESSLIST").contains("SELECT SLEEP(60)\t")
                || !server.run(&database, "SHOW PROCESSLIST").contains(&insert)
            {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            if stops { server.stop() } else { server.kill() }
        };
        let (written, read, ()) = tokio::join!(writing, reading, ending);
        let written = written.unwrap_err().code();
        assert!(written == "DataResourceLost" || (stops && written == "DataResourceUnavailable"), "{written}");
        assert_eq!(read.unwrap_err().code(), "DataResourceUnavailable");
        assert_eq!(csv(sql, "SELECT 1").await.unwrap_err().code(), "DataResourceUnavailable");
        assert!(resource.health().await.is_err());

        server.start_again();
        assert_eq!(csv(sql, "SELECT COUNT(*) FROM t").await.unwrap(), "0");
        resource.health().await.unwrap();
        let error = update(branch.executor(), "INSERT INTO t VALUES (2)", []).await.unwrap_err();
        assert_eq!(error.code(), "DataResourceUnavailable", "{error}");
        let error = update(branch.executor(), "INSERT INTO t VALUES (3)", []).await.unwrap_err();
        assert!(error.to_string().contains("is over"), "{error}");
        assert!(matches!(branch.commit().await, Err(BranchError::Refused { .. })));
        assert_eq!(csv(sql, "SELECT COUNT(*) FROM t").await.unwrap(), "0");
    }
}

#[tokio::test]
async fn nothing_is_ended_in_a_server_for_what_ran_in_the_one_before_it() {
    let mut server = MariaDbServer::start();
    let database = server.create_database();
    let (_folder, password) = password_file();
    let access = AccessSettings { login: Login { user: None, password: Some(password) }, ..Default::default() };
    let resource = open(&server.uri(&database), access);
    let sql = resource.as_relational().unwrap();
    let begin = async || sql.begin(TransactionOptions::default()).await.unwrap();

    let lost = begin().await;
    let number = csv(lost.executor(), "SELECT CONNECTION_ID()").await.unwrap();
    server.kill();
    server.start_again();
    // It gives the same numbers again, one of them to somebody who has nothing to do with what was lost.
    let mut others = vec![begin().await];
    while csv(others.last().unwrap().executor(), "SELECT CONNECTION_ID()").await.unwrap() != number {
        others.push(begin().await);
        assert!(others.len() < 12, "nobody has the number {number}");
    }
    let connections = "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'CONNECTIONS'";
    let open = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE()";
    let watch = begin().await;
    let before = csv(watch.executor(), connections).await.unwrap();
    let were_open = csv(watch.executor(), open).await.unwrap();
    assert_eq!(csv(lost.executor(), "SELECT 1").await.unwrap_err().code(), "DataResourceUnavailable");
    // A connection comes to stop what may still run, and goes.
    while csv(watch.executor(), connections).await.unwrap() == before
        || csv(watch.executor(), open).await.unwrap() > were_open
    {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for other in &others {
        assert_eq!(csv(other.executor(), "SELECT 1").await.as_deref(), Ok("1"));
    }
}

#[tokio::test]
async fn connections_that_the_server_closed_are_replaced() {
    let server = MariaDbServer::start();
    let database = server.create_database();
    let (_folder, password) = password_file();
    let access = AccessSettings { login: Login { user: None, password: Some(password) }, ..Default::default() };
    let resource = open(&server.uri(&database), access);
    let sql = resource.as_relational().unwrap();
    update(sql, "CREATE TABLE t (id INT)", []).await.unwrap();
    let end_all = || {
        for id in server
            .run("mysql", &format!("SELECT ID FROM information_schema.PROCESSLIST WHERE DB = '{database}'"))
            .lines()
        {
            server.run("mysql", &format!("KILL {id}"));
        }
    };
    csv(sql, "SELECT COUNT(*) FROM t").await.unwrap();
    end_all();
    assert_eq!(csv(sql, "SELECT COUNT(*) FROM t").await.unwrap(), "0");
    end_all();
    assert_eq!(update(sql, "INSERT INTO t VALUES (1)", []).await.unwrap(), 1);
    end_all();
    let branch = sql.begin(TransactionOptions::default()).await.unwrap();
    end_all();
    assert!(matches!(branch.commit().await, Err(BranchError::Lost { .. })));
}

#[tokio::test]
async fn a_server_that_stands_still_holds_nobody() {
    let server = MariaDbServer::start();
    let database = server.create_database();
    let (_folder, password) = password_file();
    let mut access = AccessSettings { login: Login { user: None, password: Some(password) }, ..Default::default() };
    access.statement_timeout = Some(Duration::from_millis(300));
    let resource = open(&server.uri(&database), access);
    let sql = resource.as_relational().unwrap();
    csv(sql, "SELECT 1").await.unwrap();
    server.freeze();
    let error = csv(sql, "SELECT 1").await.unwrap_err();
    assert_eq!(error.code(), "SqlTimedOut");
    server.thaw();
    assert_eq!(csv(sql, "SELECT 1").await.unwrap(), "1");
}

#[tokio::test]
async fn a_prepared_branch_survives_the_death_of_the_server() {
    let mut server = MariaDbServer::start();
    let database = server.create_database();
    let (_folder, password) = password_file();
    let access = AccessSettings { login: Login { user: None, password: Some(password) }, ..Default::default() };
    let resource = open(&server.uri(&database), access);
    let sql = resource.as_relational().unwrap();
    update(sql, "CREATE TABLE t (id INT)", []).await.unwrap();
    let log = LogId::new(1);
    let xid = Xid { log, transaction: uuid::Uuid::from_u128(1), branch: 1 };
    let branch = sql.begin(TransactionOptions { xid: Some(xid), ..Default::default() }).await.unwrap();
    update(branch.executor(), "INSERT INTO t VALUES (1)", []).await.unwrap();
    branch.prepare().await.unwrap();
    server.kill();
    assert!(matches!(branch.commit().await, Err(BranchError::Lost { .. })));
    server.start_again();
    assert_eq!(sql.prepared(log).await.unwrap(), [xid]);
    sql.settle(xid, Decision::Commit).await.unwrap();
    assert_eq!(csv(sql, "SELECT COUNT(*) FROM t").await.unwrap(), "1");
}
