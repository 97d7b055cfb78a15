use std::fmt;
use std::path::PathBuf;

use crate::resource::ResourceError;

/// A user of a database, and where his password is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Login {
    /// His name; without one, what the URI says.
    pub user: Option<String>,
    /// His password, if he needs one.
    pub password: Option<PasswordSource>,
}

/// Where a password is read from, each time that a connection is opened: one that was changed counts from the next on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PasswordSource {
    /// A file that holds it and nothing else; a line break at the end does not count.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
}

impl PasswordSource {
    /// Reads the password. Blocks for a moment.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Unavailable`] with the name of the file or variable, never with what it holds.
    pub fn read(&self) -> Result<Secret, ResourceError> {
        let unavailable = |message| ResourceError::Unavailable { message };
        match self {
            Self::File(path) => match std::fs::read_to_string(path) {
                Ok(text) => Ok(Secret(text.trim_end_matches(['\r', '\n']).to_owned())),
                Err(error) => Err(unavailable(format!("the password file {} can't be read: {error}", path.display()))),
            },
            Self::Environment(variable) => match std::env::var(variable) {
                Ok(text) => Ok(Secret(text)),
                Err(_) => Err(unavailable(format!(
                    "the environment variable `{variable}`, which is to hold a password, is not set or not text"
                ))),
            },
        }
    }
}

/// A password or a token. It shows itself nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The password, for a driver.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_what_its_file_holds_without_the_last_line_break() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "se cret\r\n").unwrap();
        let secret = PasswordSource::File(path).read().unwrap();
        assert_eq!(secret.reveal(), "se cret");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }

    #[test]
    fn a_password_that_is_not_there_is_told_of_by_its_place() {
        for (source, place) in [
            (PasswordSource::File("/none/such".into()), "/none/such"),
            (PasswordSource::Environment("REJOIN_NO_SUCH_PASSWORD".into()), "`REJOIN_NO_SUCH_PASSWORD`"),
        ] {
            let error = source.read().unwrap_err().to_string();
            assert!(error.contains(place), "{error}");
        }
    }
}
