//! Activities on relational data, and on rows in formats.

mod cursors;
mod readers;
mod relational_resource_management;
mod results;
mod resultset_projection;
mod schemas;
mod sql_bulk_load_row_set;
mod sql_query_statement;
mod sql_stored_procedure;
mod sql_update_statement;
mod transaction_management;

pub use cursors::{CloseCursor, FetchCursor, FetchFrom, OpenCursor};
pub use readers::{ArrowToRows, CsvColumns, CsvToRows, ParquetToRows, WebRowSetToRows};
pub use relational_resource_management::{
    NewColumn, NewTable, RelationalResourceManagement, TableContent, TableOperation,
};
pub use results::{SqlResultsToArrow, SqlResultsToCsv, SqlResultsToJson, SqlResultsToParquet, SqlResultsToXml};
pub use resultset_projection::{ColumnChoice, ResultsetProjection};
pub use schemas::{DatabaseSchemaToXml, ExtractDatabaseSchema, ExtractPhysicalSchema};
pub use sql_bulk_load_row_set::{LoadSource, LoadTarget, SqlBulkLoadRowSet};
pub use sql_query_statement::SqlQueryStatement;
pub use sql_stored_procedure::{ProcedureArgument, ProcedureParameter, SqlStoredProcedure};
pub use sql_update_statement::SqlUpdateStatement;
pub use transaction_management::{TransactionManagement, TransactionOperation};
