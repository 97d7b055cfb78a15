use super::*;
use crate::resource::relational::{Fetch, FetchFrom};
use crate::session::Xid;

async fn begin(database: &SqliteResource, options: TransactionOptions) -> RelationalBranch {
    database.begin(options).await.unwrap()
}

async fn update_in(branch: &RelationalBranch, sql: &str) -> Result<u64, ResourceError> {
    branch.executor().update(sql.to_owned(), ParameterRows::one([]), CancellationToken::new()).await
}

async fn bank(folder: &TempDir) -> SqliteResource {
    prepared(on_disk(folder, SqliteMode::Create), &["CREATE TABLE t (x)", "INSERT INTO t VALUES (1)"]).await
}

#[tokio::test]
async fn one_that_writes_keeps_others_from_writing_until_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let database = bank(&folder).await;
    let branch = begin(&database, TransactionOptions::default()).await;
    assert_eq!(update(&database, "UPDATE t SET x = 2").await, Ok(1), "it has not begun to write");
    assert_eq!(update_in(&branch, "UPDATE t SET x = 3").await, Ok(1));
    let busy = update(&database, "UPDATE t SET x = 4").await.unwrap_err();
    assert!(matches!(&busy, ResourceError::Busy { message } if message.contains("another session")), "{busy}");
    branch.commit().await.unwrap();
    assert_eq!(update(&database, "UPDATE t SET x = x + 1").await, Ok(1));
    assert_eq!(lines(&database, "SELECT x FROM t").await, "4\n");
}

#[tokio::test]
async fn one_that_is_dropped_is_rolled_back_and_lets_others_write() {
    let folder = tempfile::tempdir().unwrap();
    let database = bank(&folder).await;
    let branch = begin(&database, TransactionOptions::default()).await;
    update_in(&branch, "UPDATE t SET x = 3").await.unwrap();
    drop(branch);
    while update(&database, "UPDATE t SET x = x + 10").await.is_err() {}
    assert_eq!(lines(&database, "SELECT x FROM t").await, "11\n");
}

#[tokio::test]
async fn a_statement_that_rolls_everything_back_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let database = prepared(bank(&folder).await, &["CREATE UNIQUE INDEX u ON t (x)"]).await;
    let branch = begin(&database, TransactionOptions::default()).await;
    update_in(&branch, "INSERT INTO t VALUES (2)").await.unwrap();
    assert_eq!(branch.ended(), None);
    update_in(&branch, "INSERT OR ROLLBACK INTO t VALUES (1)").await.unwrap_err();
    assert!(branch.ended().is_some());
    update_in(&branch, "INSERT INTO t VALUES (5)").await.unwrap_err();
    branch.commit().await.unwrap_err();
    assert_eq!(lines(&database, "SELECT x FROM t").await, "1\n");
}

#[tokio::test]
async fn its_mark_tells_whether_it_was_committed() {
    let folder = tempfile::tempdir().unwrap();
    let database = bank(&folder).await;
    for (writes, commits, decision) in
        [(true, true, Decision::Commit), (true, false, Decision::Rollback), (false, true, Decision::Rollback)]
    {
        let xid = Xid {
            log: crate::session::LogId::new(7),
            transaction: uuid::Uuid::from_u128(u128::from(writes) * 2 + u128::from(commits)),
            branch: 0,
        };
        let branch = begin(&database, TransactionOptions { xid: Some(xid), ..TransactionOptions::default() }).await;
        if writes {
            update_in(&branch, "UPDATE t SET x = x + 1").await.unwrap();
        }
        let witness = branch.witness().await.unwrap().unwrap();
        if commits {
            branch.commit().await.unwrap();
        } else {
            branch.rollback().await.unwrap();
        }
        assert_eq!(database.outcome(&witness).await, Ok(Some(decision)), "{writes} {commits}");
    }
    assert_eq!(database.schema(&SchemaFilter::default()).await.unwrap().tables.len(), 1, "the marks are not shown");
}

#[tokio::test]
async fn a_cursor_gives_rows_as_they_are_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let database = bank(&folder).await;
    let cancel = CancellationToken::new();
    let statement = Statement::new(ENDLESS, []);
    let cursor = database.open_cursor(statement, CursorOptions::default(), cancel.clone()).await.unwrap();
    for wanted in [1, 10, 3000] {
        let (writer, mut reader) = pipe(StreamType::Rows);
        let fetching = cursor.fetch(Fetch { from: FetchFrom::Next, rows: wanted }, writer, cancel.clone());
        let reading = async {
            let mut rows = 0;
            while let Ok(Some(Block::Rows(block))) = reader.next().await {
                rows += block.num_rows() as u64;
            }
            rows
        };
        let (end, rows) = tokio::join!(fetching, reading);
        assert_eq!((end.unwrap().rows, rows), (wanted, wanted));
    }
    cursor.close().await.unwrap();
    let (writer, _reader) = pipe(StreamType::Rows);
    cursor.fetch(Fetch { from: FetchFrom::Next, rows: 1 }, writer, cancel).await.unwrap_err();
}
