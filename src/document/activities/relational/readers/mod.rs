//! Formats into rows.

mod arrow_to_rows;
mod csv_to_rows;
mod parquet_to_rows;
mod web_row_set_to_rows;

pub use arrow_to_rows::ArrowToRows;
pub use csv_to_rows::{CsvColumns, CsvToRows};
pub use parquet_to_rows::ParquetToRows;
pub use web_row_set_to_rows::WebRowSetToRows;
