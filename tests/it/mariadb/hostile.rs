//! Statements that would reach beyond themselves.

use std::time::Duration;

use rejoin::resource::relational::access::PoolSettings;
use rejoin::resource::relational::{Parameter, ProcedureCall, SqlExecutor, TableName};
use rejoin::session::{TransactionBranch, TransactionOptions};
use tokio_util::sync::CancellationToken;

use super::stage::{Stage, csv, csv_with, update};

fn alone() -> Stage {
    Stage::with(|access| access.pool = PoolSettings { size: 1, ..PoolSettings::default() })
}

#[tokio::test]
async fn a_comment_that_the_server_skips_hides_no_statement() {
    let stage = alone();
    stage.run("CREATE TABLE t (id INT, v VARCHAR(3))");
    for sql in [
        "/*!999999 INSERT */ SET SESSION sql_mode = ''",
        "/*!999999 UPDATE */ BEGIN",
        "/*!999999 DELETE */ USE mysql",
        "/*M!999999 INSERT */ LOCK TABLES t READ",
        "\u{b}USE mysql",
        "\u{b}SET SESSION sql_mode = ''",
        "\u{1}USE mysql",
    ] {
        assert_eq!(update(stage.sql(), sql, []).await.unwrap_err().code(), "SqlError", "{sql:?}");
    }
    // Whose connection was spoilt would write this elsewhere, cut it, or not at all.
    update(stage.sql(), "INSERT INTO t VALUES (1, 'abc')", []).await.unwrap();
    let error = update(stage.sql(), "INSERT INTO t VALUES (2, 'abcd')", []).await.unwrap_err();
    assert!(error.to_string().contains("too long"), "{error}");
    assert_eq!(stage.run("SELECT v FROM t"), "abc");

    let branch = stage.sql().begin(TransactionOptions::default()).await.unwrap();
    update(branch.executor(), "INSERT INTO t VALUES (3, 'c')", []).await.unwrap();
    for sql in ["/*!999999 SELECT */ COMMIT", "/*!999999 SELECT */ DELETE FROM t"] {
        assert_eq!(csv(branch.executor(), sql).await.unwrap_err().code(), "SqlError", "{sql}");
    }
    branch.rollback().await.unwrap();
    assert_eq!(stage.run("SELECT id FROM t"), "1");
}

#[tokio::test]
async fn what_a_trigger_does_to_its_session_ends_with_the_statement() {
    let stage = alone();
    let function = "CREATE FUNCTION spoil() RETURNS INT BEGIN SET SESSION time_zone = '+05:00', foreign_key_checks = 0; \
        DO GET_LOCK('held', 0); RETURN 1; END";
    update(stage.sql(), function, []).await.unwrap();
    stage.run(
        "CREATE TABLE t (id INT, m TIMESTAMP NULL); CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET NEW.id = spoil()",
    );
    update(stage.sql(), "INSERT INTO t (m) VALUES ('2026-01-01 00:00:00')", []).await.unwrap();
    assert_eq!(csv(stage.sql(), "SELECT @@foreign_key_checks").await.unwrap(), "1");
    assert_eq!(csv(stage.sql(), "SELECT CAST(m AS CHAR) FROM t").await.unwrap(), "2026-01-01 00:00:00");
    assert_eq!(stage.run("SELECT IS_FREE_LOCK('held')"), "1");
}

#[tokio::test]
async fn nobody_sees_the_warnings_of_others() {
    let stage = alone();
    assert_eq!(csv(stage.sql(), "SELECT CAST('secret' AS SIGNED)").await.unwrap(), "0");
    assert_eq!(csv(stage.sql(), "SHOW WARNINGS").await.unwrap(), "");
}

#[tokio::test]
async fn a_connection_stays_in_its_database() {
    let stage = alone();
    let other = format!("{}_other", stage.database);
    stage.run(&format!("CREATE DATABASE {other}; CREATE TABLE t (id INT)"));
    update(stage.sql(), "CREATE TEMPORARY TABLE x (id INT)", []).await.unwrap();
    assert_eq!(csv(stage.sql(), "SELECT DATABASE()").await.unwrap(), stage.database);
    stage.run(&format!("DROP DATABASE {other}"));
}

#[tokio::test]
async fn a_query_of_a_transaction_writes_by_no_function_and_no_sequence() {
    let stage = Stage::new();
    stage.run("CREATE TABLE t (id INT PRIMARY KEY); CREATE SEQUENCE s");
    for sql in [
        "CREATE FUNCTION writes(a INT) RETURNS INT BEGIN INSERT INTO t VALUES (a); RETURN a; END",
        "CREATE FUNCTION counts() RETURNS INT RETURN (SELECT COUNT(*) FROM t)",
    ] {
        update(stage.sql(), sql, []).await.unwrap();
    }
    let branch = stage.sql().begin(TransactionOptions::default()).await.unwrap();
    update(branch.executor(), "INSERT INTO t VALUES (1)", []).await.unwrap();
    for sql in
        ["SELECT writes(2)", "SELECT * FROM (SELECT writes(3)) AS x", "SELECT NEXT VALUE FOR s", "SELECT NEXTVAL(s)"]
    {
        assert_eq!(csv(branch.executor(), sql).await.unwrap_err().code(), "SqlReadOnly", "{sql}");
    }
    assert_eq!(csv(branch.executor(), "SELECT counts()").await.unwrap(), "1");
    // A statement that writes may call it.
    update(branch.executor(), "INSERT INTO t SELECT writes(4) + 1", []).await.unwrap_err();
    update(branch.executor(), "UPDATE t SET id = id WHERE id = 1", []).await.unwrap();
    branch.commit().await.unwrap();
    assert_eq!(stage.run("SELECT GROUP_CONCAT(id) FROM t"), "1");
}

async fn call(executor: &dyn SqlExecutor, name: &str) -> Result<(), rejoin::resource::ResourceError> {
    let (writer, mut reader) = rejoin::block::pipe(rejoin::block::StreamType::Rows);
    let call = ProcedureCall { name: TableName::parse(name), arguments: Vec::new() };
    let reading = async { while let Ok(Some(_)) = reader.next().await {} };
    tokio::join!(executor.call(call, writer, CancellationToken::new()), reading).0.map(drop)
}

#[tokio::test]
async fn a_procedure_that_commits_ends_the_transaction_and_all_are_told() {
    let stage = Stage::new();
    stage.run("CREATE TABLE t (id INT PRIMARY KEY)");
    for (name, body) in [("again", "COMMIT; START TRANSACTION; INSERT INTO t VALUES (99)"), ("ends", "COMMIT")] {
        stage.run("DELETE FROM t");
        update(stage.sql(), &format!("CREATE PROCEDURE {name}() BEGIN {body}; END"), []).await.unwrap();
        let branch = stage.sql().begin(TransactionOptions::default()).await.unwrap();
        update(branch.executor(), "INSERT INTO t VALUES (1)", []).await.unwrap();
        let error = call(branch.executor(), name).await.unwrap_err();
        assert!(error.to_string().contains("ended the transaction"), "{error}");
        // It is not said that all was taken back, and nobody is told to try again.
        let error = update(branch.executor(), "INSERT INTO t VALUES (2)", []).await.unwrap_err();
        assert!(error.to_string().contains("may have been committed") && !error.is_retryable(), "{error}");
        assert!(branch.ended().is_some());
        assert!(branch.rollback().await.is_err());
        drop(branch);
        // This waits for what the procedure began.
        update(stage.sql(), "DELETE FROM t WHERE id = 99", []).await.unwrap();
        assert_eq!(stage.run("SELECT GROUP_CONCAT(id) FROM t"), "1", "{name}");
    }
}

#[tokio::test]
async fn tables_with_the_name_of_a_word_are_dropped_outside_of_a_transaction() {
    let stage = Stage::new();
    stage.run("CREATE TABLE temporary (id INT)");
    let branch = stage.sql().begin(TransactionOptions::default()).await.unwrap();
    update(branch.executor(), "INSERT INTO temporary VALUES (1)", []).await.unwrap();
    let error = update(branch.executor(), "DROP TABLE temporary", []).await.unwrap_err();
    assert!(error.to_string().contains("commits the transaction"), "{error}");
    update(branch.executor(), "CREATE TEMPORARY TABLE x (id INT)", []).await.unwrap();
    branch.rollback().await.unwrap();
    assert_eq!(stage.run("SELECT COUNT(*) FROM temporary"), "0");
}

#[tokio::test]
async fn what_is_too_large_for_the_server_is_the_affair_of_who_sends_it() {
    let stage = Stage::new();
    stage.run("CREATE TABLE t (v LONGTEXT)");
    let most: usize = stage.run("SELECT @@max_allowed_packet").parse().unwrap();
    let large = || Parameter::from("x".repeat(most).as_str());
    let error = csv_with(stage.sql(), "SELECT LENGTH(?)", [large()]).await.unwrap_err();
    assert!(error.code() == "SqlError" && error.to_string().contains("max_allowed_packet"), "{error}");
    let branch = stage.sql().begin(TransactionOptions::default()).await.unwrap();
    for executor in [stage.sql() as &dyn SqlExecutor, branch.executor()] {
        let error = update(executor, "INSERT INTO t VALUES (?)", [large()]).await.unwrap_err();
        assert_eq!(error.code(), "SqlError");
        let fits = Parameter::from("x".repeat(most - 1000).as_str());
        update(executor, "INSERT INTO t VALUES (?)", [fits]).await.unwrap();
    }
    branch.commit().await.unwrap();
    assert_eq!(csv(stage.sql(), "SELECT COUNT(*) FROM t").await.unwrap(), "2");
}

#[tokio::test]
async fn an_update_that_was_done_is_not_said_to_have_been_stopped() {
    let stage = Stage::with(|access| access.statement_timeout = Some(Duration::from_millis(20)));
    stage.run(
        "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, n INT); CREATE TABLE u (n INT); INSERT INTO u VALUES (0)",
    );
    // It ends about when its time does; whichever comes first, the answer and the table agree.
    let mut done = 0;
    for step in 0..60 {
        let sql = format!("INSERT INTO t (n) SELECT SLEEP({})", 0.016 + f64::from(step % 8) * 0.001);
        match update(stage.sql(), &sql, []).await {
            Ok(count) => done += count,
            Err(error) => assert_eq!(error.code(), "SqlTimedOut", "{error}"),
        }
    }
    assert_eq!(stage.run("SELECT COUNT(*) FROM t"), done.to_string());

    let branch = stage.sql().begin(TransactionOptions::default()).await.unwrap();
    let mut done = 0;
    for step in 0..60 {
        let sql = format!("UPDATE u SET n = n + 1 + SLEEP({})", 0.016 + f64::from(step % 8) * 0.001);
        match update(branch.executor(), &sql, []).await {
            Ok(count) => done += count,
            Err(error) => assert_eq!(error.code(), "SqlTimedOut", "{error}"),
        }
    }
    branch.commit().await.unwrap();
    assert_eq!(stage.run("SELECT n FROM u"), done.to_string());
}

#[tokio::test]
async fn bits_that_an_expression_gives_are_right_or_refused() {
    let stage = Stage::new();
    stage.run("CREATE TABLE t (a BIT(1), b BIT(8)); INSERT INTO t VALUES (0, 200), (0, 7)");
    let error = csv(stage.sql(), "SELECT MAX(b) FROM t").await.unwrap_err();
    assert!(error.code() == "SqlUnsupported" && error.to_string().contains("CAST(MAX(b) AS UNSIGNED)"), "{error}");
    assert_eq!(csv(stage.sql(), "SELECT CAST(MAX(b) AS UNSIGNED), b FROM t").await.unwrap(), "200,200");
    assert_eq!(csv(stage.sql(), "SELECT x.m FROM (SELECT MAX(b) AS m FROM t) AS x").await.unwrap(), "200");
    for (sql, expected) in [("SELECT MAX(a) FROM t", false), ("SELECT MAX(a) FROM t UNION SELECT a FROM t", false)] {
        let blocks = super::stage::blocks(stage.sql(), sql, []).await.unwrap();
        let column = arrow_array::cast::AsArray::as_boolean(blocks[0].column(0));
        assert_eq!(column.value(0), expected, "{sql}");
    }
}
