//! Queries and updates on connections of the pool.

use rejoin::resource::ResourceError;
use rejoin::resource::relational::{Parameter, ParameterRows};
use tokio_util::sync::CancellationToken;

use super::stage::{Stage, blocks, csv, csv_with, update};

#[tokio::test]
async fn what_an_update_wrote_a_query_reads() {
    let stage = Stage::new();
    update(stage.sql(), "CREATE TABLE town (id INT PRIMARY KEY, name VARCHAR(20))", []).await.unwrap();
    let insert = "INSERT INTO town VALUES (?, ?)";
    assert_eq!(update(stage.sql(), insert, [1.into(), "Perth".into()]).await.unwrap(), 1);
    assert_eq!(csv(stage.sql(), "SELECT * FROM town").await.unwrap(), "1,Perth");
    let none = blocks(stage.sql(), "SELECT * FROM town WHERE id = 2", []).await.unwrap();
    assert_eq!((none.len(), none[0].num_rows(), none[0].num_columns()), (1, 0, 2));
    assert_eq!(stage.resource.product().name, "MariaDB");
    assert!(stage.resource.product().version.starts_with("10."));
    stage.resource.health().await.unwrap();
}

#[tokio::test]
async fn text_is_compared_by_the_type_of_the_other_side() {
    let stage = Stage::new();
    stage.run(
        "CREATE TABLE t (id BIGINT, d DATE, n VARCHAR(9) COLLATE utf8mb4_unicode_ci, l VARCHAR(9) CHARACTER SET latin1);
         INSERT INTO t VALUES (9007199254740993, '2026-01-01', 'x', 'ø'), (9007199254740992, '2026-01-02', '0131', 'e')",
    );
    for (condition, parameter, found) in [
        ("id = ?", "9007199254740993", "9007199254740993"),
        ("d = ?", "2026-01-02", "9007199254740992"),
        ("d > ?", "2026-01-01", "9007199254740992"),
        ("n = ?", "X", "9007199254740993"),
        ("n = ?", "0131", "9007199254740992"),
        ("n = ?", "131", ""),
        ("l = ?", "ø", "9007199254740993"),
    ] {
        let sql = format!("SELECT id FROM t WHERE {condition}");
        assert_eq!(csv_with(stage.sql(), &sql, [parameter.into()]).await.unwrap(), found, "{condition} {parameter}");
    }
}

#[tokio::test]
async fn a_query_can_not_write() {
    let stage = Stage::new();
    stage.run("CREATE TABLE t (id INT); CREATE SEQUENCE s");
    let function = "CREATE FUNCTION f() RETURNS INT BEGIN INSERT INTO t VALUES (7); RETURN 1; END";
    update(stage.sql(), function, []).await.unwrap();
    for sql in [
        "INSERT INTO t VALUES (1)",
        "INSERT INTO t VALUES (1) RETURNING id",
        "DELETE FROM t RETURNING id",
        "SELECT f()",
        "SELECT * FROM (SELECT f()) AS x",
        "SELECT NEXTVAL(s)",
        "SELECT 1 INTO OUTFILE '/tmp/never'",
        "/*! INSERT INTO t VALUES (1) */",
        "SET SESSION TRANSACTION READ WRITE",
        "CALL p()",
        "DROP TABLE t",
    ] {
        let error = csv(stage.sql(), sql).await.unwrap_err();
        assert_eq!(error.code(), "SqlReadOnly", "{sql}: {error}");
    }
    assert_eq!(stage.run("SELECT COUNT(*) FROM t"), "0");
}

#[tokio::test]
async fn wrong_statements_are_the_clients_affair() {
    let stage = Stage::new();
    stage.run("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)");
    for (sql, state, says) in [
        ("SELECT * FROM nothing", "42S02", "nothing"),
        ("SELEC 1", "", "only"),
        ("SELECT 1; SELECT 2", "42000", "Only one statement"),
        ("SELECT nope FROM t", "42S22", "nope"),
    ] {
        match csv(stage.sql(), sql).await.unwrap_err() {
            ResourceError::Sql { message, code, .. } => {
                assert_eq!(code, state, "{sql}");
                assert!(message.contains(says), "{message}");
            }
            ResourceError::ReadOnly { .. } if sql == "SELEC 1" => {}
            other => panic!("{sql}: {other:?}"),
        }
    }
    let error = csv_with(stage.sql(), "SELECT id FROM t WHERE id = ?", []).await.unwrap_err();
    assert_eq!(error.to_string(), "the statement has 1 parameter, but 0 were given");
    let error = update(stage.sql(), "INSERT INTO t VALUES (?)", [1.into()]).await.unwrap_err();
    assert!(matches!(&error, ResourceError::Sql { code, .. } if code == "23000"), "{error:?}");
    let error = update(stage.sql(), "SELECT id FROM t", []).await.unwrap_err();
    assert_eq!(error.to_string(), "the statement only reads; use a query statement");
}

#[tokio::test]
async fn an_update_of_many_rows_is_done_whole_or_not_at_all() {
    let stage = Stage::new();
    stage.run("CREATE TABLE t (id INT PRIMARY KEY)");
    for (last, changed) in [(3, Some(4)), (0, None)] {
        let (sender, rows) = ParameterRows::channel();
        let sending = async {
            for id in [10 * last, 10 * last + 1, 10 * last + 2, last] {
                let _ = sender.send(vec![Parameter::Integer(id)]).await;
            }
            sender.finish().await;
        };
        let sql = "INSERT INTO t VALUES (?)".to_owned();
        let (done, ()) = tokio::join!(stage.sql().update(sql, rows, CancellationToken::new()), sending);
        assert_eq!(done.as_ref().ok().copied(), changed, "{done:?}");
    }
    assert_eq!(stage.run("SELECT GROUP_CONCAT(id ORDER BY id) FROM t"), "3,30,31,32");
}

#[tokio::test]
async fn a_large_result_comes_in_blocks_of_which_the_first_is_small() {
    let stage = Stage::new();
    let rows = blocks(stage.sql(), "SELECT seq, REPEAT('x', 50) FROM seq_1_to_5000", []).await.unwrap();
    let sizes: Vec<usize> = rows.iter().map(arrow_array::RecordBatch::num_rows).collect();
    assert_eq!(sizes, [64, 1024, 1024, 1024, 1024, 840]);
}
