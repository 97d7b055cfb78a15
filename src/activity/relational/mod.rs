//! Activities on relational data: statements, and what becomes of their rows.

mod arrow_to_rows;
mod close_cursor;
mod csv_to_rows;
mod cursor;
mod fetch_cursor;
mod open_cursor;
mod option;
mod parameters;
mod parquet_to_rows;
mod resultset_projection;
mod sql_query_statement;
mod sql_results_to_arrow;
mod sql_results_to_csv;
mod sql_results_to_json;
mod sql_results_to_parquet;
mod sql_results_to_xml;
mod sql_update_statement;
mod statement;
mod transaction_management;
mod web_row_set_to_rows;

pub use arrow_to_rows::ArrowToRows;
pub use close_cursor::CloseCursor;
pub use csv_to_rows::CsvToRows;
pub use fetch_cursor::FetchCursor;
pub use open_cursor::OpenCursor;
pub use parquet_to_rows::ParquetToRows;
pub use resultset_projection::ResultsetProjection;
pub use sql_query_statement::SqlQueryStatement;
pub use sql_results_to_arrow::SqlResultsToArrow;
pub use sql_results_to_csv::SqlResultsToCsv;
pub use sql_results_to_json::SqlResultsToJson;
pub use sql_results_to_parquet::SqlResultsToParquet;
pub use sql_results_to_xml::SqlResultsToXml;
pub use sql_update_statement::SqlUpdateStatement;
pub use transaction_management::TransactionManagement;
pub use web_row_set_to_rows::WebRowSetToRows;

use arrow_array::RecordBatch;
use bytes::Bytes;

use crate::activity::ActivityError;
use crate::block::{Block, StreamType};

/// The rows of a block that has to hold rows.
fn expect_rows(block: Block) -> Result<RecordBatch, ActivityError> {
    match block {
        Block::Rows(rows) => Ok(rows),
        other => Err(ActivityError::wrong_type(StreamType::Rows, other.stream_type())),
    }
}

/// The bytes of a block that has to hold bytes.
fn expect_bytes(block: Block) -> Result<Bytes, ActivityError> {
    match block {
        Block::Bytes(bytes) => Ok(bytes),
        other => Err(ActivityError::wrong_type(StreamType::Bytes, other.stream_type())),
    }
}
