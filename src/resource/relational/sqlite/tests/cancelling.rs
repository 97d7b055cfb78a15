use super::*;

#[tokio::test]
async fn a_runaway_query_stops_when_it_is_cancelled() {
    let database = memory();
    let (writer, mut reader) = pipe(StreamType::Rows);
    let cancel = CancellationToken::new();
    let mut query = Box::pin(database.query(Statement::new(RUNAWAY, []), writer, cancel.clone()));
    assert!(futures_util::poll!(&mut query).is_pending());
    cancel.cancel();
    assert_eq!(query.await, Err(ResourceError::Cancelled));
    assert!(reader.next().await.is_err(), "the stream is broken, not ended");
    assert_eq!(lines(&database, "SELECT 1").await, "1\n");
}

#[tokio::test]
async fn a_runaway_query_stops_when_its_reader_has_gone() {
    let database = memory();
    let (writer, reader) = pipe(StreamType::Rows);
    let mut query = Box::pin(database.query(Statement::new(RUNAWAY, []), writer, CancellationToken::new()));
    assert!(futures_util::poll!(&mut query).is_pending());
    drop(reader);
    assert_eq!(query.await, Err(ResourceError::Cancelled));
    assert_eq!(lines(&database, "SELECT 1").await, "1\n");
}

#[tokio::test]
async fn a_runaway_query_stops_when_its_future_is_dropped() {
    let database = memory();
    let (writer, mut reader) = pipe(StreamType::Rows);
    let mut query = Box::pin(database.query(Statement::new(RUNAWAY, []), writer, CancellationToken::new()));
    assert!(futures_util::poll!(&mut query).is_pending());
    drop(query);
    assert!(reader.next().await.is_err());
    assert_eq!(lines(&database, "SELECT 1").await, "1\n");
}

#[tokio::test]
async fn a_query_whose_reader_does_not_read_stops_when_it_is_cancelled() {
    let database = memory();
    let (writer, mut reader) = pipe(StreamType::Rows);
    let cancel = CancellationToken::new();
    let mut query = Box::pin(database.query(Statement::new(ENDLESS, []), writer, cancel.clone()));
    assert!(futures_util::poll!(&mut query).is_pending());
    // That this one runs on the only place shows that the other waits for its reader.
    assert_eq!(lines(&database, "SELECT 1").await, "1\n");
    cancel.cancel();
    assert_eq!(query.await, Err(ResourceError::Cancelled));
    let mut blocks = 0;
    while let Ok(Some(_)) = reader.next().await {
        blocks += 1;
    }
    assert_eq!(blocks, crate::block::PIPE_BLOCKS, "no more was made than the pipe holds");
    assert_eq!(lines(&database, "SELECT 1").await, "1\n");
}

#[tokio::test]
async fn a_query_that_waits_for_a_place_can_be_cancelled() {
    let database = memory();
    let (writer, reader) = pipe(StreamType::Rows);
    let mut first = Box::pin(database.query(Statement::new(RUNAWAY, []), writer, CancellationToken::new()));
    assert!(futures_util::poll!(&mut first).is_pending());
    let (writer, _second_reader) = pipe(StreamType::Rows);
    let cancel = CancellationToken::new();
    let mut second = Box::pin(database.query(Statement::new("SELECT 2", []), writer, cancel.clone()));
    assert!(futures_util::poll!(&mut second).is_pending());
    cancel.cancel();
    assert_eq!(second.await, Err(ResourceError::Cancelled));
    drop(reader);
    assert_eq!(first.await, Err(ResourceError::Cancelled));
    assert_eq!(lines(&database, "SELECT 1").await, "1\n");
}

#[tokio::test]
async fn a_runaway_update_stops_and_changes_nothing() {
    let database = prepared(memory(), &["CREATE TABLE t (x)"]).await;
    let cancel = CancellationToken::new();
    let sql = "INSERT INTO t WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n WHERE x < 0 OR x = 1";
    let mut running = Box::pin(database.update(sql.to_owned(), ParameterRows::one([]), cancel.clone()));
    assert!(futures_util::poll!(&mut running).is_pending());
    cancel.cancel();
    assert_eq!(running.await, Err(ResourceError::Cancelled));
    assert_eq!(lines(&database, "SELECT count(*) FROM t").await, "0\n");
    assert_eq!(update(&database, "INSERT INTO t VALUES (7)").await, Ok(1));
}

#[tokio::test]
async fn an_update_that_waits_for_its_parameters_can_be_cancelled() {
    let database = prepared(memory(), &["CREATE TABLE t (x)"]).await;
    let cancel = CancellationToken::new();
    let (sender, rows) = ParameterRows::channel();
    let mut running = Box::pin(database.update("INSERT INTO t VALUES (?)".into(), rows, cancel.clone()));
    assert!(futures_util::poll!(&mut running).is_pending());
    sender.send(vec![Parameter::Integer(1)]).await.unwrap();
    cancel.cancel();
    assert_eq!(running.await, Err(ResourceError::Cancelled));
    assert_eq!(lines(&database, "SELECT count(*) FROM t").await, "0\n");
    assert_eq!(update(&database, "INSERT INTO t VALUES (7)").await, Ok(1));
}
