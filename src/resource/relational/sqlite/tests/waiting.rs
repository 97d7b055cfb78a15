use parking_lot::Mutex;

use super::*;

/// Notes who ran, in which order.
type Order = Arc<Mutex<Vec<u32>>>;

async fn note(pool: &Arc<Pool>, order: &Order, name: u32) -> Result<(), ResourceError> {
    let order = Arc::clone(order);
    let work = move |_: &mut pool::Runner| {
        order.lock().push(name);
        Ok(())
    };
    pool.read(&CancellationToken::new(), work).await
}

#[tokio::test]
async fn who_waits_for_a_place_gets_it_in_the_order_of_arrival() {
    let database = memory();
    let order = Order::default();
    let (release, held) = std::sync::mpsc::channel::<()>();
    let cancel = CancellationToken::new();
    let holder = database.pool.read(&cancel, move |_| held.recv().map_err(|_| ResourceError::Cancelled));
    let mut holder = Box::pin(holder);
    assert!(futures_util::poll!(&mut holder).is_pending());
    let mut waiting = Vec::new();
    for name in 1..=5 {
        let mut waiter = Box::pin(note(&database.pool, &order, name));
        assert!(futures_util::poll!(&mut waiter).is_pending());
        waiting.push(waiter);
    }
    assert!(order.lock().is_empty());
    release.send(()).unwrap();
    holder.await.unwrap();
    for waiter in waiting {
        waiter.await.unwrap();
    }
    assert_eq!(*order.lock(), [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_query_that_waited_for_its_reader_goes_on_where_it_was() {
    let database = memory();
    let (writer, mut reader) = pipe(StreamType::Rows);
    let statement = Statement::new(format!("{ENDLESS} LIMIT 20000"), []);
    let mut query = Box::pin(database.query(statement, writer, CancellationToken::new()));
    assert!(futures_util::poll!(&mut query).is_pending());
    let read = async {
        let mut rows = 0;
        while let Ok(Some(Block::Rows(block))) = reader.next().await {
            rows += block.num_rows();
            // Another one runs between any two blocks.
            assert_eq!(lines(&database, "SELECT 1").await, "1\n");
        }
        rows
    };
    let (end, rows) = tokio::join!(query, read);
    assert_eq!((end, rows), (Ok(QueryEnd { rows: 20_000 }), 20_000));
}

#[tokio::test]
async fn queries_that_wait_for_their_readers_do_not_starve_others() {
    let database = memory();
    let mut stalled = Vec::new();
    for _ in 0..7 {
        let (writer, reader) = pipe(StreamType::Rows);
        let mut query = Box::pin(database.query(Statement::new(ENDLESS, []), writer, CancellationToken::new()));
        assert!(futures_util::poll!(&mut query).is_pending());
        stalled.push((query, reader));
    }
    assert_eq!(lines(&database, "SELECT 1").await, "1\n");
    for (query, reader) in stalled {
        drop(reader);
        assert_eq!(query.await, Err(ResourceError::Cancelled));
    }
    assert_eq!(lines(&database, "SELECT 1").await, "1\n");
}

#[tokio::test]
async fn a_fault_in_one_query_leaves_its_place_to_the_next() {
    let database = memory();
    let cancel = CancellationToken::new();
    let fault = database.pool.read::<()>(&cancel, |_| panic!("a fault, for the test"));
    let mut fault = Box::pin(fault);
    assert!(futures_util::poll!(&mut fault).is_pending());
    let next = lines(&database, "SELECT 1");
    let (fault, next) = tokio::join!(fault, next);
    assert!(matches!(fault, Err(ResourceError::Unavailable { .. })), "{fault:?}");
    assert_eq!(next, "1\n");
}

#[tokio::test]
async fn a_query_beyond_the_limit_runs_when_another_is_done() {
    let patient =
        SqliteSettings { open_queries: OpenQueries::at_most(2), busy_timeout: Duration::from_mins(1), ..one_place() };
    // The bound is one for several databases.
    let databases = [(); 2].map(|()| {
        let address = SqliteAddress { location: SqliteLocation::Memory, mode: SqliteMode::Create };
        SqliteResource::new(address, &patient)
    });
    let mut stalled = Vec::new();
    for database in &databases {
        let (writer, reader) = pipe(StreamType::Rows);
        let mut query = Box::pin(database.query(Statement::new(ENDLESS, []), writer, CancellationToken::new()));
        assert!(futures_util::poll!(&mut query).is_pending());
        stalled.push((query, reader));
    }
    let (writer, mut reader) = pipe(StreamType::Rows);
    let mut third = Box::pin(databases[0].query(Statement::new("SELECT 1", []), writer, CancellationToken::new()));
    assert!(futures_util::poll!(&mut third).is_pending());
    // What only looks whether the database answers needs not wait.
    databases[0].health().await.unwrap();
    assert!(futures_util::poll!(&mut third).is_pending());
    let (query, other_reader) = stalled.pop().unwrap();
    drop(other_reader);
    assert_eq!(query.await, Err(ResourceError::Cancelled));
    assert_eq!(third.await, Ok(QueryEnd { rows: 1 }));
    assert!(matches!(reader.next().await, Ok(Some(_))));
}

#[tokio::test]
async fn a_statement_goes_on_after_its_memory_was_released() {
    let folder = tempfile::tempdir().unwrap();
    let filled = format!("INSERT INTO t {ENDLESS} LIMIT 5000");
    prepared(on_disk(&folder, SqliteMode::Create), &["CREATE TABLE t (x)", &filled]).await;
    let target = Target {
        path: folder.path().join("test.db"),
        in_memory: false,
        mode: SqliteMode::ReadOnly,
        busy_timeout: Duration::ZERO,
    };
    let connection = SqliteConnection::open(&target, authorizer::Purpose::Read).unwrap();
    let mut statement = connection.prepare("SELECT x FROM t").unwrap();
    let mut rows = statement.query([]).unwrap();
    for expected in 1..=5000 {
        assert_eq!(rows.next().unwrap().unwrap().get(0), Ok(expected));
        if expected % 1000 == 0 {
            connection.release_memory();
        }
    }
    assert!(rows.next().unwrap().is_none());
}
