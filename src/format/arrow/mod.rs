//! Arrow's own stream format (IPC).

mod frames;
mod reader;
mod writer;

pub use reader::ArrowReader;
pub use writer::{ArrowOptions, ArrowWriter};
