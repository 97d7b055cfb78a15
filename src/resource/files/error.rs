use std::io::{Error, ErrorKind};

/// Why a file can't be had or written, by what a caller can do about it. No text says where the folder is: a client may read
/// them all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The name is none that a file of the folder can have.
    #[error("{message}")]
    Name {
        /// What is wrong with it and what was expected.
        message: String,
    },
    /// The name leads out of the folder, by a symbolic link.
    #[error("{message}")]
    Outside {
        /// Which name.
        message: String,
    },
    /// There is no room for it.
    #[error("{message}")]
    Full {
        /// What is full.
        message: String,
    },
    /// The folder does not work: missing, unreadable, not to be written.
    #[error("{message}")]
    Unavailable {
        /// What could not be done, and what the operating system says.
        message: String,
    },
}

impl FileError {
    /// What the operating system says about an attempt to do something: `what`, such as "write `a.csv`".
    pub(super) fn of(error: &Error, what: &str) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                Self::Full { message: format!("can't {what}: no room is left in the folder ({error})") }
            }
            ErrorKind::FileTooLarge => {
                Self::Full { message: format!("can't {what}: it would be larger than a file may be there ({error})") }
            }
            // What cap-std says of a path that leads out has no code of the operating system.
            ErrorKind::PermissionDenied if error.raw_os_error().is_none() => {
                Self::Outside { message: format!("can't {what}: the name leads out of the folder") }
            }
            _ => Self::Unavailable { message: format!("can't {what}: {error}") },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_without_room_is_told_from_one_that_does_not_work() {
        for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::FileTooLarge] {
            let error = FileError::of(&Error::from(kind), "write a file");
            assert!(
                matches!(&error, FileError::Full { message } if message.starts_with("can't write a file: ")),
                "{error}"
            );
        }
        let error = FileError::of(&Error::from(ErrorKind::NotFound), "open the folder");
        assert!(matches!(error, FileError::Unavailable { .. }));
    }
}
