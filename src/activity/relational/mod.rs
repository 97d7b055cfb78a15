//! Activities on relational data: statements, and what becomes of their rows.

mod arrow_to_rows;
mod close_cursor;
mod csv_to_rows;
mod cursor;
mod database_schema_to_xml;
mod extract_database_schema;
mod extract_physical_schema;
mod fetch_cursor;
mod open_cursor;
mod parameter_form;
mod parameters;
mod parquet_to_rows;
mod relational_resource_management;
mod resultset_projection;
mod schema_document;
mod schema_rows;
mod sql_bulk_load_row_set;
mod sql_query_statement;
mod sql_results_to_arrow;
mod sql_results_to_csv;
mod sql_results_to_json;
mod sql_results_to_parquet;
mod sql_results_to_xml;
mod sql_stored_procedure;
mod sql_update_statement;
mod statement;
mod table_definition;
mod transaction_management;
mod web_row_set_to_rows;
mod written;

pub use arrow_to_rows::ArrowToRows;
pub use close_cursor::CloseCursor;
pub use csv_to_rows::CsvToRows;
pub use database_schema_to_xml::DatabaseSchemaToXml;
pub use extract_database_schema::ExtractDatabaseSchema;
pub use extract_physical_schema::ExtractPhysicalSchema;
pub use fetch_cursor::FetchCursor;
pub use open_cursor::OpenCursor;
pub use parquet_to_rows::ParquetToRows;
pub use relational_resource_management::RelationalResourceManagement;
pub use resultset_projection::ResultsetProjection;
pub(crate) use schema_document::table_element;
pub use sql_bulk_load_row_set::SqlBulkLoadRowSet;
pub use sql_query_statement::SqlQueryStatement;
pub use sql_results_to_arrow::SqlResultsToArrow;
pub use sql_results_to_csv::SqlResultsToCsv;
pub use sql_results_to_json::SqlResultsToJson;
pub use sql_results_to_parquet::SqlResultsToParquet;
pub use sql_results_to_xml::SqlResultsToXml;
pub use sql_stored_procedure::SqlStoredProcedure;
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
