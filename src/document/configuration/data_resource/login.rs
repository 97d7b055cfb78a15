//! Who connects, and where what proves it is.

use crate::document::configuration::contradictory;
use crate::document::writer::XmlWriter;
use crate::document::{DocumentError, Fields, Located};

/// `user`, and `passwordFile` or `passwordEnv`
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LoginConfiguration {
    /// The user of the database.
    pub user: Option<Located<String>>,
    /// Where the password is, which never stands in the document.
    pub password: Option<PasswordSource>,
}

/// Where a password is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordSource {
    /// `passwordFile`: a file, relative to this document.
    File(Located<String>),
    /// `passwordEnv`: an environment variable.
    Environment(Located<String>),
}

impl PasswordSource {
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Option<Self>, DocumentError> {
        Self::read_from(fields, ("passwordFile", "passwordEnv"), "the password")
    }

    /// Reads it from two attributes of which one may be there.
    pub(super) fn read_from(
        fields: &mut Fields<'_>,
        (in_file, in_environment): (&'static str, &'static str),
        what: &str,
    ) -> Result<Option<Self>, DocumentError> {
        let file = fields.attribute(in_file).map(|value| value.non_empty()).transpose()?;
        let variable = fields.attribute(in_environment).map(|value| value.one_word()).transpose()?;
        match (file, variable) {
            (Some(_), Some(variable)) => {
                let message = format!("{what} comes from `{in_file}` or from `{in_environment}`, not from both");
                Err(contradictory(variable.position, &message))
            }
            (Some(file), None) => Ok(Some(Self::File(file))),
            (None, variable) => Ok(variable.map(Self::Environment)),
        }
    }

    pub(super) fn write(&self, writer: &mut XmlWriter, (in_file, in_environment): (&str, &str)) {
        match self {
            Self::File(file) => writer.attribute(in_file, &file.value),
            Self::Environment(variable) => writer.attribute(in_environment, &variable.value),
        }
    }
}

impl LoginConfiguration {
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        let user = fields.attribute("user").map(|value| value.non_empty()).transpose()?;
        Ok(Self { user, password: PasswordSource::read(fields)? })
    }

    pub(super) fn write(&self, writer: &mut XmlWriter) {
        writer.optional("user", self.user.as_ref().map(|user| &user.value));
        if let Some(password) = &self.password {
            password.write(writer, ("passwordFile", "passwordEnv"));
        }
    }
}
