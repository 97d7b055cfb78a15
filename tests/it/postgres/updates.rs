//! Updates: all rows of parameters or none.

use rejoin::resource::ResourceError;
use rejoin::resource::relational::{Parameter, ParameterRows};
use tokio_util::sync::CancellationToken;

use super::{Database, new_database};

/// Runs an update with rows of one parameter each; says whether the rows are complete.
async fn update_many(database: &Database, sql: &str, rows: &[&str], is_complete: bool) -> Result<u64, ResourceError> {
    let (sender, parameters) = ParameterRows::channel();
    let feeding = async move {
        for row in rows {
            if sender.send(vec![Parameter::from(*row)]).await.is_err() {
                return;
            }
        }
        if is_complete {
            sender.finish().await;
        }
    };
    let (changed, ()) =
        tokio::join!(database.sql().update(sql.to_owned(), parameters, CancellationToken::new()), feeding);
    changed
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_runs_once_for_each_row_of_parameters() {
    let database = new_database();
    database.psql("CREATE TABLE t (n integer UNIQUE)");
    let insert = "INSERT INTO t VALUES (?)";
    let numbers: Vec<String> = (1..=1000).map(|number| number.to_string()).collect();
    let rows: Vec<&str> = numbers.iter().map(String::as_str).collect();
    assert_eq!(update_many(&database, insert, &rows, true).await, Ok(1000));
    assert_eq!(update_many(&database, insert, &[], true).await, Ok(0));
    assert_eq!(database.update("UPDATE t SET n = n + 5000 WHERE n > ?", ["990".into()]).await, Ok(10));
    assert_eq!(database.psql("SELECT count(*) || ' ' || max(n) FROM t"), "1000 6000");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_fails_has_changed_nothing() {
    let database = new_database();
    database.psql("CREATE TABLE t (n integer UNIQUE DEFERRABLE INITIALLY DEFERRED, CHECK (n < 100))");
    let insert = "INSERT INTO t VALUES (?)";
    for (rows, is_complete, code) in [
        (&["1", "2", "three"][..], true, "SqlError"),
        (&["1", "2", "300"], true, "SqlError"),
        (&["1", "2"], false, "Cancelled"),
        (&["1", "2", "1"], true, "SqlError"),
        (&["1", "a\0"], true, "SqlError"),
    ] {
        let error = update_many(&database, insert, rows, is_complete).await.unwrap_err();
        assert_eq!(error.code(), code, "{rows:?}: {error}");
        assert_eq!(database.psql("SELECT count(*) FROM t"), "0");
    }
    let error = database.update("INSERT INTO t VALUES (1), (1)", []).await.unwrap_err();
    assert!(matches!(&error, ResourceError::Sql { code, .. } if code == "23505"), "{error:?}");
    assert!(error.to_string().contains("Key (n)=(1) already exists"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_update_gives_is_not_counted_as_changed() {
    let database = new_database();
    database.psql("CREATE TABLE t (n integer)");
    for (sql, changed) in [
        ("INSERT INTO t VALUES (1), (2) RETURNING n", 2),
        ("WITH a AS (SELECT 3 AS n) INSERT INTO t SELECT n FROM a", 1),
        ("CREATE TABLE u AS SELECT * FROM t", 3),
        ("SELECT * FROM t", 0),
        ("DO $$ BEGIN DELETE FROM t; END $$", 0),
        ("TRUNCATE t", 0),
    ] {
        assert_eq!(database.update(sql, []).await, Ok(changed), "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_the_right_is_denied() {
    let database = new_database();
    let error =
        database.update("DO $$ BEGIN SET LOCAL ROLE pg_monitor; CREATE TABLE public.x (n integer); END $$", []).await;
    assert!(matches!(error, Err(ResourceError::Denied { .. })), "{error:?}");
}
