//! One record of JSON, and the pieces of JSON that its members are.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// A piece of JSON, by what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Null,
    Boolean(bool),
    /// Its digits.
    Number(&'a str),
    /// Unescaped.
    Text(Cow<'a, str>),
    /// An array or an object, as it is written.
    Structure(&'a str),
}

impl<'a> Piece<'a> {
    #[inline]
    pub(super) fn of(raw: &'a RawValue) -> Self {
        let text = raw.get();
        match text.as_bytes() {
            [b'"', inner @ .., b'"'] if memchr::memchr(b'\\', inner).is_none() => {
                Self::Text(Cow::Borrowed(&text[1..text.len() - 1]))
            }
            // What was read as a text once is read as one again.
            [b'"', ..] => Self::Text(Cow::Owned(serde_json::from_str(text).unwrap_or_default())),
            [b'n', ..] => Self::Null,
            [b't', ..] => Self::Boolean(true),
            [b'f', ..] => Self::Boolean(false),
            [b'{' | b'[', ..] => Self::Structure(text),
            _ => Self::Number(text),
        }
    }

    /// What stands for it in a text; nothing for `null`.
    pub(super) fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Null => None,
            Self::Boolean(value) => Some(Cow::Borrowed(if value { "true" } else { "false" })),
            Self::Number(text) | Self::Structure(text) => Some(Cow::Borrowed(text)),
            Self::Text(text) => Some(text),
        }
    }

    /// What it is, as an error says it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::Structure(text) if text.starts_with('[') => "an array",
            Self::Structure(_) => "an object",
        }
    }
}

/// The name of the column of records that are no objects.
pub(super) const VALUE: &str = "value";

/// Shows the members of a record in their order. A record that is no object has one member, `value`.
pub(super) fn members<'a, F>(record: &'a RawValue, visit: &mut F) -> Result<(), serde_json::Error>
where
    F: FnMut(&str, &'a RawValue) -> bool,
{
    if !record.get().starts_with('{') {
        visit(VALUE, record);
        return Ok(());
    }
    serde_json::Deserializer::from_str(record.get()).deserialize_map(Members(visit))
}

/// Shows the elements of an array in their order, until `visit` says that it has enough.
pub(super) fn elements<'a, F>(array: &'a RawValue, visit: &mut F) -> Result<(), serde_json::Error>
where
    F: FnMut(&'a RawValue) -> bool,
{
    serde_json::Deserializer::from_str(array.get()).deserialize_seq(Elements(visit))
}

struct Members<'v, F>(&'v mut F);

impl<'de, F: FnMut(&str, &'de RawValue) -> bool> Visitor<'de> for Members<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut goes_on = true;
        while let Some(name) = map.next_key_seed(Name)? {
            let value = map.next_value()?;
            goes_on = goes_on && (self.0)(&name, value);
        }
        Ok(())
    }
}

struct Elements<'v, F>(&'v mut F);

impl<'de, F: FnMut(&'de RawValue) -> bool> Visitor<'de> for Elements<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut goes_on = true;
        while let Some(element) = seq.next_element()? {
            goes_on = goes_on && (self.0)(element);
        }
        Ok(())
    }
}

/// The name of a member, borrowed where nothing in it is escaped.
pub(super) struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}
