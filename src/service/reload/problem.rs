//! What is wrong with a changed configuration document.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::document::Position;
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

/// Something that is wrong with a document that is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    /// The file in which it is wrong, if that is another, which the document names.
    pub(super) file: Option<PathBuf>,
    pub(super) what: Refused,
}

impl Wrong {
    /// What is wrong in `watched` or in a file that it names.
    pub(super) fn found(error: ConfigurationError, watched: &Path) -> Self {
        let ConfigurationError { file, position, message } = error;
        Self { file: (file != watched).then_some(file), what: Refused { position, message } }
    }
}

impl From<Refused> for Wrong {
    fn from(what: Refused) -> Self {
        Self { file: None, what }
    }
}
