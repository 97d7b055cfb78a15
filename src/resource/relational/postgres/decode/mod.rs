//! Values of the binary protocol, decoded into columns.

mod column;
mod kind;
mod list;
mod numeric;
mod out;
mod rows;
mod shape;
mod value_text;

pub(super) use kind::Kind;
pub(super) use out::out_value;
pub(super) use rows::RowsBuilder;
pub(super) use shape::{ColumnShape, ResultShape};

/// The server sent a value that is none of its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// The bytes as an array of that size, as numbers are read from.
fn fixed<const SIZE: usize>(raw: &[u8]) -> Result<[u8; SIZE], Malformed> {
    raw.try_into().map_err(|_| Malformed)
}
