//! Settings in the form `<name value="…"/>`.

use std::fmt::Display;

use super::ElementWriter;
use crate::document::{DocumentError, Fields, Value};

impl<'a> Fields<'a> {
    /// The value of the next child, `<child value="…"/>`, if it is there.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when its `value` is missing, or it has anything else.
    pub fn setting(&mut self, child: &'static str) -> Result<Option<Value<'a>>, DocumentError> {
        let Some(child) = self.child(child) else { return Ok(None) };
        let mut settings = child.fields();
        let value = settings.required_attribute("value")?;
        settings.finish()?;
        Ok(Some(value))
    }

    /// Reads the next child, `<child value="…"/>`; what holds without it is the default.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when its `value` is missing or can't be read, or it has anything else.
    pub fn setting_or<T>(
        &mut self,
        child: &'static str,
        default: T,
        read: impl FnOnce(&Value<'a>) -> Result<T, DocumentError>,
    ) -> Result<T, DocumentError> {
        self.setting(child)?.map_or(Ok(default), |value| read(&value))
    }
}

impl ElementWriter {
    /// `<child value="…"/>`
    pub fn setting(&mut self, child: &str, value: impl Display) {
        self.child(child, |element| element.attribute("value", value));
    }

    /// `<child value="…"/>`, unless it says what holds without it.
    pub fn setting_unless<T: PartialEq + Display>(&mut self, child: &str, value: T, default: T) {
        if value != default {
            self.setting(child, value);
        }
    }
}

/// A value that is one character.
pub(super) fn character(value: &Value<'_>) -> Result<char, DocumentError> {
    let mut characters = value.as_str().chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => Ok(character),
        _ => Err(value.expected("exactly one character")),
    }
}
