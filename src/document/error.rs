use std::fmt;

/// A place in a document. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column, in characters, from 1.
    pub column: u32,
}

impl Position {
    /// The first character of a document.
    pub const START: Self = Self { line: 1, column: 1 };

    /// Goes over bytes of the document. A line ends with `\n`; a byte that goes on with a character is not counted.
    pub(super) fn advance(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        let mut at = *self;
        for word in words {
            if is_plain(u64::from_ne_bytes(*word)) {
                at.column = at.column.saturating_add(8);
            } else {
                at = at.after_bytes(word);
            }
        }
        *self = at.after_bytes(rest);
    }

    fn after_bytes(self, bytes: &[u8]) -> Self {
        let Self { mut line, mut column } = self;
        for byte in bytes {
            if *byte == b'\n' {
                line = line.saturating_add(1);
                column = 1;
            } else {
                column = column.saturating_add(u32::from(byte.cast_signed() >= -0x40));
            }
        }
        Self { line, column }
    }

    /// The place behind those bytes.
    pub(crate) fn after(mut self, bytes: &[u8]) -> Self {
        self.advance(bytes);
        self
    }
}

/// Whether eight bytes are all ASCII and none is a `\n`: then they are eight characters of one line.
fn is_plain(word: u64) -> bool {
    const ONES: u64 = u64::MAX / 0xFF;
    const HIGH: u64 = ONES * 0x80;
    // A byte that is a `\n` is zero here; borrowing from it sets its high bit, and that of no other before it.
    let newlines = word ^ (ONES * 0x0A);
    (word | (newlines.wrapping_sub(ONES) & !newlines)) & HIGH == 0
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// What is wrong with a document, in the classes that a caller tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Problem {
    /// It is not well-formed XML, or holds what we refuse in any XML: a DTD, an entity that is not predefined.
    Malformed,
    /// It is well-formed, but not a document of its kind.
    Invalid,
    /// It goes over a bound: size, depth, number of elements or attributes, length of a name or a text.
    TooLarge,
    /// Its session element can't be met by any session: contradictory, or with a value out of range.
    SessionRequirement,
}

/// Why a document was refused, and where.
///
/// The message names the element or attribute, what was expected and, where a name is misspelt, the nearest known one. It
/// never repeats the value of a session id.
///
/// ```
/// use rejoin::document::{PerformDocument, Problem};
///
/// let error = PerformDocument::parse(b"<perform><echo/></perform>").unwrap_err();
/// assert_eq!(error.problem(), Problem::Invalid);
/// assert_eq!(error.position().to_string(), "1:1");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {message}")]
pub struct DocumentError {
    problem: Problem,
    position: Position,
    message: Box<str>,
}

impl DocumentError {
    /// A new error at a place.
    #[must_use]
    pub fn new(problem: Problem, position: Position, message: impl Into<Box<str>>) -> Self {
        Self { problem, position, message: message.into() }
    }

    /// A document that is not one of its kind.
    #[must_use]
    pub fn invalid(position: Position, message: impl Into<Box<str>>) -> Self {
        Self::new(Problem::Invalid, position, message)
    }

    /// The class of the problem.
    #[must_use]
    pub fn problem(&self) -> Problem {
        self.problem
    }

    /// Where it is.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// What is wrong and what was expected, without the place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The same error in another class.
    #[must_use]
    pub fn with_problem(mut self, problem: Problem) -> Self {
        self.problem = problem;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_counted_in_characters() {
        let mut position = Position::START;
        for (bytes, at) in [
            ("a", "1:2"),
            ("ñ😀", "1:4"),
            ("", "1:4"),
            ("\r\n", "2:1"),
            ("x\n\nyé", "4:3"),
            ("0123456789abcdef\n0123456789é", "5:12"),
        ] {
            position.advance(bytes.as_bytes());
            assert_eq!(position.to_string(), at);
        }
        // A character that is cut in two counts once.
        assert_eq!(Position::START.after(&"é".as_bytes()[..1]).after(&"é".as_bytes()[1..]).to_string(), "1:2");
    }
}
