use std::fmt;

use bytestring::ByteString;

/// One typed value: what `sessionAttributeManagement` sets and gets.
///
/// Its lexical forms are those of XML Schema: `xs:long` for an integer, `xs:double` for a real, `xs:boolean`.
///
/// ```
/// use rejoin::block::{Scalar, ScalarType};
///
/// let three = Scalar::parse(ScalarType::Integer, " 3 ").unwrap();
/// assert_eq!(three, Scalar::Integer(3));
/// assert_eq!(three.to_string(), "3");
/// assert!(Scalar::parse(ScalarType::Integer, "three").is_none());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// Text, as it is.
    Text(ByteString),
    /// A 64-bit signed integer.
    Integer(i64),
    /// A 64-bit floating-point number.
    Real(f64),
    /// True or false.
    Boolean(bool),
    /// A well-formed XML element, as text.
    Xml(ByteString),
}

/// The type of a [`Scalar`], by the name that documents give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScalarType {
    /// `text`
    Text,
    /// `integer`
    Integer,
    /// `real`
    Real,
    /// `boolean`
    Boolean,
    /// `xml`
    Xml,
}

impl ScalarType {
    /// All names, in the order in which errors list them.
    pub const NAMES: [&'static str; 5] = ["text", "integer", "real", "boolean", "xml"];

    /// The type of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "text" => Self::Text,
            "integer" => Self::Integer,
            "real" => Self::Real,
            "boolean" => Self::Boolean,
            "xml" => Self::Xml,
            _ => return None,
        })
    }

    /// The name of the type in documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Real => "real",
            Self::Boolean => "boolean",
            Self::Xml => "xml",
        }
    }
}

impl Scalar {
    /// Reads the lexical form of a value. Text and XML are taken as they are: whoever hands over XML has checked it.
    #[must_use]
    pub fn parse(scalar_type: ScalarType, text: &str) -> Option<Self> {
        let word = text.trim_matches([' ', '\t', '\r', '\n']);
        Some(match scalar_type {
            ScalarType::Text => Self::Text(text.into()),
            ScalarType::Xml => Self::Xml(text.into()),
            ScalarType::Integer => Self::Integer(word.parse().ok()?),
            ScalarType::Real => Self::Real(parse_double(word)?),
            ScalarType::Boolean => match word {
                "true" | "1" => Self::Boolean(true),
                "false" | "0" => Self::Boolean(false),
                _ => return None,
            },
        })
    }

    /// The type of the value.
    #[must_use]
    pub fn scalar_type(&self) -> ScalarType {
        match self {
            Self::Text(_) => ScalarType::Text,
            Self::Integer(_) => ScalarType::Integer,
            Self::Real(_) => ScalarType::Real,
            Self::Boolean(_) => ScalarType::Boolean,
            Self::Xml(_) => ScalarType::Xml,
        }
    }
}

/// `xs:double`: Rust's form but for the names of infinity and not-a-number.
fn parse_double(word: &str) -> Option<f64> {
    match word {
        "INF" => Some(f64::INFINITY),
        "-INF" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        _ if word.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) => word.parse().ok(),
        _ => None,
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Xml(text) => f.write_str(text),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Real(value) if value.is_nan() => f.write_str("NaN"),
            Self::Real(value) if value.is_infinite() => f.write_str(if *value > 0.0 { "INF" } else { "-INF" }),
            Self::Real(value) => f.write_str(ryu::Buffer::new().format_finite(*value)),
            Self::Boolean(value) => write!(f, "{value}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reals_use_the_lexical_forms_of_xml_schema() {
        for (text, value) in [("1e3", 1000.0), ("-INF", f64::NEG_INFINITY), ("INF", f64::INFINITY), (" 0.5\n", 0.5)] {
            assert_eq!(Scalar::parse(ScalarType::Real, text), Some(Scalar::Real(value)), "{text}");
        }
        for text in ["inf", "infinity", "nan", "1_000", "", "0x1"] {
            assert_eq!(Scalar::parse(ScalarType::Real, text), None, "{text}");
        }
        assert_eq!(Scalar::Real(f64::INFINITY).to_string(), "INF");
    }

    #[test]
    fn every_type_has_its_name() {
        for name in ScalarType::NAMES {
            assert_eq!(ScalarType::from_name(name).unwrap().name(), name);
        }
    }
}
