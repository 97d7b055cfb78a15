//! Rows into formats.

mod sql_results_to_arrow;
mod sql_results_to_csv;
mod sql_results_to_json;
mod sql_results_to_parquet;
mod sql_results_to_xml;

pub use sql_results_to_arrow::SqlResultsToArrow;
pub use sql_results_to_csv::SqlResultsToCsv;
pub use sql_results_to_json::SqlResultsToJson;
pub use sql_results_to_parquet::SqlResultsToParquet;
pub use sql_results_to_xml::SqlResultsToXml;
