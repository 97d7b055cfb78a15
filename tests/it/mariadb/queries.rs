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

/// An update with these rows of parameters.
async fn many(stage: &Stage, sql: &str, rows: Vec<Vec<Parameter>>) -> Result<u64, ResourceError> {
    let (sender, receiver) = ParameterRows::channel();
    let sending = async {
        for row in rows {
            let _ = sender.send(row).await;
        }
        sender.finish().await;
    };
    tokio::join!(stage.sql().update(sql.into(), receiver, CancellationToken::new()), sending).0
}

#[tokio::test]
async fn rows_that_go_together_do_what_they_do_one_by_one() {
    let stage = Stage::new();
    stage.run(
        "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(10), d DECIMAL(30,2)); CREATE TABLE log (id INT);
         CREATE TRIGGER r AFTER INSERT ON t FOR EACH ROW INSERT INTO log VALUES (NEW.id)",
    );
    let insert = "INSERT INTO t VALUES (?, ?, ?)";
    // Types change on the way, and NULL goes with all of them.
    let row = |id: i64| match id % 4 {
        0 => vec![id.into(), Parameter::Null, Parameter::Null],
        1 => vec![id.into(), "a".into(), "12345678901234567.89".into()],
        2 => vec![id.to_string().as_str().into(), 5.into(), Parameter::Null],
        _ => vec![id.into(), Parameter::Boolean(true), Parameter::Real(0.5)],
    };
    assert_eq!(many(&stage, insert, (0..40).map(row).collect()).await, Ok(40));
    let plain = |id: i64| vec![Parameter::Integer(id), "b".into(), Parameter::Null];
    assert_eq!(many(&stage, insert, (40..2540).map(plain).collect()).await, Ok(2500));
    assert_eq!(
        stage.run("SELECT COUNT(*), SUM(id), COUNT(v), SUM(v = '5'), SUM(v = '1'), SUM(d) FROM t"),
        "2540\t3224530\t2530\t10\t10\t123456789012345683.90"
    );
    assert_eq!(stage.run("SELECT COUNT(DISTINCT id) FROM log"), "2540");

    // Each counts the rows that it found, whether it changed them or not.
    let ids = |range: std::ops::Range<i64>| range.map(|id| vec![Parameter::Integer(id)]).collect::<Vec<_>>();
    assert_eq!(many(&stage, "UPDATE t SET v = 'b' WHERE id = ?", ids(2530..2560)).await, Ok(10));
    let twice = vec![vec![Parameter::Integer(1), Parameter::Integer(20)]; 3];
    assert_eq!(many(&stage, "UPDATE t SET v = 'c' WHERE id BETWEEN ? AND ?", twice).await, Ok(60));
    assert_eq!(many(&stage, "DELETE FROM t WHERE id > ?", ids(2499..2505)).await, Ok(40));
    let upsert = "INSERT INTO t (id) VALUES (?) ON DUPLICATE KEY UPDATE v = 'd'";
    let one_by_one: u64 = {
        stage.run("CREATE TABLE u LIKE t; INSERT INTO u SELECT * FROM t");
        let mut changed = 0;
        for id in 2490..2510_i64 {
            changed += update(stage.sql(), &upsert.replace("INTO t", "INTO u"), [id.into()]).await.unwrap();
        }
        changed
    };
    assert_eq!(many(&stage, upsert, ids(2490..2510)).await, Ok(one_by_one));
    assert_eq!(
        stage.run("SELECT COUNT(*) FROM t JOIN u USING (id) WHERE t.v <=> u.v"),
        stage.run("SELECT COUNT(*) FROM t")
    );
    assert_eq!(many(&stage, "INSERT INTO log SELECT id FROM t WHERE id = ?", ids(1..4)).await, Ok(3));
    assert_eq!(many(&stage, "REPLACE INTO t (id) VALUES (?) RETURNING id", ids(3000..3003)).await, Ok(3));
    assert_eq!(
        many(&stage, "INSERT INTO log VALUES (?)", vec![vec![1.into()], vec![]]).await.unwrap_err().code(),
        "SqlError"
    );

    let before = stage.run("SELECT COUNT(*), SUM(id) FROM t");
    let bad = (4000..6000).map(|id| plain(if id == 5500 { 1 } else { id })).collect();
    assert_eq!(many(&stage, insert, bad).await.unwrap_err().code(), "SqlError");
    assert_eq!(stage.run("SELECT COUNT(*), SUM(id) FROM t"), before);
}

#[tokio::test]
async fn a_large_result_comes_in_blocks_of_which_the_first_is_small() {
    let stage = Stage::new();
    let rows = blocks(stage.sql(), "SELECT seq, REPEAT('x', 50) FROM seq_1_to_5000", []).await.unwrap();
    let sizes: Vec<usize> = rows.iter().map(arrow_array::RecordBatch::num_rows).collect();
    assert_eq!(sizes, [64, 1024, 1024, 1024, 1024, 840]);
}
