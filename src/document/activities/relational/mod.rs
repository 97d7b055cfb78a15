//! Activities on relational data, and on rows in formats.

mod cursors;
mod results;
mod sql_query_statement;
mod sql_stored_procedure;
mod sql_update_statement;

pub use cursors::{CloseCursor, FetchCursor, FetchFrom, OpenCursor};
pub use results::{SqlResultsToArrow, SqlResultsToCsv};
pub use sql_query_statement::SqlQueryStatement;
pub use sql_stored_procedure::{ProcedureArgument, ProcedureParameter, SqlStoredProcedure};
pub use sql_update_statement::SqlUpdateStatement;
