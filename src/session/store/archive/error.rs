use std::io;

use crate::session::StoreError;

/// Bytes of each end of a message that are told.
const QUOTED: usize = 200;

/// Why sessions could not be exported or imported.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArchiveError {
    /// The file could not be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The store could not be read or written.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// A line of the file is not what it should be, or does not fit the store.
    #[error("{line}:{column}: {reason}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// Counted from 1.
        column: usize,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A stored value that can't be exported.
    #[error("the session {session}: {reason}")]
    Session {
        /// Its handle.
        session: String,
        /// What is wrong.
        reason: String,
    },
}

impl ArchiveError {
    pub(super) fn at(line: u64, reason: impl Into<String>) -> Self {
        Self::Line { line, column: 1, reason: short(reason.into()) }
    }

    /// What JSON says of a line, in our form.
    pub(super) fn of_json(line: u64, error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
        let reason = if error.is_eof() { "the file is cut off in the middle of this line" } else { reason };
        Self::Line { line, column: error.column().max(1), reason: short(reason.to_owned()) }
    }
}

/// The beginning and the end of a message that quotes much of the file.
fn short(reason: String) -> String {
    let (begin, end) =
        (reason.floor_char_boundary(QUOTED), reason.ceil_char_boundary(reason.len().saturating_sub(QUOTED)));
    if begin >= end { reason } else { format!("{} … {}", &reason[..begin], &reason[end..]) }
}
