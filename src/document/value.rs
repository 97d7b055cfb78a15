use std::borrow::Cow;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::characters::{is_ncname, is_space, trim};
use super::nearest::suggestion;
use super::{Attribute, DocumentError, Located, Position};

/// The text of an attribute or of an element that holds text alone, to be read as a typed value.
///
/// Every reader answers with an error that names the field, the place and what was expected. White space around a number,
/// a boolean, a duration or a name is ignored, as XML Schema says.
#[derive(Debug, Clone)]
pub struct Value<'a> {
    text: Cow<'a, str>,
    position: Position,
    attribute: Option<&'a str>,
    element: &'a str,
}

impl<'a> Value<'a> {
    pub(super) fn of_attribute(element: &'a str, attribute: &'a Attribute) -> Self {
        Self {
            text: Cow::Borrowed(&attribute.value),
            position: attribute.position,
            attribute: Some(&attribute.name.local),
            element,
        }
    }

    pub(super) fn of_element(element: &'a str, text: Cow<'a, str>, position: Position) -> Self {
        Self { text, position, attribute: None, element }
    }

    /// The text as it stands.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text as it stands.
    #[must_use]
    pub fn into_text(self) -> Cow<'a, str> {
        self.text
    }

    /// Where it stands.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// A number of the range.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when it is no whole number or out of the range.
    pub fn integer<T>(&self, range: RangeInclusive<T>) -> Result<T, DocumentError>
    where
        T: FromStr + PartialOrd + Display,
    {
        // XML Schema allows `+5` and `-0`. So does `FromStr`, but for the minus of an unsigned zero.
        let word = match self.word().strip_prefix('-') {
            Some(zeros) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => zeros,
            _ => self.word(),
        };
        match word.parse::<T>() {
            Ok(number) if range.contains(&number) => Ok(number),
            _ => Err(self.expected(format!("a whole number from {} to {}", range.start(), range.end()))),
        }
    }

    /// `true`, `false`, `1` or `0`.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when it is something else.
    pub fn boolean(&self) -> Result<bool, DocumentError> {
        match self.word() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(self.expected("`true` or `false`")),
        }
    }

    /// One word of a list.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] with the nearest word when it is not in the list.
    pub fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Result<T, DocumentError> {
        let word = self.word();
        if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == word) {
            return Ok(*choice);
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        Err(self.error(format!("{} can't be `{}`{}", self.field(), shorten(word), suggestion(word, &names))))
    }

    /// A name without a colon (`xs:NCName`): of an activity, a stream, a session attribute.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when it is not a name.
    pub fn name(&self) -> Result<&str, DocumentError> {
        let word = self.word();
        if is_ncname(word) {
            return Ok(word);
        }
        Err(self.expected("a name: a letter or `_`, then letters, digits, `-`, `_` and `.`"))
    }

    /// A text of one character or more, with the place where it stands.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when it is empty.
    pub fn non_empty(&self) -> Result<Located<String>, DocumentError> {
        if self.text.is_empty() {
            return Err(self.error(format!("{} can't be empty", self.field())));
        }
        Ok(Located::new(self.text.as_ref().into(), self.position))
    }

    /// A word: one character or more, and no white space in it.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when it is empty or more than one word.
    pub fn one_word(&self) -> Result<Located<String>, DocumentError> {
        let word = self.word();
        if word.is_empty() || word.bytes().any(is_space) {
            return Err(self.expected("one word, without white space"));
        }
        Ok(Located::new(word.into(), self.position))
    }

    /// A number above zero, or `None` for `unbounded`.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when it is neither.
    pub fn count_or_unbounded(&self) -> Result<Option<u64>, DocumentError> {
        if self.word() == "unbounded" {
            return Ok(None);
        }
        match self.integer(1..=u64::MAX) {
            Ok(count) => Ok(Some(count)),
            Err(_) => Err(self.expected("a whole number above zero, or `unbounded`")),
        }
    }

    /// A length of time above zero: milliseconds as a whole number, or an `xs:duration` of days, hours, minutes and seconds
    /// such as `PT10M`.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when it is zero, negative, has years or months, or is no duration at all.
    pub fn duration(&self) -> Result<Duration, DocumentError> {
        match super::duration::parse(self.word()) {
            Some(duration) if !duration.is_zero() => Ok(duration),
            _ => Err(self.expected("a time above zero: milliseconds such as `600000`, or a duration such as `PT10M`")),
        }
    }

    /// [`Value::duration`], or zero.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when it is negative, has years or months, or is no duration at all.
    pub fn duration_or_zero(&self) -> Result<Duration, DocumentError> {
        super::duration::parse(self.word())
            .ok_or_else(|| self.expected("a time: milliseconds such as `2000`, or a duration such as `PT2S`"))
    }

    /// [`Value::duration`], or `None` for `unbounded`.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when it is neither.
    pub fn duration_or_unbounded(&self) -> Result<Option<Duration>, DocumentError> {
        if self.word() == "unbounded" {
            return Ok(None);
        }
        match super::duration::parse(self.word()) {
            Some(duration) if !duration.is_zero() => Ok(Some(duration)),
            _ => Err(self.expected(
                "a time above zero (milliseconds such as `600000`, or a duration such as `PT10M`) or `unbounded`",
            )),
        }
    }

    /// A moment in UTC: `2026-11-21T21:40:00Z`, with or without a fraction of the second.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when it is none, or in another time zone.
    pub fn time(&self) -> Result<DateTime<Utc>, DocumentError> {
        super::time::parse(self.word())
            .ok_or_else(|| self.expected("a time in UTC, such as `2026-11-21T21:40:00.000Z`"))
    }

    /// An error at this value.
    #[must_use]
    pub fn error(&self, message: impl Into<Box<str>>) -> DocumentError {
        DocumentError::invalid(self.position, message)
    }

    /// The error that this value is not what was expected. It repeats the value, shortened.
    #[must_use]
    pub fn expected(&self, what: impl Display) -> DocumentError {
        self.error(format!("{} has to be {what}, not `{}`", self.field(), shorten(self.word())))
    }

    /// What the value is called in an error.
    fn field(&self) -> String {
        match self.attribute {
            Some(attribute) => format!("the attribute `{attribute}` of `{}`", self.element),
            None => format!("the content of `{}`", self.element),
        }
    }

    /// The text without white space around it.
    pub(super) fn word(&self) -> &str {
        trim(&self.text)
    }
}

/// The beginning of a text that is repeated in an error.
fn shorten(text: &str) -> Cow<'_, str> {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value<'_> {
        Value::of_element("x", Cow::Borrowed(text), Position::START)
    }

    #[test]
    fn white_space_around_a_typed_value_is_ignored() {
        assert_eq!(value(" \t7\n").integer(0..=9), Ok(7));
        assert_eq!(value(" true ").boolean(), Ok(true));
        assert_eq!(value(" a-1 ").name(), Ok("a-1"));
        assert_eq!(value("\nPT1S ").duration(), Ok(Duration::from_secs(1)));
        assert_eq!(value(" unbounded").duration_or_unbounded(), Ok(None));
        assert_eq!(value(" b ").choice(&[("a", 1), ("b", 2)]), Ok(2));
        assert_eq!(value(" w ").one_word().map(|word| word.value), Ok("w".into()));
    }

    #[test]
    fn numbers_are_those_of_xml_schema() {
        for (text, number) in [("+5", Some(5)), ("-0", Some(0)), ("-000", Some(0)), ("007", Some(7)), ("256", None)] {
            assert_eq!(value(text).integer(0..=255_u8).ok(), number, "{text}");
        }
        for text in ["", "-", "+", "+-5", "-1", "1.0", "1e1", "0x1", "1 2", "\u{664}"] {
            assert!(value(text).integer(0..=255_u8).is_err(), "{text}");
        }
        assert_eq!(value("-3").integer(i64::MIN..=i64::MAX), Ok(-3));
    }

    #[test]
    fn counts_start_at_one() {
        assert_eq!(value("1").count_or_unbounded(), Ok(Some(1)));
        assert_eq!(value("unbounded").count_or_unbounded(), Ok(None));
        assert!(value("0").count_or_unbounded().is_err());
        assert!(value("Unbounded").count_or_unbounded().is_err());
    }

    #[test]
    fn an_error_says_what_was_expected_and_repeats_the_value_shortened() {
        let error = value(&"9".repeat(100)).integer(1..=5_u8).unwrap_err();
        let nines = "9".repeat(40);
        assert_eq!(error.message(), format!("the content of `x` has to be a whole number from 1 to 5, not `{nines}…`"));
        let error = value("replac").choice(&[("replace", ()), ("append", ())]).unwrap_err();
        assert_eq!(error.message(), "the content of `x` can't be `replac`; did you mean `replace`?");
    }
}
