use super::*;

#[tokio::test]
async fn an_update_gives_the_number_of_changed_rows() {
    let database = memory();
    assert_eq!(update(&database, "CREATE TABLE t (x INTEGER PRIMARY KEY)").await, Ok(0));
    assert_eq!(update(&database, "INSERT INTO t VALUES (1), (2), (3)").await, Ok(3));
    assert_eq!(update(&database, "CREATE INDEX i ON t (x)").await, Ok(0));
    assert_eq!(update(&database, "DELETE FROM t WHERE x = 9").await, Ok(0));
    assert_eq!(update(&database, "UPDATE t SET x = x + 10 RETURNING x").await, Ok(3));
    assert_eq!(update(&database, "DELETE FROM t").await, Ok(3));
}

#[tokio::test]
async fn an_update_runs_for_every_row_of_parameters() {
    let database = prepared(memory(), &["CREATE TABLE t (x INTEGER PRIMARY KEY, y TEXT)"]).await;
    let (sender, rows) = ParameterRows::channel();
    let send = async {
        for x in 0..1000 {
            sender.send(vec![Parameter::Integer(x), Parameter::from("y")]).await.unwrap();
        }
        sender.finish().await;
    };
    let running = database.update("INSERT INTO t VALUES (?, ?)".into(), rows, CancellationToken::new());
    let (changed, ()) = tokio::join!(running, send);
    assert_eq!(changed, Ok(1000));
    assert_eq!(lines(&database, "SELECT count(*), sum(x) FROM t").await, "1000,499500\n");
}

#[tokio::test]
async fn rows_of_parameters_take_effect_all_or_none() {
    let database = prepared(memory(), &["CREATE TABLE t (x INTEGER PRIMARY KEY)"]).await;
    let insert = |rows| database.update("INSERT INTO t VALUES (?)".into(), rows, CancellationToken::new());

    let (sender, rows) = ParameterRows::channel();
    for x in [1, 2, 1] {
        sender.send(vec![Parameter::Integer(x)]).await.unwrap();
    }
    sender.finish().await;
    let ResourceError::Sql { message, code, .. } = insert(rows).await.unwrap_err() else { panic!("expected SQL") };
    assert_eq!((message.as_str(), code.as_ref()), ("UNIQUE constraint failed: t.x", "SQLITE_CONSTRAINT_PRIMARYKEY"));

    // A source that breaks off.
    let (sender, rows) = ParameterRows::channel();
    sender.send(vec![Parameter::Integer(1)]).await.unwrap();
    drop(sender);
    assert_eq!(insert(rows).await, Err(ResourceError::Cancelled));

    // None at all.
    let (sender, rows) = ParameterRows::channel();
    sender.finish().await;
    assert_eq!(insert(rows).await, Ok(0));
    assert_eq!(lines(&database, "SELECT count(*) FROM t").await, "0\n");
}

#[tokio::test]
async fn an_update_that_waits_for_its_parameters_keeps_nobody_from_writing() {
    let database = prepared(memory(), &["CREATE TABLE t (x)"]).await;
    let (sender, rows) = ParameterRows::channel();
    let mut fed = Box::pin(database.update("INSERT INTO t VALUES (?)".into(), rows, CancellationToken::new()));
    for x in 1..=2 {
        assert!(futures_util::poll!(&mut fed).is_pending());
        assert_eq!(update(&database, "INSERT INTO t VALUES ('other')").await, Ok(1));
        sender.send(vec![Parameter::Integer(x)]).await.unwrap();
    }
    let end = async {
        // The count of another update, as in a request where one feeds the other.
        let changed = update(&database, "UPDATE t SET x = x").await.unwrap();
        sender.send(vec![Parameter::from(changed.to_string().as_str())]).await.unwrap();
        sender.finish().await;
    };
    let (changed, ()) = tokio::join!(fed, end);
    assert_eq!(changed, Ok(3));
    assert_eq!(lines(&database, "SELECT x FROM t").await, "other\nother\n1\n2\n2\n");
}

#[tokio::test]
async fn more_parameters_than_memory_is_kept_for_take_effect_all_or_none() {
    let database = prepared(memory(), &["CREATE TABLE t (x)"]).await;
    let megabyte = "x".repeat(1024 * 1024);
    for complete in [false, true] {
        let (sender, rows) = ParameterRows::channel();
        for _ in 0..12 {
            sender.send(vec![Parameter::from(megabyte.as_str())]).await.unwrap();
        }
        if complete {
            sender.finish().await;
        } else {
            drop(sender);
        }
        let changed = database.update("INSERT INTO t VALUES (?)".into(), rows, CancellationToken::new()).await;
        assert_eq!(changed, if complete { Ok(12) } else { Err(ResourceError::Cancelled) });
        let count = if complete { "12\n" } else { "0\n" };
        assert_eq!(lines(&database, "SELECT count(*) FROM t").await, count);
    }
}

#[tokio::test]
async fn foreign_keys_hold() {
    let database = prepared(
        memory(),
        &["CREATE TABLE town (id INTEGER PRIMARY KEY)", "CREATE TABLE road (town INTEGER REFERENCES town (id))"],
    )
    .await;
    let error = update(&database, "INSERT INTO road VALUES (1)").await.unwrap_err();
    assert!(matches!(error, ResourceError::Sql { code, .. } if code == "SQLITE_CONSTRAINT_FOREIGNKEY"));
}

#[tokio::test]
async fn a_file_is_created_only_when_asked_and_never_written_when_not() {
    let folder = tempfile::tempdir().unwrap();
    let missing = update(&on_disk(&folder, SqliteMode::ReadWrite), "CREATE TABLE t (x)").await.unwrap_err();
    let ResourceError::Unavailable { message } = missing else { panic!("expected Unavailable: {missing:?}") };
    assert_eq!(message.matches("test.db").count(), 1, "{message}");

    let created =
        prepared(on_disk(&folder, SqliteMode::Create), &["CREATE TABLE t (x)", "INSERT INTO t VALUES (1)"]).await;
    assert_eq!(lines(&created, "SELECT x FROM t").await, "1\n");

    let read_only = on_disk(&folder, SqliteMode::ReadOnly);
    assert_eq!(lines(&read_only, "SELECT x FROM t").await, "1\n");
    let error = update(&read_only, "INSERT INTO t VALUES (2)").await.unwrap_err();
    assert!(matches!(error, ResourceError::ReadOnly { .. }), "{error:?}");
}

#[tokio::test]
async fn readers_and_the_writer_do_not_wait_for_one_another() {
    let folder = tempfile::tempdir().unwrap();
    let database = prepared(on_disk(&folder, SqliteMode::Create), &["CREATE TABLE t (y)"]).await;
    let (writer, mut reader) = pipe(StreamType::Rows);
    let endless = Statement::new(format!("{ENDLESS} LEFT JOIN t ON false"), []);
    let mut reading = Box::pin(database.query(endless, writer, CancellationToken::new()));
    assert!(futures_util::poll!(&mut reading).is_pending());
    reader.next().await.unwrap();
    assert_eq!(update(&database, "INSERT INTO t VALUES (1)").await, Ok(1));
    assert_eq!(lines(&database, "SELECT y FROM t").await, "1\n");
}

#[tokio::test]
async fn a_lock_of_another_program_is_busy_after_the_time_out() {
    let folder = tempfile::tempdir().unwrap();
    let database = prepared(on_disk(&folder, SqliteMode::Create), &["CREATE TABLE t (x)"]).await;
    let other = rusqlite::Connection::open(folder.path().join("test.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let since = std::time::Instant::now();
    let error = update(&database, "INSERT INTO t VALUES (1)").await.unwrap_err();
    assert!(matches!(error, ResourceError::Busy { .. }) && error.is_retryable(), "{error:?}");
    assert!(since.elapsed() >= one_place().busy_timeout, "it waited for the lock");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(update(&database, "INSERT INTO t VALUES (1)").await, Ok(1));
}

#[tokio::test]
async fn databases_in_memory_are_apart() {
    let (one, other) = (memory(), memory());
    update(&one, "CREATE TABLE t (x)").await.unwrap();
    assert_eq!(lines(&one, "SELECT count(*) FROM t").await, "0\n");
    assert!(blocks(&other, "SELECT count(*) FROM t", []).await.is_err());
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_was_replaced_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let filled = ["CREATE TABLE t (x)", "INSERT INTO t VALUES ('old')"];
    let database = prepared(on_disk(&folder, SqliteMode::Create), &filled).await;
    assert_eq!(lines(&database, "SELECT x FROM t").await, "old\n");
    for name in ["test.db", "test.db-wal", "test.db-shm"] {
        std::fs::remove_file(folder.path().join(name)).unwrap();
    }
    assert_eq!(update(&database, "CREATE TABLE t (x)").await, Ok(0));
    assert_eq!(update(&database, "INSERT INTO t VALUES ('new')").await, Ok(1));
    assert_eq!(lines(&database, "SELECT x FROM t").await, "new\n");
}
