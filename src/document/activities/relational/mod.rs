//! Activities on relational data, and on rows in formats.

mod results;
mod sql_query_statement;
mod sql_update_statement;

pub use results::{SqlResultsToArrow, SqlResultsToCsv};
pub use sql_query_statement::SqlQueryStatement;
pub use sql_update_statement::SqlUpdateStatement;
