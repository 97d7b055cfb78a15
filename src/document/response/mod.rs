//! The response document: what a request is answered with, while it runs.
//!
//! The session comes first, then a `result` for each activity and each end-point, then the status of the request. The document
//! streams in both directions: neither [`ResponseWriter`] nor [`ResponseReader`] holds more of it than a piece.

mod data;
mod error;
mod reader;
mod session;
#[cfg(test)]
mod tests;
mod writer;

pub use error::{ErrorKind, ResponseError};
pub(super) use error::{read_message, with_message};
pub use reader::{DataEncoding, ResponseEvent, ResponseReader, ResultStart};
pub use session::{GrantedTimeout, ResponseSession};
pub use writer::ResponseWriter;

/// How far an activity, an end-point or a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// It came to its end.
    Completed,
    /// It failed.
    Error,
    /// It was stopped, or what it depends on failed.
    Terminated,
    /// It runs. An end-point whose data outgrew what the service holds back is begun like this: the truth stands in the
    /// results and the request status that follow.
    Processing,
    /// It has not begun.
    Unstarted,
}

pub(in crate::document) const STATUSES: [(&str, Status); 5] = [
    ("COMPLETED", Status::Completed),
    ("ERROR", Status::Error),
    ("TERMINATED", Status::Terminated),
    ("PROCESSING", Status::Processing),
    ("UNSTARTED", Status::Unstarted),
];

impl Status {
    /// The word that stands for it in a document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "COMPLETED",
            Self::Error => "ERROR",
            Self::Terminated => "TERMINATED",
            Self::Processing => "PROCESSING",
            Self::Unstarted => "UNSTARTED",
        }
    }
}
