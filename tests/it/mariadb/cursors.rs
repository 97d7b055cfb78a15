//! Cursors, in a transaction and outside.

use rejoin::block::{Block, StreamType, pipe};
use rejoin::resource::ResourceError;
use rejoin::resource::relational::{CursorOptions, Fetch, FetchEnd, FetchFrom, RowCursor, SqlExecutor, Statement};
use rejoin::session::{TransactionBranch, TransactionOptions};
use tokio_util::sync::CancellationToken;

use super::stage::{Stage, csv, update};

async fn open(executor: &dyn SqlExecutor, sql: &str) -> Result<Box<dyn RowCursor>, ResourceError> {
    executor.open_cursor(Statement::new(sql, []), CursorOptions::default(), CancellationToken::new()).await
}

/// Fetches rows and gives the sizes of their blocks and what the fetch said.
async fn fetch(cursor: &dyn RowCursor, rows: u64) -> Result<(Vec<usize>, FetchEnd), ResourceError> {
    let (writer, mut reader) = pipe(StreamType::Rows);
    let reading = async {
        let mut sizes = Vec::new();
        while let Ok(Some(Block::Rows(rows))) = reader.next().await {
            assert_eq!(rows.num_columns(), 2);
            sizes.push(rows.num_rows());
        }
        sizes
    };
    let wanted = Fetch { from: FetchFrom::Next, rows };
    let (end, sizes) = tokio::join!(cursor.fetch(wanted, writer, CancellationToken::new()), reading);
    end.map(|end| (sizes, end))
}

#[tokio::test]
async fn a_cursor_gives_its_rows_as_they_are_wanted() {
    let stage = Stage::new();
    let cursor = open(stage.sql(), "SELECT seq, REPEAT('x', 100) FROM seq_1_to_3000").await.unwrap();
    let end = |rows, at_end| FetchEnd { rows, at_end };
    assert_eq!(fetch(&*cursor, 10).await.unwrap(), (vec![10], end(10, false)));
    assert_eq!(fetch(&*cursor, 100).await.unwrap(), (vec![54, 46], end(100, false)));
    assert_eq!(csv(stage.sql(), "SELECT 1").await.unwrap(), "1", "others go on beside it");
    let (_, last) = fetch(&*cursor, 5000).await.unwrap();
    assert_eq!(last, end(2890, true));
    assert_eq!(fetch(&*cursor, 1).await.unwrap(), (vec![0], end(0, true)));
    cursor.close().await.unwrap();
    cursor.close().await.unwrap();
    assert_eq!(fetch(&*cursor, 1).await.unwrap_err().to_string(), "the cursor is closed");
}

#[tokio::test]
async fn a_cursor_holds_neither_its_rows_nor_its_statement_when_it_is_closed() {
    let stage = Stage::with(|access| access.pool.size = 1);
    for closes in [true, false] {
        let cursor = open(stage.sql(), "SELECT seq, REPEAT('x', 1000) FROM seq_1_to_100000000").await.unwrap();
        fetch(&*cursor, 5).await.unwrap();
        if closes {
            cursor.close().await.unwrap();
        }
        drop(cursor);
        assert_eq!(csv(stage.sql(), "SELECT 1").await.unwrap(), "1");
        assert_eq!(stage.running(), "");
    }
}

#[tokio::test]
async fn what_a_cursor_can_not_do_is_said() {
    let stage = Stage::new();
    let scrollable = CursorOptions { scrollable: true };
    let statement = || Statement::new("SELECT 1, 2", []);
    let opened = stage.sql().open_cursor(statement(), scrollable, CancellationToken::new()).await;
    assert_eq!(opened.unwrap_err().code(), "SqlUnsupported");
    assert_eq!(open(stage.sql(), "SELECT nothing").await.unwrap_err().code(), "SqlError");
    assert_eq!(open(stage.sql(), "DROP TABLE t").await.unwrap_err().code(), "SqlReadOnly");
    let cursor = open(stage.sql(), "SELECT 1, 2").await.unwrap();
    let back = Fetch { from: FetchFrom::Absolute(1), rows: 1 };
    let (writer, _reader) = pipe(StreamType::Rows);
    let error = cursor.fetch(back, writer, CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.code(), "SqlUnsupported");
}

#[tokio::test]
async fn a_cursor_in_a_transaction_sees_it_and_keeps_its_rows() {
    let stage = Stage::new();
    stage.run("CREATE TABLE t (id INT, n INT)");
    let branch = stage.sql().begin(TransactionOptions::default()).await.unwrap();
    update(branch.executor(), "INSERT INTO t SELECT seq, 0 FROM seq_1_to_100", []).await.unwrap();
    let cursor = open(branch.executor(), "SELECT * FROM t").await.unwrap();
    assert_eq!(fetch(&*cursor, 70).await.unwrap().1.rows, 70);
    update(branch.executor(), "DELETE FROM t", []).await.unwrap();
    assert_eq!(fetch(&*cursor, 70).await.unwrap().1, FetchEnd { rows: 30, at_end: true });

    // More than are kept in memory.
    let cursor = open(branch.executor(), "SELECT seq, REPEAT('x', 1000) FROM seq_1_to_20000").await.unwrap();
    assert_eq!(fetch(&*cursor, 15_000).await.unwrap().1, FetchEnd { rows: 15_000, at_end: false });
    assert_eq!(fetch(&*cursor, 15_000).await.unwrap().1, FetchEnd { rows: 5_000, at_end: true });
    assert_eq!(csv(branch.executor(), "SELECT COUNT(*) FROM t").await.unwrap(), "0");
    branch.commit().await.unwrap();
}
