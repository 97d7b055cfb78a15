//! Rows into formats.

mod sql_results_to_arrow;
mod sql_results_to_csv;

pub use sql_results_to_arrow::SqlResultsToArrow;
pub use sql_results_to_csv::SqlResultsToCsv;
