//! Parquet files.

mod reader;
mod sink;
mod textual;
mod writer;

pub use reader::ParquetReader;
pub use writer::{ParquetCompression, ParquetOptions, ParquetWriter};
