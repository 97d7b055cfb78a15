//! How the resource behaves as a whole.

mod cancelling;
mod queries;
mod refusals;
mod updates;
mod waiting;

use std::time::Duration;

use arrow_array::RecordBatch;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::block::{StreamType, pipe};
use crate::format::{CsvOptions, CsvWriter};
use crate::resource::relational::Parameter;

/// A query that never ends and never gives a row.
const RUNAWAY: &str = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n WHERE x < 0";

/// A query that gives rows as long as somebody takes them.
const ENDLESS: &str = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n";

/// A database in memory, with one place for queries.
fn memory() -> SqliteResource {
    let address = SqliteAddress { location: SqliteLocation::Memory, mode: SqliteMode::Create };
    SqliteResource::new(address, &one_place())
}

fn one_place() -> SqliteSettings {
    SqliteSettings { places: 1, open_queries: 8, busy_timeout: Duration::from_millis(20) }
}

/// A database in a file.
fn on_disk(folder: &TempDir, mode: SqliteMode) -> SqliteResource {
    let address = SqliteAddress { location: SqliteLocation::File(folder.path().join("test.db")), mode };
    SqliteResource::new(address, &one_place())
}

async fn update(database: &SqliteResource, sql: &str) -> Result<u64, ResourceError> {
    database.update(sql.to_owned(), ParameterRows::one([]), CancellationToken::new()).await
}

/// Runs statements that must succeed.
async fn prepared(database: SqliteResource, statements: &[&str]) -> SqliteResource {
    for statement in statements {
        update(&database, statement).await.unwrap();
    }
    database
}

/// The blocks that a query gives.
async fn blocks(
    database: &SqliteResource,
    sql: &str,
    parameters: impl IntoIterator<Item = Parameter>,
) -> Result<Vec<RecordBatch>, ResourceError> {
    let (writer, mut reader) = pipe(StreamType::Rows);
    let query = database.query(Statement::new(sql, parameters), writer, CancellationToken::new());
    let read = async {
        let mut blocks = Vec::new();
        while let Ok(Some(Block::Rows(block))) = reader.next().await {
            blocks.push(block);
        }
        blocks
    };
    let (end, blocks) = tokio::join!(query, read);
    let rows: usize = blocks.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(end?.rows, rows as u64);
    Ok(blocks)
}

/// What a query without parameters gives, as CSV without a header, NULL as `-`.
async fn csv(database: &SqliteResource, sql: &str) -> String {
    csv_with(database, sql, []).await
}

async fn csv_with(database: &SqliteResource, sql: &str, parameters: impl IntoIterator<Item = Parameter>) -> String {
    let mut text = String::new();
    let mut writer = CsvWriter::new(CsvOptions { null: "-".into(), ..CsvOptions::default() }).unwrap();
    for block in blocks(database, sql, parameters).await.unwrap() {
        writer.rows(&block, &mut text).unwrap();
    }
    text
}

/// The error that a query without parameters gives.
async fn query_error(database: &SqliteResource, sql: &str) -> ResourceError {
    blocks(database, sql, []).await.expect_err(sql)
}
