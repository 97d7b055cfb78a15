//! One token after the other: what it may be at its place, and what it says.

use std::io::BufRead;

use super::source::{Bound, Source};
use super::tag::Tag;
use super::text::{self, Fault};
use super::{OpenElements, Stage, Token, broken, dtd, encoding, malformed, too_large};
use crate::document::{DocumentError, Limits, Position};

/// What the handling of one token needs beside the token itself, which is borrowed from the reader.
pub(super) struct Handler<'a> {
    pub(super) tag: &'a mut Tag,
    pub(super) text: &'a mut String,
    pub(super) text_position: &'a mut Position,
    pub(super) open: &'a OpenElements,
    pub(super) limits: &'a Limits,
    pub(super) stage: Stage,
    pub(super) ascii: bool,
    pub(super) start: Position,
}

impl Handler<'_> {
    pub(super) fn text(&mut self, raw: &str) -> Result<Token, DocumentError> {
        if self.stage != Stage::Content {
            return match raw.find(|character| !matches!(character, ' ' | '\t' | '\r' | '\n')) {
                None => Ok(Token::Nothing),
                Some(offset) => Err(malformed(self.at(raw, offset), "unexpected text outside of the root element")),
            };
        }
        let returns = self.check(raw, 0, text::check_text(raw))?;
        self.push(raw, returns)
    }

    pub(super) fn cdata(&mut self, raw: &str) -> Result<Token, DocumentError> {
        self.expect_content()?;
        self.check(raw, "<![CDATA[".len(), text::check_characters(raw))?;
        self.push(raw, true)
    }

    /// Appends text; `returns` says whether there may be a line end in it that is not handed on as it is.
    fn push(&mut self, raw: &str, returns: bool) -> Result<Token, DocumentError> {
        if raw.len() as u64 > self.limits.text_bytes {
            return Err(too_large(self.start, format!("a text longer than {} bytes", self.limits.text_bytes)));
        }
        self.begin_text();
        if returns {
            text::push_lines(raw, self.text);
        } else {
            self.text.push_str(raw);
        }
        Ok(Token::Text)
    }

    pub(super) fn reference(&mut self, raw: &str) -> Result<Token, DocumentError> {
        self.expect_content()?;
        let character = text::resolve(raw).map_err(|message| malformed(self.start, message))?;
        self.begin_text();
        self.text.push(character);
        Ok(Token::Text)
    }

    fn begin_text(&mut self) {
        if self.text.is_empty() {
            *self.text_position = self.start;
        }
    }

    pub(super) fn start(&mut self, raw: &str, empty: bool) -> Result<Token, DocumentError> {
        if self.stage == Stage::Epilog {
            return Err(malformed(self.start, "a second root element: a document has one"));
        }
        self.check(raw, 1, Ok(()))?;
        self.tag.read(raw, empty, self.start, self.limits)?;
        Ok(Token::Start { empty })
    }

    pub(super) fn end(&mut self, name: &str) -> Result<Token, DocumentError> {
        match self.open.last() {
            Some((open, _)) if open == name => Ok(Token::End),
            Some((open, opened)) => {
                let message = format!("expected the end tag `</{open}>` of the element at {opened}");
                Err(malformed(self.start, message))
            }
            None => Err(malformed(self.start, "an end tag without an open element")),
        }
    }

    pub(super) fn passed_over(
        &mut self,
        raw: &str,
        opening: &str,
        outcome: Result<(), Fault>,
    ) -> Result<Token, DocumentError> {
        self.check(raw, opening.len(), outcome)?;
        Ok(Token::Nothing)
    }

    pub(super) fn end_of_document(&mut self) -> Result<Token, DocumentError> {
        match (self.stage, self.open.last()) {
            (Stage::Epilog, _) => Ok(Token::Eof),
            (_, Some((open, opened))) => {
                let message = format!("the document ends inside of the element `{open}` of {opened}");
                Err(malformed(self.start, message))
            }
            _ => Err(malformed(self.start, "the document has no root element")),
        }
    }

    fn expect_content(&self) -> Result<(), DocumentError> {
        match self.stage {
            Stage::Content => Ok(()),
            _ => Err(malformed(self.start, "unexpected text outside of the root element")),
        }
    }

    /// Turns what is wrong in a token, `opening` bytes behind its beginning, into an error in the document.
    fn check<T>(&self, raw: &str, opening: usize, outcome: Result<T, Fault>) -> Result<T, DocumentError> {
        if self.ascii && !raw.is_ascii() {
            return Err(malformed(self.start, "the declaration says US-ASCII, but here is another character"));
        }
        outcome.map_err(|Fault { offset, message }| {
            let mut position = self.at(raw, offset);
            if position.line == self.start.line {
                position.column = position.column.saturating_add(u32::try_from(opening).unwrap_or_default());
            }
            malformed(position, message)
        })
    }

    fn at(&self, raw: &str, offset: usize) -> Position {
        self.start.after(&raw.as_bytes()[..offset])
    }
}

/// The error of a token that could not be cut out. `token` is what was gathered of it.
pub(super) fn token_error<R: BufRead>(
    error: &quick_xml::Error,
    start: Position,
    token: &[u8],
    source: &Source<R>,
    limits: &Limits,
) -> DocumentError {
    use quick_xml::encoding::EncodingError;
    use quick_xml::errors::{Error, IllFormedError, SyntaxError};

    match error {
        Error::Io(error) => match source.over() {
            Some(Bound::Document) => {
                too_large(start.after(token), format!("more than {} bytes", limits.document_bytes))
            }
            Some(Bound::Token) => too_large(start, format!("a text or tag longer than {} bytes", limits.text_bytes)),
            None => broken(start.after(token), error),
        },
        Error::Encoding(EncodingError::Utf8(error)) => {
            encoding::not_utf8(start.after(&token[..error.valid_up_to().min(token.len())]))
        }
        Error::Syntax(SyntaxError::UnclosedDoctype) | Error::IllFormed(IllFormedError::MissingDoctypeName) => {
            dtd(start)
        }
        Error::Syntax(SyntaxError::InvalidBangMarkup) => {
            malformed(start, "after `<!` only a comment or a CDATA section is read")
        }
        Error::Syntax(unclosed) => malformed(start, unclosed.to_string()),
        Error::IllFormed(IllFormedError::UnclosedReference) => malformed(start, text::unfinished(0).message),
        other => malformed(start, other.to_string()),
    }
}
