//! What is wrong with a changed configuration document.

use chrono::{DateTime, Utc};

use crate::document::Position;

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
