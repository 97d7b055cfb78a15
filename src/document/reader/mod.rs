//! The one reader of XML: a pull reader that is positioned, aware of namespaces, bounded, and as strict as XML 1.0.
//!
//! The tokens are cut by the parsers of `quick-xml`, which are fast because they check little. What a document may be is
//! checked here: the grammar of tags, declarations and comments, the characters, the references, the namespaces, that there
//! is one root and nothing but it, and that no bound of [`Limits`] is broken. A DTD is refused, so there are no entities but
//! the predefined ones.

mod cut;
mod declaration;
mod encoding;
mod event;
mod open;
mod scope;
mod source;
mod tag;
#[cfg(test)]
mod tests;
mod text;
mod token;
mod tree;

use std::io::BufRead;

pub use event::{StartTag, XmlEvent};
pub(super) use scope::{Scope, XML_NAMESPACE};
pub(super) use tree::TreeReader;

use self::cut::{Cutter, TokenKind};
use self::encoding::Encoding;
use self::open::OpenElements;
use self::scope::Scopes;
use self::source::{Source, Stop};
use self::tag::Tag;
use self::token::Handler;
use super::characters::is_blank;
use super::element::Element;
use super::{DocumentError, Limits, Position, Problem};

/// Text is handed on in pieces of about this size: the memory for it does not depend on the document.
const PIECE_BYTES: usize = 64 * 1024;

/// Reads a document event by event.
///
/// ```
/// use rejoin::document::{Limits, XmlEvent, XmlReader};
///
/// let mut reader = XmlReader::new(&b"<town><name>Perth</name></town>"[..], &Limits::default());
/// let mut texts = Vec::new();
/// loop {
///     match reader.next()? {
///         XmlEvent::Text(text) => texts.push(text.to_owned()),
///         XmlEvent::End => {}
///         XmlEvent::Start(tag) => assert!(tag.namespace().is_none()),
///         XmlEvent::Eof => break,
///     }
/// }
/// assert_eq!(texts, ["Perth"]);
/// # Ok::<(), rejoin::document::DocumentError>(())
/// ```
#[derive(Debug)]
pub struct XmlReader<R> {
    source: Source<R>,
    tag: Tag,
    /// Text that was read and not handed on yet.
    text: String,
    /// What was read behind the text that was handed on.
    held: Option<Token>,
    open: OpenElements,
    scopes: Scopes,
    limits: Limits,
    encoding: Encoding,
    ascii: bool,
    elements: u32,
    stage: Stage,
    /// Where the token begins that is read next.
    at: Position,
    position: Position,
    text_position: Position,
}

/// Where in the document the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing was read.
    Start,
    /// Before the root.
    Prolog,
    /// In the root.
    Content,
    /// After the root.
    Epilog,
}

/// A token as far as it is known outside of the token buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// A start tag, which stands in `tag`.
    Start {
        empty: bool,
    },
    End,
    /// Text, which was appended to `text`.
    Text,
    /// Something that says nothing.
    Nothing,
    Eof,
}

impl<R: BufRead> XmlReader<R> {
    /// Reads UTF-8, of any size that the limits allow.
    pub fn new(source: R, limits: &Limits) -> Self {
        Self::with_encoding(source, limits, Encoding::Utf8)
    }

    fn with_encoding(source: R, limits: &Limits, encoding: Encoding) -> Self {
        Self {
            source: Source::new(source, limits.document_bytes),
            tag: Tag::new(),
            text: String::with_capacity(256),
            held: None,
            open: OpenElements::new(),
            scopes: Scopes::default(),
            limits: limits.clone(),
            encoding,
            ascii: false,
            elements: 0,
            stage: Stage::Start,
            at: Position::START,
            position: Position::START,
            text_position: Position::START,
        }
    }

    /// Where the event that was returned last begins.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// What it reads from.
    pub(crate) fn source_mut(&mut self) -> &mut R {
        self.source.inner_mut()
    }

    /// How many elements are open.
    #[must_use]
    pub fn depth(&self) -> u32 {
        self.open.depth()
    }

    /// The next event. After [`XmlEvent::Eof`] it comes again and again.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] where the document is not well-formed, or goes over a bound. Reading on after an error has no
    /// meaning.
    // It lends what it returns, so it can't be the method of an iterator.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<XmlEvent<'_>, DocumentError> {
        let token = match self.held.take() {
            Some(token) => {
                self.text.clear();
                token
            }
            None => self.read()?,
        };
        Ok(match token {
            Token::Text | Token::Nothing => {
                self.position = self.text_position;
                XmlEvent::Text(&self.text)
            }
            Token::Start { empty } => {
                self.enter()?;
                self.position = self.tag.position;
                if empty {
                    self.held = Some(Token::End);
                }
                XmlEvent::Start(StartTag { tag: &self.tag, scope: self.scopes.current() })
            }
            Token::End => {
                self.scopes.pop(self.open.depth());
                self.open.pop();
                if self.open.last().is_none() {
                    self.stage = Stage::Epilog;
                }
                XmlEvent::End
            }
            Token::Eof => {
                self.held = Some(Token::Eof);
                XmlEvent::Eof
            }
        })
    }

    /// The start tag of the root.
    pub(super) fn expect_root(&mut self) -> Result<StartTag<'_>, DocumentError> {
        let position = self.position;
        match self.next()? {
            XmlEvent::Start(tag) => Ok(tag),
            _ => Err(malformed(position, "the document has no root element")),
        }
    }

    /// The start tag of the next child of an element that holds elements of one namespace and nothing else, or `None` at
    /// its end.
    pub(super) fn next_child(&mut self, parent: &str, namespace: &str) -> Result<Option<Element>, DocumentError> {
        loop {
            match self.next()? {
                XmlEvent::Start(tag) if tag.namespace() == Some(namespace) => return Ok(Some(tag.to_element())),
                XmlEvent::Start(tag) => {
                    let name = tag.local_name();
                    let message =
                        format!("unexpected element `{name}` in `{parent}`: it is not in the namespace `{namespace}`");
                    return Err(DocumentError::invalid(tag.position(), message));
                }
                XmlEvent::Text(text) if is_blank(text) => {}
                XmlEvent::Text(_) => {
                    return Err(DocumentError::invalid(self.position, format!("unexpected text in `{parent}`")));
                }
                XmlEvent::End | XmlEvent::Eof => return Ok(None),
            }
        }
    }

    /// The text of the event that was returned last.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The end of the document, after the end of its root.
    pub(super) fn expect_end(&mut self) -> Result<(), DocumentError> {
        match self.next()? {
            XmlEvent::Eof => Ok(()),
            _ => Err(malformed(self.position, "the document goes on after its root element")),
        }
    }

    /// The next token that says something; text before it goes first, and it is held.
    fn read(&mut self) -> Result<Token, DocumentError> {
        self.text.clear();
        loop {
            match self.read_token()? {
                Token::Nothing => {}
                Token::Text if self.text.len() < PIECE_BYTES => {}
                token if token == Token::Text || self.text.is_empty() => return Ok(token),
                token => {
                    self.held = Some(token);
                    return Ok(Token::Text);
                }
            }
        }
    }

    fn read_token(&mut self) -> Result<Token, DocumentError> {
        let first = self.stage == Stage::Start;
        if first {
            self.begin()?;
        }
        let Some((kind, length)) = self.cut_token()? else { return self.end_of_document() };
        let token = match self.source.bytes() {
            Ok(bytes) => &bytes[..length],
            Err(stop) => return Err(stopped(stop, self.at, &self.limits)),
        };
        let token = std::str::from_utf8(token)
            .map_err(|error| encoding::not_utf8(self.at.after(&token[..error.valid_up_to()])))?;
        let mut handler = Handler {
            tag: &mut self.tag,
            text: &mut self.text,
            text_position: &mut self.text_position,
            ascii: &mut self.ascii,
            open: &self.open,
            limits: &self.limits,
            encoding: self.encoding,
            stage: self.stage,
            start: self.at,
        };
        let outcome = handler.token(kind, token, first)?;
        match outcome {
            // It was counted for its attributes.
            Token::Start { .. } => self.at = self.tag.end,
            _ => self.at.advance(token.as_bytes()),
        }
        self.source.consume(length);
        Ok(outcome)
    }

    /// What the next token is, and its length. `None` is the end of the document.
    fn cut_token(&mut self) -> Result<Option<(TokenKind, usize)>, DocumentError> {
        let mut cutter = Cutter::new();
        loop {
            let bytes = self.source.bytes().map_err(|stop| stopped(stop, self.at, &self.limits))?;
            if bytes.is_empty() {
                return Ok(None);
            }
            let there = bytes.len();
            if let Some(length) = cutter.cut(bytes)
                && let Some(kind) = cutter.kind()
            {
                return Ok(Some((kind, length)));
            }
            if there as u64 > self.limits.text_bytes.saturating_add(PIECE_BYTES as u64) {
                let what = cutter.kind().map_or("a token", TokenKind::describe);
                return Err(too_large(self.at, format!("{what} longer than {} bytes", self.limits.text_bytes)));
            }
            match (self.source.gather(), cutter.kind()) {
                (Ok(()), _) => {}
                (Err(Stop::End), Some(TokenKind::Text)) => return Ok(Some((TokenKind::Text, there))),
                (Err(Stop::End), kind) => {
                    let what = kind.map_or("a tag", TokenKind::describe);
                    return Err(malformed(self.at, format!("{what} that does not end")));
                }
                (Err(stop), _) => {
                    let position = self.source.bytes().map_or(self.at, |bytes| self.at.after(bytes));
                    return Err(stopped(stop, position, &self.limits));
                }
            }
        }
    }

    /// What is done before the first token: a byte order mark is passed over, which is no character of the document.
    fn begin(&mut self) -> Result<(), DocumentError> {
        const MARK: &[u8] = &[0xEF, 0xBB, 0xBF];
        self.stage = Stage::Prolog;
        loop {
            let bytes = self.source.bytes().map_err(|stop| stopped(stop, self.at, &self.limits))?;
            if [[0xFF, 0xFE], [0xFE, 0xFF], [b'<', 0], [0, b'<']].iter().any(|utf16| bytes.starts_with(utf16)) {
                return Err(malformed(self.at, "UTF-16 is not read from a stream: send UTF-8"));
            }
            if bytes.starts_with(MARK) {
                self.source.consume(MARK.len());
                return Ok(());
            }
            if bytes.is_empty() || !MARK.starts_with(bytes) || self.source.gather().is_err() {
                return Ok(());
            }
        }
    }

    fn end_of_document(&self) -> Result<Token, DocumentError> {
        match (self.stage, self.open.last()) {
            (Stage::Epilog, _) => Ok(Token::Eof),
            (_, Some((open, opened))) => {
                let message = format!("the document ends inside of the element `{open}` of {opened}");
                Err(malformed(self.at, message))
            }
            _ => Err(malformed(self.at, "the document has no root element")),
        }
    }

    /// Goes into the element whose tag was read: from here on it is open.
    fn enter(&mut self) -> Result<(), DocumentError> {
        let depth = self.open.depth() + 1;
        let deepest = self.limits.depth.min(Limits::MOST_DEPTH);
        if depth > deepest {
            let message = format!("elements stand in each other deeper than {deepest}");
            return Err(too_large(self.tag.position, message));
        }
        self.elements += 1;
        if self.elements > self.limits.elements {
            let message = format!("more than {} elements", self.limits.elements);
            return Err(too_large(self.tag.position, message));
        }
        if !self.tag.declarations.is_empty() {
            self.scopes.push(depth, std::mem::take(&mut self.tag.declarations));
        }
        self.tag.resolve(self.scopes.current().map(|scope| &**scope))?;
        self.open.push(self.tag.written_name(), self.tag.position);
        self.stage = Stage::Content;
        Ok(())
    }
}

fn malformed(position: Position, message: impl Into<Box<str>>) -> DocumentError {
    DocumentError::new(Problem::Malformed, position, message)
}

fn too_large(position: Position, message: impl Into<Box<str>>) -> DocumentError {
    DocumentError::new(Problem::TooLarge, position, message)
}

/// The error where no more bytes come.
fn stopped(stop: Stop, position: Position, limits: &Limits) -> DocumentError {
    match stop {
        Stop::End => malformed(position, "the document ends too early"),
        Stop::TooLarge => too_large(position, format!("the document has more than {} bytes", limits.document_bytes)),
        Stop::Broken(error) => malformed(position, format!("the document breaks off: {error}")),
    }
}

/// Reads a whole document that is in memory, in any encoding that is read. `charset` is the parameter of the HTTP media
/// type, which goes before the XML declaration.
pub(super) fn read_bytes<T>(
    bytes: &[u8],
    limits: &Limits,
    charset: Option<&str>,
    read: impl FnOnce(XmlReader<&[u8]>) -> Result<T, DocumentError>,
) -> Result<T, DocumentError> {
    if bytes.len() as u64 > limits.document_bytes {
        return Err(too_large(Position::START, format!("the document has more than {} bytes", limits.document_bytes)));
    }
    let (utf8, encoding) = encoding::decode(bytes, charset)?;
    // In UTF-8 a document may be longer than it came in.
    let limits = &Limits { document_bytes: u64::MAX, ..limits.clone() };
    read(XmlReader::with_encoding(&utf8, limits, encoding))
}
