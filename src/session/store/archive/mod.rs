//! Sessions in a file of lines, to carry them from one store to another and to look at them.
//!
//! Each line is a JSON object with one member, whose name says what it is: `rejoinSessions` first, then `session`, `ended` and
//! `answer` in any number, `end` last. docs/session-store.md, "Exported sessions", describes them.

mod error;
mod export;
mod forms;
mod import;
mod lines;
mod reader;
mod soundness;
#[cfg(test)]
mod tests;
mod value;
mod writer;

pub(crate) use error::ArchiveError;
pub(crate) use export::{Wanted, export};
pub(crate) use import::{Existing, check, import};
pub(crate) use reader::LONGEST_LINE;

/// The format of the files that are written.
const FORMAT: u32 = 1;

/// How much there is of what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) sessions: u64,
    pub(crate) ended: u64,
    pub(crate) answers: u64,
}

impl Counts {
    pub(crate) fn all(self) -> u64 {
        self.sessions + self.ended + self.answers
    }
}
