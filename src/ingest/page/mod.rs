//! From an answer to a page: what it says, and its records.
//!
//! [`classify()`] says what kind of answer it is; [`Packed`] gathers its body within a bound; a [`PageReader`] reads bodies one
//! after the other, because the columns that the first page settles hold for all that follow.
//!
//! JSON is looked at in place: the envelope once for the few values that are asked for, then the records, straight into the
//! builders of their columns. Numbers stay the digits that they are written with until the type of their column is known.

mod classify;
mod columns;
mod csv;
mod derived;
mod dialect;
mod envelope;
mod error;
mod infer;
mod json;
mod link;
mod number;
mod packed;
mod reader;
mod record;
#[cfg(test)]
mod tests;

pub use classify::{AnswerClass, classify, is_expected_type};
pub use derived::Constants;
pub use error::PageError;
pub use packed::Packed;
pub use reader::{Page, PageReader, Wanted, key_of_header};
