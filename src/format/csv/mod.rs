//! Comma-separated values.

mod infer;
mod options;
mod reader;
mod reader_options;
mod records;
mod writer;

pub use options::CsvOptions;
pub use reader::CsvReader;
pub use reader_options::CsvReaderOptions;
pub use writer::CsvWriter;
