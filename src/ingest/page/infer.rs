//! The columns that the records of a page come to.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::number::{Digits, is_exact_real};
use super::record::Piece;
use crate::block::ColumnOrigin;

/// What was seen of the records of a page.
#[derive(Debug, Default)]
pub(super) struct Guess {
    names: Vec<Box<str>>,
    places: HashMap<Box<str>, usize>,
    seen: Vec<Values>,
}

/// What was seen of the values of a member.
#[derive(Debug, Default, Clone, Copy)]
struct Values {
    booleans: bool,
    texts: bool,
    structures: bool,
    numbers: Option<Numbers>,
}

/// What was seen of its numbers.
#[derive(Debug, Clone, Copy)]
struct Numbers {
    /// All are whole numbers of 64 bits, with a sign or without one.
    fit_signed: bool,
    fit_unsigned: bool,
    /// All are reals of 64 bits without being rounded.
    fit_real: bool,
    /// The most digits before and behind the point; `None` where one is written with an exponent.
    places: Option<(usize, usize)>,
}

/// The most digits of a decimal.
const MOST_DIGITS: usize = 76;

impl Guess {
    /// Looks at a member of a record.
    pub(super) fn member(&mut self, name: &str, piece: &Piece<'_>) {
        let at = self.places.get(name).copied().unwrap_or_else(|| {
            self.names.push(name.into());
            self.seen.push(Values::default());
            self.places.insert(name.into(), self.names.len() - 1);
            self.names.len() - 1
        });
        let seen = &mut self.seen[at];
        match piece {
            Piece::Null => {}
            Piece::Boolean(_) => seen.booleans = true,
            Piece::Text(_) => seen.texts = true,
            Piece::Structure(_) => seen.structures = true,
            Piece::Number(digits) => {
                let one = Numbers::of(digits);
                seen.numbers = Some(seen.numbers.map_or(one, |others| others.with(one)));
            }
        }
    }

    /// How many members were seen.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether no member was seen.
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// A column for each member, in the order in which they came.
    pub(super) fn schema(&self) -> SchemaRef {
        let fields = self.names.iter().zip(&self.seen).map(|(name, seen)| seen.field(name));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }
}

impl Values {
    fn field(self, name: &str) -> Field {
        let (data_type, type_name) = match self {
            Self { booleans: true, texts: false, structures: false, numbers: None } => (DataType::Boolean, None),
            Self { booleans: false, texts: false, structures: false, numbers: Some(numbers) } => {
                (numbers.data_type(), None)
            }
            // As its JSON, which formats that can embed it do.
            Self { booleans: false, texts: false, structures: true, numbers: None } => (DataType::Utf8, Some("json")),
            _ => (DataType::Utf8, None),
        };
        let origin = ColumnOrigin { type_name: type_name.map(str::to_owned), ..ColumnOrigin::default() };
        Field::new(name, data_type, true).with_metadata(origin.to_metadata())
    }
}

impl Numbers {
    fn of(number: &str) -> Self {
        let digits = Digits::of(number);
        Self {
            fit_signed: digits.is_integer() && number.parse::<i64>().is_ok(),
            fit_unsigned: digits.is_integer() && number.parse::<u64>().is_ok(),
            fit_real: is_exact_real(number),
            places: digits.places(),
        }
    }

    fn with(self, other: Self) -> Self {
        let places = self.places.zip(other.places);
        Self {
            fit_signed: self.fit_signed && other.fit_signed,
            fit_unsigned: self.fit_unsigned && other.fit_unsigned,
            fit_real: self.fit_real && other.fit_real,
            places: places.map(|((whole, fraction), (others, behind))| (whole.max(others), fraction.max(behind))),
        }
    }

    /// The narrowest type in which nothing is rounded.
    fn data_type(self) -> DataType {
        if self.fit_signed {
            return DataType::Int64;
        }
        if self.fit_unsigned {
            return DataType::UInt64;
        }
        let is_whole = matches!(self.places, Some((_, 0)));
        if self.fit_real && !is_whole {
            return DataType::Float64;
        }
        match self.places {
            Some((whole, fraction)) if whole + fraction <= MOST_DIGITS => {
                let precision = u8::try_from((whole + fraction).max(1)).unwrap_or(u8::MAX);
                let scale = i8::try_from(fraction).unwrap_or(i8::MAX);
                if precision <= 38 {
                    DataType::Decimal128(precision, scale)
                } else {
                    DataType::Decimal256(precision, scale)
                }
            }
            _ => DataType::Utf8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_of(values: &[&str]) -> String {
        let mut guess = Guess::default();
        for value in values {
            let raw = serde_json::from_str(value).unwrap();
            guess.member("a", &Piece::of(raw));
        }
        let field = guess.schema().field(0).clone();
        let name = crate::format::RowType::of(field.data_type()).unwrap().to_string();
        ColumnOrigin::of(&field).type_name.unwrap_or(name)
    }

    #[test]
    fn a_column_has_the_narrowest_type_in_which_nothing_is_rounded() {
        for (values, expected) in [
            (&["1", "null", "-2"][..], "int64"),
            (&["1", "18446744073709551615"], "uint64"),
            (&["-1", "18446744073709551615"], "decimal(20,0)"),
            (&["1.5", "2", "0.30000000000000004", "1e3"], "float64"),
            (&["12345678901234567890.12", "0.125"], "decimal(23,3)"),
            (&["1e400"], "text"),
            (&["true", "false"], "boolean"),
            (&["true", "1"], "text"),
            (&["null"], "text"),
            (&["\"a\"", "1"], "text"),
            (&["{}", "[1]"], "json"),
            (&["{}", "\"a\""], "text"),
        ] {
            assert_eq!(type_of(values), expected, "{values:?}");
        }
    }
}
