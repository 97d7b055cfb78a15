//! A file that comes over HTTP, perhaps in several pieces: what is asked for, what an answer means, whether the file is right.
//!
//! It sends and writes nothing. A [`PartKept`] is what is known of a file that is unfinished, a [`FileKept`] of one that has its
//! place; both outlive the process. [`Asked`] says what a request adds for them (RFC 9110, sections 13 and 14), [`meaning`] what the
//! answer is: the whole file, the rest of it, or the word that nothing has changed.

mod answer;
mod asked;
mod content_range;
mod digest;
mod kept;
mod validator;

pub use answer::{Meaning, length, meaning};
pub use asked::{Asked, REFUSED_HEADERS, source_of};
pub use content_range::ContentRange;
pub use digest::{Digest, Hasher};
pub use kept::{FileKept, PartKept};
pub use validator::Validator;
