use std::path::PathBuf;

use crate::session::StoreError;

/// Why a value can't be stored, or why what is stored is no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// It lives with the process, or belongs to the configuration.
    #[error("a value of the type {type_name} can't be stored: it is lost with the process")]
    Alive {
        /// The name of its type.
        type_name: &'static str,
    },
    /// It has a form that can't be written.
    #[error("the value can't be stored: {reason}")]
    Unsupported {
        /// What can't be written.
        reason: String,
    },
    /// A newer version wrote it.
    #[error("the value has format {found}, and this version knows formats up to {known}")]
    TooNew {
        /// Its format.
        found: u8,
        /// The newest that is known.
        known: u8,
    },
    /// What was read is not what was written.
    #[error("the value is damaged: {reason}")]
    Damaged {
        /// What was found wrong, and in which piece.
        reason: String,
    },
}

impl ValueError {
    pub(super) fn damaged(reason: impl Into<String>) -> Self {
        Self::Damaged { reason: reason.into() }
    }

    /// Says in which piece, counted from 1, the damage is.
    pub(super) fn in_piece(self, index: usize) -> Self {
        match self {
            Self::Damaged { reason } => Self::Damaged { reason: format!("piece {}: {reason}", index + 1) },
            other => other,
        }
    }

    /// The same as an error of the store at `path`, in which a session with that value, of the attribute `name`, was found.
    #[must_use]
    pub fn in_store(self, path: PathBuf, name: &str) -> StoreError {
        match self {
            Self::TooNew { found, known } => {
                StoreError::TooNew { path, found: u32::from(found), known: u32::from(known) }
            }
            Self::Damaged { reason } => {
                StoreError::Damaged { path, reason: format!("the attribute `{name}`, {reason}") }
            }
            other => StoreError::Failed { reason: format!("the attribute `{name}`: {other}") },
        }
    }
}
