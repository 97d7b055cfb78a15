//! What is wrong with a changed configuration document.

use std::fmt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::document::{DocumentError, Position};
use crate::service::{ConfigurationError, Refused};

/// Why a changed configuration document is not in force.
#[derive(Debug, Clone)]
pub(in crate::service) struct ConfigurationProblem {
    /// The file, as clients may see it: never from the root of the machine.
    pub(in crate::service) file: String,
    /// The place in it.
    pub(in crate::service) position: Position,
    /// What is wrong there and what was expected.
    pub(in crate::service) message: String,
    /// When it was found.
    pub(in crate::service) since: DateTime<Utc>,
}

/// Something that is wrong at a place in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    /// The file, if it is another than the one that is watched.
    pub(super) file: Option<PathBuf>,
    pub(super) position: Position,
    pub(super) message: String,
}

impl Wrong {
    pub(super) fn new(position: Position, message: impl Into<String>) -> Self {
        Self { file: None, position, message: message.into() }
    }
}

impl Wrong {
    /// What is wrong in one of the files that a document brings together, of which `watched` is the one that is watched.
    pub(super) fn in_file(error: ConfigurationError, watched: &Path) -> Self {
        let ConfigurationError { file, position, message } = error;
        Self { file: (file != watched).then_some(file), position, message }
    }
}

impl From<DocumentError> for Wrong {
    fn from(error: DocumentError) -> Self {
        Self::new(error.position(), error.message())
    }
}

impl From<Refused> for Wrong {
    fn from(refused: Refused) -> Self {
        Self::new(refused.position, refused.message)
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.position, self.message)
    }
}
