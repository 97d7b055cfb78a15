//! How the resource behaves as a whole.

mod cancelling;
mod loading;
mod queries;
mod refusals;
mod transactions;
mod updates;
mod waiting;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::block::{StreamType, pipe};
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
    SqliteSettings {
        places: 1,
        open_queries: OpenQueries::at_most(8),
        busy_timeout: Duration::from_millis(20),
        statement_timeout: None,
    }
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

/// What a query without parameters gives: a line for each row, commas between values, NULL as `-`, bytes as `[41, ff]`.
async fn lines(database: &SqliteResource, sql: &str) -> String {
    lines_with(database, sql, []).await
}

async fn lines_with(database: &SqliteResource, sql: &str, parameters: impl IntoIterator<Item = Parameter>) -> String {
    let mut text = String::new();
    for block in blocks(database, sql, parameters).await.unwrap() {
        for row in 0..block.num_rows() {
            let values: Vec<String> = block.columns().iter().map(|column| value(column, row)).collect();
            text.push_str(&values.join(","));
            text.push('\n');
        }
    }
    text
}

fn value(column: &ArrayRef, row: usize) -> String {
    match column.data_type() {
        _ if column.is_null(row) => "-".to_owned(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => format!("{:?}", column.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
        DataType::Binary => {
            let bytes = column.as_binary::<i32>().value(row);
            std::str::from_utf8(bytes).map_or_else(|_| format!("{bytes:x?}"), str::to_owned)
        }
        other => panic!("no resource gives {other}"),
    }
}

/// The error that a query without parameters gives.
async fn query_error(database: &SqliteResource, sql: &str) -> ResourceError {
    blocks(database, sql, []).await.expect_err(sql)
}
