//! JSON as it was written: members in their order, numbers by their digits.
//!
//! What a property says is sent as it stands there, so nothing of it may be rounded or turned round on the way. Repeated
//! members and depth without end are refused when it is read.

mod reader;

use std::fmt;

pub use reader::{JSON_BYTES, JSON_DEPTH, JsonError};

/// A JSON value.
///
/// ```
/// use rejoin::ingest::Json;
///
/// let json = Json::parse(r#" {"b": 12345678901234567890.10, "a": [true, null]} "#).unwrap();
/// assert_eq!(json.to_string(), r#"{"b":12345678901234567890.10,"a":[true,null]}"#);
/// assert_eq!(json.member("a").unwrap().kind(), "an array");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, by its digits.
    Number(Box<str>),
    /// A text, unescaped.
    Text(Box<str>),
    /// An array.
    Array(Vec<Json>),
    /// An object: members with different names, in their order.
    Object(Vec<(Box<str>, Json)>),
}

impl Json {
    /// Reads a JSON text of at most [`JSON_BYTES`] bytes and [`JSON_DEPTH`] levels.
    ///
    /// # Errors
    ///
    /// [`JsonError`] with the line and the column of the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        reader::parse(text)
    }

    /// A text.
    #[must_use]
    pub fn text(text: impl Into<Box<str>>) -> Self {
        Self::Text(text.into())
    }

    /// The member of that name, if it is an object that has one.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(other, _)| **other == *name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// What it is, as an error says it: `an object`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// Whether it is an object or an array.
    #[must_use]
    pub const fn is_structure(&self) -> bool {
        matches!(self, Self::Array(_) | Self::Object(_))
    }

    /// What stands for it in a text: a text as it is, anything else as its JSON.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.to_string(),
            other => other.to_string(),
        }
    }
}

impl From<u64> for Json {
    fn from(number: u64) -> Self {
        Self::Number(number.to_string().into())
    }
}

impl From<i64> for Json {
    fn from(number: i64) -> Self {
        Self::Number(number.to_string().into())
    }
}

/// Writes JSON without spaces.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(digits) => f.write_str(digits),
            Self::Text(text) => write_text(f, text),
            Self::Array(elements) => {
                f.write_str("[")?;
                for (index, element) in elements.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { "," })?;
                    write!(f, "{element}")?;
                }
                f.write_str("]")
            }
            Self::Object(members) => {
                f.write_str("{")?;
                for (index, (name, value)) in members.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { "," })?;
                    write_text(f, name)?;
                    write!(f, ":{value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    // A text can always be written.
    f.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
}
