//! Blocks of rows as text.
//!
//! A format is a plain value that is shown a schema, then blocks, then the end, and appends text to a buffer of the
//! caller's; it does no I/O and holds no rows, so the caller decides how much is gathered and where it goes. Each block's
//! columns are looked at once for their types, which may differ from those of the block before it (see
//! [`Block::Rows`](crate::block::Block::Rows)).

mod cells;
mod csv;
mod error;

pub use csv::{CsvOptions, CsvWriter, LineBreak};
pub use error::FormatError;
