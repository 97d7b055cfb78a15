//! Cursors: rows as they are wanted.

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use rejoin::block::{StreamType, pipe};
use rejoin::resource::ResourceError;
use rejoin::resource::relational::{
    CursorOptions, Fetch, FetchEnd, FetchFrom, Parameter, RowCursor, SqlExecutor, Statement,
};
use rejoin::session::{TransactionBranch, TransactionOptions};
use tokio_util::sync::CancellationToken;

use super::{new_database, query, read_all, update};

async fn open(
    sql: &(impl SqlExecutor + ?Sized),
    text: &str,
    parameters: Vec<Parameter>,
    scrollable: bool,
) -> Box<dyn RowCursor> {
    let options = CursorOptions { scrollable };
    sql.open_cursor(Statement::new(text, parameters), options, CancellationToken::new()).await.unwrap()
}

/// Fetches rows of one number each.
async fn fetch(cursor: &dyn RowCursor, from: FetchFrom, rows: u64) -> Result<(Vec<i32>, FetchEnd), ResourceError> {
    let (writer, reader) = pipe(StreamType::Rows);
    let (end, blocks) =
        tokio::join!(cursor.fetch(Fetch { from, rows }, writer, CancellationToken::new()), read_all(reader));
    let end = end?;
    let blocks = blocks.unwrap();
    assert!(!blocks.is_empty());
    let numbers =
        blocks.iter().flat_map(|block| block.column(0).as_primitive::<Int32Type>().values().to_vec()).collect();
    Ok((numbers, end))
}

const NUMBERS: &str = "SELECT g, '10.0.0.1'::inet FROM generate_series(1, ?::integer) g";

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_fetched_as_they_are_wanted() {
    let database = new_database();
    let cursor = open(database.sql(), NUMBERS, vec![Parameter::Integer(10_000)], false).await;
    assert_eq!(
        fetch(&*cursor, FetchFrom::Next, 3).await.unwrap(),
        (vec![1, 2, 3], FetchEnd { rows: 3, at_end: false })
    );
    assert_eq!(fetch(&*cursor, FetchFrom::Next, 1).await.unwrap().0, [4]);
    let (numbers, end) = fetch(&*cursor, FetchFrom::Next, 20_000).await.unwrap();
    assert_eq!((numbers.len(), numbers[0], end), (9996, 5, FetchEnd { rows: 9996, at_end: true }));
    assert_eq!(fetch(&*cursor, FetchFrom::Next, 1).await.unwrap(), (vec![], FetchEnd { rows: 0, at_end: true }));
    let error = fetch(&*cursor, FetchFrom::Absolute(1), 1).await.unwrap_err();
    assert!(matches!(error, ResourceError::Unsupported { .. }));
    cursor.close().await.unwrap();
    cursor.close().await.unwrap();
    assert!(fetch(&*cursor, FetchFrom::Next, 1).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_can_go_back_and_jump() {
    let database = new_database();
    let cursor = open(database.sql(), NUMBERS, vec![Parameter::Integer(10)], true).await;
    for (from, rows, numbers) in [
        (FetchFrom::Absolute(8), 2, vec![8, 9]),
        (FetchFrom::Relative(-4), 3, vec![6, 7, 8]),
        (FetchFrom::Next, 9, vec![9, 10]),
        (FetchFrom::Relative(-1), 2, vec![10]),
        (FetchFrom::Absolute(1), 1, vec![1]),
        (FetchFrom::Relative(2), 1, vec![4]),
        (FetchFrom::Relative(-100), 1, vec![1]),
        (FetchFrom::Absolute(100), 1, vec![]),
        (FetchFrom::Absolute(i32::MAX as u64), 1, vec![]),
        (FetchFrom::Absolute(2), 1, vec![2]),
    ] {
        assert_eq!(fetch(&*cursor, from, rows).await.unwrap().0, numbers, "{from:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_a_transaction_stays_while_others_write_and_fail() {
    let database = new_database();
    database.psql("CREATE TABLE t (n integer)");
    let branch = database.sql().begin(TransactionOptions::default()).await.unwrap();
    for scrollable in [false, true] {
        let cursor = open(branch.executor(), NUMBERS, vec![Parameter::Integer(10_000)], scrollable).await;
        assert_eq!(fetch(&*cursor, FetchFrom::Next, 2).await.unwrap().0, [1, 2]);
        update(branch.executor(), "INSERT INTO t VALUES (1)", []).await.unwrap();
        assert_eq!(fetch(&*cursor, FetchFrom::Next, 2).await.unwrap().0, [3, 4]);
        assert!(query(branch.executor(), "SELECT 1/0", []).await.is_err());
        assert!(update(branch.executor(), "INSERT INTO t VALUES (1/0)", []).await.is_err());
        branch.savepoint("a").await.unwrap();
        assert_eq!(fetch(&*cursor, FetchFrom::Next, 2).await.unwrap().0, [5, 6]);
        branch.rollback_to("a").await.unwrap();
        branch.release("a").await.unwrap();
        assert_eq!(fetch(&*cursor, FetchFrom::Next, 5000).await.unwrap().0.len(), 5000);
        cursor.close().await.unwrap();
    }
    let cursor = open(branch.executor(), NUMBERS, vec![Parameter::Integer(3)], false).await;
    branch.commit().await.unwrap();
    assert!(fetch(&*cursor, FetchFrom::Next, 2).await.is_err());
    assert_eq!(database.psql("SELECT count(*) FROM t"), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_can_not_write_and_gives_its_connection_back() {
    let database = new_database();
    database.psql("CREATE TABLE t (n integer); CREATE FUNCTION sneak() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t VALUES (9); RETURN 9; END $$");
    for in_transaction in [false, true] {
        let branch = database.sql().begin(TransactionOptions::default()).await.unwrap();
        let sql: &dyn SqlExecutor = if in_transaction { branch.executor() } else { database.sql() };
        let cursor = open(sql, "SELECT sneak()", vec![], false).await;
        let error = fetch(&*cursor, FetchFrom::Next, 1).await.unwrap_err();
        assert!(matches!(error, ResourceError::ReadOnly { .. }), "{error:?}");
        let options = CursorOptions::default();
        let insert = Statement::new("INSERT INTO t VALUES (1) RETURNING n", []);
        assert!(sql.open_cursor(insert, options, CancellationToken::new()).await.is_err());
        for _ in 0..40 {
            drop(open(sql, "SELECT 1", vec![], false).await);
        }
        branch.commit().await.unwrap();
    }
    assert_eq!(database.psql("SELECT count(*) FROM t"), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_locks_no_rows_which_it_could_not_keep() {
    let database = new_database();
    database.psql("CREATE TABLE t AS SELECT 1 AS n");
    let branch = database.sql().begin(TransactionOptions::default()).await.unwrap();
    for executor in [database.sql() as &dyn SqlExecutor, branch.executor()] {
        let statement = Statement::new("SELECT n FROM t FOR UPDATE", []);
        let opened = executor.open_cursor(statement, CursorOptions::default(), CancellationToken::new()).await;
        assert!(matches!(opened, Err(ResourceError::ReadOnly { .. })), "{opened:?}");
    }
    // Who wants the locks gets them by an update, and keeps them.
    update(branch.executor(), "SELECT n FROM t FOR UPDATE", []).await.unwrap();
    let cursor = open(branch.executor(), "SELECT n FROM t", vec![], false).await;
    assert_eq!(fetch(&*cursor, FetchFrom::Next, 2).await.unwrap().0, [1]);
    assert_eq!(database.psql("SELECT count(*) FROM (SELECT n FROM t FOR UPDATE SKIP LOCKED) q"), "0");
    branch.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_beyond_all_numbers_is_refused_and_the_cursor_stays() {
    let database = new_database();
    let cursor = open(database.sql(), NUMBERS, vec![Parameter::Integer(3)], true).await;
    for from in [FetchFrom::Absolute(1 << 31), FetchFrom::Absolute(u64::MAX), FetchFrom::Relative(i64::MAX)] {
        let error = fetch(&*cursor, from, 1).await.unwrap_err();
        assert!(matches!(error, ResourceError::Unsupported { .. }), "{from:?}: {error:?}");
    }
    assert_eq!(fetch(&*cursor, FetchFrom::Next, u64::MAX).await.unwrap().0, [1, 2, 3]);
}
