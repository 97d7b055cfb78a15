//! Settings in the form `<name value="…"/>`.

use crate::document::{DocumentError, Fields, Value};

/// `<name value="…"/>`, if it is there.
pub(super) fn option<'a>(fields: &mut Fields<'a>, name: &'static str) -> Result<Option<Value<'a>>, DocumentError> {
    let Some(child) = fields.child(name) else { return Ok(None) };
    let mut settings = child.fields();
    let value = settings.required_attribute("value")?;
    settings.finish()?;
    Ok(Some(value))
}

/// A value that is one character.
pub(super) fn single_character(value: &Value<'_>) -> Result<char, DocumentError> {
    let mut characters = value.as_str().chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => Ok(character),
        _ => Err(value.expected("exactly one character".to_owned())),
    }
}
