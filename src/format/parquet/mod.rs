//! Parquet files.

mod pages;
mod reader;
mod sink;
mod textual;
mod thrift;
mod views;
mod writer;

pub use reader::ParquetReader;
pub use writer::{ParquetOptions, ParquetWriter};
