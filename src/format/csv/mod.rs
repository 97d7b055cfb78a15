//! Comma-separated values.

mod options;
mod writer;

pub use options::{CsvOptions, LineBreak};
pub use writer::CsvWriter;
