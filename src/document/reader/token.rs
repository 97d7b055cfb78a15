//! One token after the other: what it may be at its place, and what it says.

use super::cut::{CDATA, TokenKind};
use super::encoding::{Encoding, NEEDS_DECLARATION};
use super::open::OpenElements;
use super::tag::Tag;
use super::text::{self, Fault};
use super::{Stage, Token, declaration, malformed, too_large};
use crate::document::characters::is_space;
use crate::document::{DocumentError, Limits, Position};

/// What the handling of one token needs beside the token itself, which is borrowed from the source.
pub(super) struct Handler<'a> {
    pub(super) tag: &'a mut Tag,
    pub(super) text: &'a mut String,
    pub(super) text_position: &'a mut Position,
    /// Whether the document has to be pure ASCII.
    pub(super) ascii: &'a mut bool,
    pub(super) open: &'a OpenElements,
    pub(super) limits: &'a Limits,
    pub(super) encoding: Encoding,
    pub(super) stage: Stage,
    /// Where the token begins.
    pub(super) start: Position,
}

impl Handler<'_> {
    /// Handles a token as it stands; `first` says whether it is the first of the document.
    pub(super) fn token(&mut self, kind: TokenKind, token: &str, first: bool) -> Result<Token, DocumentError> {
        if *self.ascii && !token.is_ascii() {
            return Err(malformed(self.start, "the declaration says US-ASCII, but here is another character"));
        }
        let is_declaration = first && is_xml_declaration(token);
        if first && self.encoding.needs_declaration() && !is_declaration {
            return Err(malformed(self.start, NEEDS_DECLARATION));
        }
        match kind {
            TokenKind::StartTag => self.start_tag(token),
            TokenKind::EndTag => self.end_tag(token),
            TokenKind::Text => self.text(token),
            TokenKind::Cdata => self.cdata(token),
            TokenKind::Reference => self.reference(token),
            TokenKind::Comment => self.passed_over(token, "<!--", "-->", declaration::check_comment),
            TokenKind::Instruction if is_declaration => {
                let (encoding, mut ascii) = (self.encoding, false);
                let outcome = self.passed_over(token, "<?", "?>", |content| {
                    ascii = declaration::check_declaration(content, encoding)?;
                    Ok(())
                });
                *self.ascii = ascii;
                outcome
            }
            TokenKind::Instruction => self.passed_over(token, "<?", "?>", declaration::check_instruction),
            TokenKind::Dtd => Err(malformed(self.start, "a DTD is refused: leave the DOCTYPE out")),
            TokenKind::Unknown => Err(malformed(self.start, "after `<!` only a comment or a CDATA section is read")),
        }
    }

    fn start_tag(&mut self, token: &str) -> Result<Token, DocumentError> {
        if self.stage == Stage::Epilog {
            return Err(malformed(self.start, "a second root element: a document has one"));
        }
        let (content, empty) = match token.strip_suffix("/>") {
            Some(content) => (content, true),
            None => (token.strip_suffix('>').unwrap_or(token), false),
        };
        self.tag.read(content.strip_prefix('<').unwrap_or(content), empty, self.start, self.limits)?;
        Ok(Token::Start { empty })
    }

    fn end_tag(&mut self, token: &str) -> Result<Token, DocumentError> {
        let name = token[2..token.len() - 1].trim_end_matches([' ', '\t', '\r', '\n']);
        match self.open.last() {
            Some((open, _)) if open == name => Ok(Token::End),
            Some((open, opened)) => {
                let message = format!("expected the end tag `</{open}>` of the element at {opened}");
                Err(malformed(self.start, message))
            }
            None => Err(malformed(self.start, "an end tag without an open element")),
        }
    }

    fn text(&mut self, token: &str) -> Result<Token, DocumentError> {
        if self.stage != Stage::Content {
            return match token.bytes().position(|byte| !is_space(byte)) {
                None => Ok(Token::Nothing),
                Some(offset) => Err(malformed(self.at(token, offset), "unexpected text outside of the root element")),
            };
        }
        let returns = text::check_text(token).map_err(|fault| self.fault(token, 0, fault))?;
        self.push(token, returns)
    }

    fn cdata(&mut self, token: &str) -> Result<Token, DocumentError> {
        self.expect_content()?;
        let content = &token[CDATA.len()..token.len() - "]]>".len()];
        text::check_characters(content).map_err(|fault| self.fault(token, CDATA.len(), fault))?;
        self.push(content, true)
    }

    fn reference(&mut self, token: &str) -> Result<Token, DocumentError> {
        self.expect_content()?;
        let Some(name) = token[1..].strip_suffix(';') else {
            return Err(self.fault(token, 0, text::unfinished(0)));
        };
        let character = text::resolve(name).map_err(|message| malformed(self.start, message))?;
        self.begin_text();
        self.text.push(character);
        Ok(Token::Text)
    }

    /// Appends text; `returns` says whether there may be a line end in it that is not handed on as it is.
    fn push(&mut self, content: &str, returns: bool) -> Result<Token, DocumentError> {
        if content.len() as u64 > self.limits.text_bytes {
            return Err(too_large(self.start, format!("a text longer than {} bytes", self.limits.text_bytes)));
        }
        self.begin_text();
        if returns {
            text::push_lines(content, self.text);
        } else {
            self.text.push_str(content);
        }
        Ok(Token::Text)
    }

    fn begin_text(&mut self) {
        if self.text.is_empty() {
            *self.text_position = self.start;
        }
    }

    /// A token that says nothing, but has to be right.
    fn passed_over(
        &self,
        token: &str,
        opening: &str,
        closing: &str,
        check: impl FnOnce(&str) -> Result<(), Fault>,
    ) -> Result<Token, DocumentError> {
        let content = &token[opening.len()..token.len() - closing.len()];
        check(content).map_err(|fault| self.fault(token, opening.len(), fault))?;
        Ok(Token::Nothing)
    }

    fn expect_content(&self) -> Result<(), DocumentError> {
        match self.stage {
            Stage::Content => Ok(()),
            _ => Err(malformed(self.start, "unexpected text outside of the root element")),
        }
    }

    /// The error about what is wrong in the content of a token, which begins behind its `opening`.
    fn fault(&self, token: &str, opening: usize, fault: Fault) -> DocumentError {
        malformed(self.at(token, opening + fault.offset), fault.message)
    }

    fn at(&self, token: &str, offset: usize) -> Position {
        self.start.after(&token.as_bytes()[..offset])
    }
}

/// Whether a token is `<?xml … ?>`, good or bad.
fn is_xml_declaration(token: &str) -> bool {
    let name = token.strip_prefix("<?xml").and_then(|rest| rest.bytes().next());
    name.is_some_and(|next| is_space(next) || next == b'?')
}
