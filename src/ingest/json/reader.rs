//! From text to [`Json`]: `serde_json` decides what is JSON, its raw values keep the digits and the order.

use std::collections::HashSet;
use std::fmt;

use serde::Deserializer;
use serde::de::{self, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Json;
use crate::document::Position;

/// The longest JSON text of a property.
pub const JSON_BYTES: usize = 1 << 20;

/// The most levels of arrays and objects inside of each other.
pub const JSON_DEPTH: usize = 64;

/// Why a text is no JSON that we take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {problem}")]
pub struct JsonError {
    /// Where, inside of the text.
    pub at: Position,
    /// What is wrong.
    pub problem: String,
}

pub(super) fn parse(text: &str) -> Result<Json, JsonError> {
    if text.len() > JSON_BYTES {
        let problem = format!("{} bytes of JSON are too many: {JSON_BYTES} may be", text.len());
        return Err(JsonError { at: Position::START, problem });
    }
    // Everything is checked at first, so that errors have their places in the whole text.
    let checked: Result<serde_json::Value, _> = serde_json::from_str(text);
    checked.map_err(|error| in_whole(text, &error))?;
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| in_whole(text, &error))?;
    Reader { text }.read(raw, 0)
}

fn in_whole(text: &str, error: &serde_json::Error) -> JsonError {
    let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
    let start: usize = lines.map(str::len).sum();
    let end = text.floor_char_boundary(start + error.column().saturating_sub(1));
    let mut problem = error.to_string();
    if let Some(cut) = problem.rfind(" at line ") {
        problem.truncate(cut);
    }
    if text[end..].starts_with('\'') {
        problem.push_str("; texts stand in double quotes");
    }
    JsonError { at: Position::START.after(&text.as_bytes()[..end]), problem }
}

struct Reader<'a> {
    text: &'a str,
}

impl<'a> Reader<'a> {
    fn read(&self, raw: &'a RawValue, depth: usize) -> Result<Json, JsonError> {
        let text = raw.get();
        if depth > JSON_DEPTH {
            return Err(self.refuse(text, format!("more than {JSON_DEPTH} levels inside of each other")));
        }
        let broken = |error: serde_json::Error| self.refuse(text, error.to_string());
        Ok(match text.as_bytes().first() {
            Some(b'{') => {
                let members: Vec<(Box<str>, &RawValue)> =
                    serde_json::Deserializer::from_str(text).deserialize_map(Members).map_err(broken)?;
                let mut names = HashSet::new();
                let mut object = Vec::with_capacity(members.len());
                for (name, value) in members {
                    if !names.insert(name.clone()) {
                        return Err(self.refuse(value.get(), format!("the member `{name}` stands there twice")));
                    }
                    object.push((name, self.read(value, depth + 1)?));
                }
                Json::Object(object)
            }
            Some(b'[') => {
                let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(broken)?;
                let elements: Result<_, _> = elements.into_iter().map(|value| self.read(value, depth + 1)).collect();
                Json::Array(elements?)
            }
            Some(b'"') => Json::Text(serde_json::from_str(text).map_err(broken)?),
            Some(b'n') => Json::Null,
            Some(b't') => Json::Bool(true),
            Some(b'f') => Json::Bool(false),
            _ => Json::Number(text.into()),
        })
    }

    /// An error at the beginning of a piece of the whole text.
    fn refuse(&self, piece: &str, problem: String) -> JsonError {
        let offset = piece.as_ptr().addr().saturating_sub(self.text.as_ptr().addr());
        let before = self.text.as_bytes().get(..offset).unwrap_or_default();
        JsonError { at: Position::START.after(before), problem }
    }
}

/// The members of an object, those that stand there twice too.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(Box<str>, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error>
    where
        A::Error: de::Error,
    {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits_and_members_their_order() {
        let text = r#"{"z":1.10,"a":[123456789012345678901234567890,-0,1E+2],"é\n":"\u00e9\"","e":{}}"#;
        let json = Json::parse(text).unwrap();
        assert_eq!(json.to_string(), r#"{"z":1.10,"a":[123456789012345678901234567890,-0,1E+2],"é\n":"é\"","e":{}}"#);
    }

    #[test]
    fn what_is_wrong_has_its_line_and_column() {
        for (text, at, problem) in [
            ("{\n  \"a\": 1,\n  \"a\": 2}", "3:8", "the member `a` stands there twice"),
            ("[1, 2", "1:5", "EOF while parsing a list"),
            ("{'a': 1}", "1:2", "key must be a string; texts stand in double quotes"),
            ("[\"é\", x]", "1:7", "expected value"),
            ("", "1:1", "EOF while parsing a value"),
            ("1 2", "1:3", "trailing characters"),
            ("\"\\ud800\"", "1:8", "unexpected end of hex escape"),
            ("1e999", "1:5", "number out of range"),
        ] {
            let error = Json::parse(text).unwrap_err();
            assert_eq!((error.at.to_string().as_str(), error.problem.as_str()), (at, problem), "{text}");
        }
    }

    #[test]
    fn depth_and_length_have_their_limits() {
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(Json::parse(&deep(JSON_DEPTH)).is_ok());
        assert!(Json::parse(&deep(JSON_DEPTH + 2)).unwrap_err().problem.contains("64 levels"));
        assert!(Json::parse(&deep(100_000)).is_err());
        let long = format!("\"{}\"", "x".repeat(JSON_BYTES));
        assert!(Json::parse(&long).unwrap_err().problem.contains("too many"));
    }
}
