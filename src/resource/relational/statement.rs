use bytes::Bytes;
use bytestring::ByteString;

use crate::block::Scalar;

/// One SQL statement with the values for its parameters.
///
/// Values are always bound, never spliced into the text.
///
/// ```
/// use rejoin::resource::relational::{Parameter, Statement};
///
/// let statement = Statement::new("SELECT name FROM customer WHERE id = ?", [Parameter::from("42")]);
/// assert_eq!(statement.parameters, [Parameter::Text("42".into())]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The text, with a `?` for each parameter.
    pub sql: String,
    /// The values, by position.
    pub parameters: Vec<Parameter>,
}

impl Statement {
    /// A statement with the values for its parameters, in their order.
    #[must_use]
    pub fn new(sql: impl Into<String>, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        Self { sql: sql.into(), parameters: parameters.into_iter().collect() }
    }
}

/// The value of one parameter of a statement.
///
/// A value that a document gives as text is [`Parameter::Text`] and stays text. Compared with a column it takes on the
/// type of the column, in every database: `WHERE id = ?` finds 42 by the text `42`, and `WHERE phone = ?` keeps the zero
/// of `0131`. It is *not* turned into a number because it looks like one: then `strftime('%m', day) = ?` would find
/// September by `09` but not October by `10`. Where the other side is an expression without a type of its own, such as
/// `count(*) > ?`, the document says which type it means, or the statement does: `CAST(? AS INTEGER)`.
#[derive(Debug, Clone, PartialEq)]
pub enum Parameter {
    /// SQL's NULL.
    Null,
    /// Text.
    Text(ByteString),
    /// A 64-bit signed integer.
    Integer(i64),
    /// A 64-bit floating-point number.
    Real(f64),
    /// True or false; 1 or 0 where the database has no such type.
    Boolean(bool),
    /// Bytes.
    Bytes(Bytes),
}

impl From<&str> for Parameter {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<i64> for Parameter {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<Scalar> for Parameter {
    fn from(scalar: Scalar) -> Self {
        match scalar {
            Scalar::Text(text) | Scalar::Xml(text) => Self::Text(text),
            Scalar::Integer(value) => Self::Integer(value),
            Scalar::Real(value) => Self::Real(value),
            Scalar::Boolean(value) => Self::Boolean(value),
        }
    }
}
