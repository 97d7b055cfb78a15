//! Guesses the type of a column from its first values.

use arrow_schema::{DataType, TimeUnit};

use crate::format::parse::{parse_date, parse_timestamp};
use crate::format::text::push_sql_real;

/// The types that a column may turn out to have, the narrowest first.
const CANDIDATES: [DataType; 5] = [
    DataType::Boolean,
    DataType::Int64,
    DataType::Float64,
    DataType::Date32,
    DataType::Timestamp(TimeUnit::Microsecond, None),
];

/// What is known of a column.
#[derive(Debug, Clone)]
pub(super) struct Guess {
    possible: [bool; CANDIDATES.len()],
    is_empty: bool,
}

impl Guess {
    pub(super) fn new() -> Self {
        Self { possible: [true; CANDIDATES.len()], is_empty: true }
    }

    /// Takes a value into account that is not NULL.
    pub(super) fn see(&mut self, text: &str) {
        self.is_empty = false;
        for (possible, candidate) in self.possible.iter_mut().zip(&CANDIDATES) {
            *possible = *possible && is_of(text, candidate);
        }
    }

    /// The narrowest type that all values have.
    pub(super) fn data_type(&self) -> DataType {
        let found = CANDIDATES.iter().zip(self.possible).find(|(_, possible)| *possible && !self.is_empty);
        found.map_or(DataType::Utf8, |(candidate, _)| candidate.clone())
    }
}

/// Whether a text is a value of a type, in the form in which it would be written again.
fn is_of(text: &str, data_type: &DataType) -> bool {
    match data_type {
        DataType::Boolean => matches!(text, "true" | "false"),
        DataType::Int64 => text.parse::<i64>().is_ok_and(|value| value.to_string() == text),
        DataType::Float64 => text.parse::<f64>().is_ok_and(|value| {
            let mut written = String::new();
            push_sql_real(&mut written, value);
            value.is_finite() && written == text
        }),
        DataType::Date32 => parse_date(text).is_some(),
        _ => parse_timestamp(text, false).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(values: &[&str]) -> DataType {
        let mut guess = Guess::new();
        for value in values {
            guess.see(value);
        }
        guess.data_type()
    }

    #[test]
    fn a_column_has_the_narrowest_type_of_all_its_values() {
        assert_eq!(guessed(&["1", "-20", "0"]), DataType::Int64);
        assert_eq!(guessed(&["1", "2.5", "1e+20"]), DataType::Float64);
        assert_eq!(guessed(&["true", "false"]), DataType::Boolean);
        assert_eq!(guessed(&["2026-11-21"]), DataType::Date32);
        assert_eq!(guessed(&["2026-11-21 08:00:00", "2026-11-21T08:00:00.5"]), CANDIDATES[4]);
        assert_eq!(guessed(&["1", "a"]), DataType::Utf8);
        assert_eq!(guessed(&[]), DataType::Utf8);
    }

    #[test]
    fn what_would_lose_characters_is_text() {
        for value in ["007", "+1", "1.10", "1e5", "0131 496", "NaN", "t", "", "12345678901234567890"] {
            assert_eq!(guessed(&[value]), DataType::Utf8, "{value}");
        }
    }
}
