//! `sqlParameter`: the values for the `?` of a statement, or the parameters of a procedure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::shape::{AttributeShape, ChildShape, ValueShape};
use super::stream::{FromStream, StreamKind, Takes, Text, ToStream};
use super::words::{self, ParameterType};
use super::{ElementWriter, TextOrStream};
use crate::document::{DocumentError, Element, Fields, Located};

/// The value for a `?` of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlParameter {
    /// Which `?`, from 1.
    pub position: u32,
    /// The value.
    pub value: SqlValue,
}

/// A value that is bound to a statement, or a stream of which each block is one.
///
/// ```
/// use rejoin::document::activities::{ParameterType, SqlValue, ToStream, stream::Text};
///
/// assert_eq!(SqlValue::from(42).value_type, ParameterType::Integer);
/// assert_eq!(SqlValue::from(None::<&str>), SqlValue::null());
/// let ids = ToStream::<Text>::new("ids");
/// assert_eq!(SqlValue::from(&ids).read_as(ParameterType::Integer).value_type, ParameterType::Integer);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlValue {
    /// The value as a text, or the stream that gives one after the other.
    pub text: TextOrStream,
    /// What the text is read as.
    pub value_type: ParameterType,
    /// The text that stands for NULL, if one does.
    pub null: Option<String>,
}

/// What `sqlParameter` has in all activities.
pub(super) const SQL_PARAMETER: ChildShape =
    ChildShape::text_or_stream("sqlParameter", "the value for the `?` of that position, counted from 1")
        .any_number()
        .attributes(&[POSITION, TYPE, NULL]);

pub(super) const POSITION: AttributeShape = AttributeShape::new("position", ValueShape::SMALL_COUNT, "").required();

pub(super) const TYPE: AttributeShape = AttributeShape::new(
    "type",
    ValueShape::Choice(&words::words(&ParameterType::NAMES)),
    "what the text is read as; `binary` is base64",
)
.default("text");

pub(super) const NULL: AttributeShape =
    AttributeShape::new("nullDataStr", ValueShape::Text, "the text that stands for NULL; without it none does");

impl SqlValue {
    /// A text, or a stream of them.
    #[must_use]
    pub fn new(text: TextOrStream) -> Self {
        Self { text, value_type: ParameterType::Text, null: None }
    }

    /// NULL.
    #[must_use]
    pub fn null() -> Self {
        Self { null: Some(String::new()), ..Self::from("") }
    }

    /// The same, with its text read as a value of that type.
    #[must_use]
    pub fn read_as(self, value_type: ParameterType) -> Self {
        Self { value_type, ..self }
    }

    /// Reads what an `sqlParameter` has beside its position.
    pub(super) fn read(mut fields: Fields<'_>) -> Result<Self, DocumentError> {
        let value_type =
            fields.attribute("type").map_or(Ok(ParameterType::Text), |named| named.choice(&ParameterType::NAMES))?;
        let null = fields.attribute("nullDataStr").map(|null| null.as_str().to_owned());
        Ok(Self { text: TextOrStream::read(fields)?, value_type, null })
    }

    pub(super) fn write(&self, into: &mut ElementWriter) {
        into.unless_default("type", self.value_type.name(), ParameterType::Text.name());
        into.optional("nullDataStr", self.null.as_ref());
        self.text.write(into);
    }
}

impl SqlParameter {
    /// Reads every `sqlParameter` of a statement.
    pub(super) fn read_all(fields: &mut Fields<'_>) -> Result<Vec<Located<Self>>, DocumentError> {
        let values = read_positions(fields, |_, parameter| SqlValue::read(parameter))?;
        let parameter = |(place, position, value)| Located::new(Self { position, value }, place);
        Ok(values.into_iter().map(parameter).collect())
    }
}

/// What each `sqlParameter` says: where it stands, its position, and the rest.
type Positioned<T> = (crate::document::Position, u32, T);

/// Reads every `sqlParameter`, and what it has beside its position by `read`. Their positions are 1, 2, 3 … in any order,
/// without a gap.
pub(super) fn read_positions<'a, T>(
    fields: &mut Fields<'a>,
    mut read: impl FnMut(&'a Element, Fields<'a>) -> Result<T, DocumentError>,
) -> Result<Vec<Positioned<T>>, DocumentError> {
    let elements = fields.children("sqlParameter");
    let mut taken = vec![false; elements.len()];
    let mut all = Vec::with_capacity(elements.len());
    for element in elements {
        let mut parameter = element.fields();
        let value = parameter.required_attribute("position")?;
        let position: u32 = value.integer(1..=u32::MAX)?;
        let rest = read(element, parameter)?;
        let count = taken.len();
        let Some(taken) = taken.get_mut(position as usize - 1) else {
            return Err(value.error(format!(
                "contradictory positions: {count} parameters have the positions 1 to {count}, and this one has {position}"
            )));
        };
        if std::mem::replace(taken, true) {
            let message = format!("contradictory positions: a second `sqlParameter` of position {position}");
            return Err(value.error(message));
        }
        all.push((element.position(), position, rest));
    }
    Ok(all)
}

impl From<&str> for SqlValue {
    fn from(text: &str) -> Self {
        Self::new(text.into())
    }
}

impl From<String> for SqlValue {
    fn from(text: String) -> Self {
        Self::new(text.into())
    }
}

impl From<i32> for SqlValue {
    fn from(number: i32) -> Self {
        i64::from(number).into()
    }
}

impl From<i64> for SqlValue {
    fn from(number: i64) -> Self {
        Self::from(number.to_string()).read_as(ParameterType::Integer)
    }
}

impl From<f64> for SqlValue {
    fn from(number: f64) -> Self {
        Self::from(number.to_string()).read_as(ParameterType::Real)
    }
}

impl From<bool> for SqlValue {
    fn from(value: bool) -> Self {
        Self::from(value.to_string()).read_as(ParameterType::Boolean)
    }
}

impl From<&[u8]> for SqlValue {
    fn from(bytes: &[u8]) -> Self {
        Self::from(STANDARD.encode(bytes)).read_as(ParameterType::Binary)
    }
}

impl<T: Into<SqlValue>> From<Option<T>> for SqlValue {
    fn from(value: Option<T>) -> Self {
        value.map_or_else(Self::null, Into::into)
    }
}

impl From<FromStream<Text>> for SqlValue {
    fn from(stream: FromStream<Text>) -> Self {
        Self::new(stream.into())
    }
}

impl<K: StreamKind> From<&ToStream<K>> for SqlValue
where
    Text: Takes<K>,
{
    fn from(output: &ToStream<K>) -> Self {
        Self::new(output.into())
    }
}
