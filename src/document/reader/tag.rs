//! Start tags: names, attributes and namespace declarations, read strictly.

use super::scope::{Declaration, Scope, XML_NAMESPACE, XMLNS_NAMESPACE};
use super::text::{self, Fault};
use crate::document::characters::{SPECIAL, SUSPECT, is_space, kinds_of, ncname_length};
use crate::document::vocabulary::Namespace;
use crate::document::{DocumentError, Limits, Position, Problem};

/// A part of [`Tag::text`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    start: usize,
    end: usize,
}

/// A name as it is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawName {
    prefix: Option<Span>,
    local: Span,
}

/// An attribute as it is written, its value normalised.
#[derive(Debug)]
pub(super) struct RawAttribute {
    pub(super) name: RawName,
    pub(super) namespace: Option<Namespace>,
    pub(super) value: Span,
    pub(super) position: Position,
}

/// The start tag that was read last. The memory of one is used again for the next.
#[derive(Debug)]
pub(super) struct Tag {
    /// The tag as it stands, without its brackets; after it the values that had to be normalised.
    text: String,
    pub(super) name: RawName,
    pub(super) namespace: Option<Namespace>,
    pub(super) attributes: Vec<RawAttribute>,
    pub(super) declarations: Vec<Declaration>,
    pub(super) position: Position,
    /// Behind its last bracket.
    pub(super) end: Position,
}

impl Tag {
    pub(super) fn new() -> Self {
        Self {
            text: String::with_capacity(128),
            name: RawName { prefix: None, local: Span { start: 0, end: 0 } },
            namespace: None,
            attributes: Vec::with_capacity(4),
            declarations: Vec::new(),
            position: Position::START,
            end: Position::START,
        }
    }

    pub(super) fn get(&self, span: Span) -> &str {
        &self.text[span.start..span.end]
    }

    pub(super) fn local(&self, name: RawName) -> &str {
        self.get(name.local)
    }

    pub(super) fn prefix(&self, name: RawName) -> Option<&str> {
        name.prefix.map(|prefix| self.get(prefix))
    }

    /// The name of the element as it is written, with its prefix.
    pub(super) fn written_name(&self) -> &str {
        let start = self.name.prefix.unwrap_or(self.name.local).start;
        &self.text[start..self.name.local.end]
    }

    /// Reads a tag that begins at `position` and holds `content` between its brackets. Namespaces are not looked up yet.
    pub(super) fn read(
        &mut self,
        content: &str,
        empty: bool,
        position: Position,
        limits: &Limits,
    ) -> Result<(), DocumentError> {
        self.text.clear();
        self.text.push_str(content);
        self.attributes.clear();
        self.declarations.clear();
        self.position = position;
        let mut scanner = Scanner { content, at: 0, counted: 0, position, limits };
        scanner.position.column = scanner.position.column.saturating_add(1);
        self.name = scanner.name("an element")?;
        while let Some(name) = scanner.next_attribute()? {
            self.read_attribute(name, &mut scanner)?;
        }
        self.end = scanner.position_of(content.len()).after(if empty { b"/>" } else { b">" });
        Ok(())
    }

    fn read_attribute(&mut self, name: RawName, scanner: &mut Scanner<'_>) -> Result<(), DocumentError> {
        let position = scanner.position;
        if self.attributes.len() + self.declarations.len()
            >= scanner.limits.attributes.min(Limits::MOST_ATTRIBUTES) as usize
        {
            let message =
                format!("more than {} attributes in one tag", scanner.limits.attributes.min(Limits::MOST_ATTRIBUTES));
            return Err(DocumentError::new(Problem::TooLarge, position, message));
        }
        let value = self.read_value(scanner)?;
        let declared = match self.prefix(name) {
            None if self.local(name) == "xmlns" => Some(None),
            Some("xmlns") => Some(Some(self.local(name))),
            _ => None,
        };
        if let Some(prefix) = declared {
            let declaration = declaration(prefix, self.get(value)).map_err(|message| malformed(position, message))?;
            if self.declarations.iter().any(|earlier| earlier.prefix == declaration.prefix) {
                return Err(malformed(position, "the namespace declaration stands twice in the tag"));
            }
            self.declarations.push(declaration);
        } else {
            if self.attributes.iter().any(|earlier| self.same_name(earlier.name, name)) {
                return Err(twice(position, self.local(name)));
            }
            self.attributes.push(RawAttribute { name, namespace: None, value, position });
        }
        Ok(())
    }

    /// The value, taken over as it stands where nothing has to be normalised.
    fn read_value(&mut self, scanner: &mut Scanner<'_>) -> Result<Span, DocumentError> {
        let (raw, kinds) = scanner.value()?;
        if (raw.end - raw.start) as u64 > scanner.limits.text_bytes {
            let message = format!("an attribute value longer than {} bytes", scanner.limits.text_bytes);
            return Err(DocumentError::new(Problem::TooLarge, scanner.position, message));
        }
        if kinds & (SPECIAL | SUSPECT) == 0 {
            return Ok(raw);
        }
        let content = &scanner.content[raw.start..raw.end];
        let start = self.text.len();
        let outcome =
            text::check_characters(content).and_then(|()| text::push_attribute_value(content, &mut self.text));
        outcome.map_err(|Fault { offset, message }| malformed(scanner.position_of(raw.start + offset), message))?;
        Ok(Span { start, end: self.text.len() })
    }

    fn same_name(&self, one: RawName, other: RawName) -> bool {
        self.local(one) == self.local(other) && self.prefix(one) == self.prefix(other)
    }

    /// Looks the namespaces up, in the scope that holds inside of the tag.
    pub(super) fn resolve(&mut self, scope: Option<&Scope>) -> Result<(), DocumentError> {
        self.namespace = match self.name.prefix {
            Some(prefix) => Some(lookup(self.get(prefix), scope, self.position)?),
            None => scope.and_then(|scope| scope.find(None)).filter(|namespace| !namespace.is_empty()).cloned(),
        };
        for index in 0..self.attributes.len() {
            let attribute = &self.attributes[index];
            let Some(prefix) = attribute.name.prefix else { continue };
            let namespace = lookup(self.get(prefix), scope, attribute.position)?;
            let local = self.local(attribute.name);
            let same = |earlier: &RawAttribute| {
                earlier.namespace.as_ref() == Some(&namespace) && self.local(earlier.name) == local
            };
            if self.attributes[..index].iter().any(same) {
                return Err(twice(attribute.position, local));
            }
            self.attributes[index].namespace = Some(namespace);
        }
        Ok(())
    }
}

fn malformed(position: Position, message: impl Into<Box<str>>) -> DocumentError {
    DocumentError::new(Problem::Malformed, position, message)
}

fn twice(position: Position, local: &str) -> DocumentError {
    malformed(position, format!("the attribute `{local}` stands twice in the tag"))
}

fn lookup(prefix: &str, scope: Option<&Scope>, position: Position) -> Result<Namespace, DocumentError> {
    if prefix == "xml" {
        return Ok(XML_NAMESPACE.into());
    }
    match scope.and_then(|scope| scope.find(Some(prefix))) {
        Some(namespace) => Ok(namespace.clone()),
        None => Err(malformed(position, format!("the prefix `{prefix}` is not declared: add `xmlns:{prefix}=\"…\"`"))),
    }
}

/// Checks a declaration as Namespaces in XML 1.0 says.
fn declaration(prefix: Option<&str>, namespace: &str) -> Result<Declaration, &'static str> {
    match prefix {
        Some("xmlns") => return Err("the prefix `xmlns` can't be declared"),
        Some("xml") if namespace != XML_NAMESPACE => {
            return Err("the prefix `xml` can't be bound to another namespace");
        }
        Some(_) if namespace.is_empty() => return Err("a prefix can't be bound to no namespace"),
        Some("xml") => {}
        _ if namespace == XML_NAMESPACE => return Err("only the prefix `xml` can be bound to the namespace of XML"),
        _ if namespace == XMLNS_NAMESPACE => return Err("nothing can be bound to the namespace of declarations"),
        _ => {}
    }
    Ok(Declaration { prefix: prefix.map(Into::into), namespace: namespace.into() })
}

/// Goes over a tag from left to right.
struct Scanner<'a> {
    content: &'a str,
    at: usize,
    /// `position` is that of this byte.
    counted: usize,
    position: Position,
    limits: &'a Limits,
}

impl Scanner<'_> {
    /// A name with or without a prefix.
    fn name(&mut self, what: &str) -> Result<RawName, DocumentError> {
        let first = self.ncname(what)?;
        let mut name = RawName { prefix: None, local: first };
        if self.peek() == Some(b':') {
            self.at += 1;
            name = RawName { prefix: Some(first), local: self.ncname(what)? };
        }
        if (self.at - first.start) as u64 > u64::from(self.limits.name_bytes) {
            let message = format!("a name longer than {} bytes", self.limits.name_bytes);
            return Err(DocumentError::new(Problem::TooLarge, self.position_of(first.start), message));
        }
        Ok(name)
    }

    fn ncname(&mut self, what: &str) -> Result<Span, DocumentError> {
        let start = self.at;
        let length = ncname_length(&self.content[start..]);
        if length == 0 {
            let message = match self.content[start..].chars().next() {
                Some(found) => format!("expected the name of {what}, not `{}`", found.escape_debug()),
                None => format!("expected the name of {what}"),
            };
            return Err(malformed(self.position_of(start), message));
        }
        self.at += length;
        Ok(Span { start, end: self.at })
    }

    /// The name of the next attribute and the `=` after it; `position` is left at the name.
    fn next_attribute(&mut self) -> Result<Option<RawName>, DocumentError> {
        let before = self.at;
        self.skip_space();
        if self.at == self.content.len() {
            return Ok(None);
        }
        self.position_of(self.at);
        if self.at == before {
            let found = self.content[before..].chars().next().unwrap_or_default();
            return Err(malformed(self.position, format!("unexpected `{}` in a tag", found.escape_debug())));
        }
        let name = self.name("an attribute")?;
        self.skip_space();
        if self.peek() != Some(b'=') {
            return Err(malformed(
                self.position_of(self.at),
                "expected `=` and a value after the name of an attribute",
            ));
        }
        self.at += 1;
        Ok(Some(name))
    }

    /// A value in quotes: what stands between them, and what kinds of bytes are in it.
    fn value(&mut self) -> Result<(Span, u8), DocumentError> {
        self.skip_space();
        let Some(quote @ (b'"' | b'\'')) = self.peek() else {
            return Err(malformed(self.position_of(self.at), "the value of an attribute has to stand in quotes"));
        };
        let start = self.at + 1;
        let mut kinds = 0;
        for (length, byte) in self.content.as_bytes()[start..].iter().enumerate() {
            if *byte == quote {
                self.at = start + length + 1;
                return Ok((Span { start, end: start + length }, kinds));
            }
            kinds |= kinds_of(*byte);
        }
        Err(malformed(self.position_of(self.at), "the value of an attribute does not end"))
    }

    fn peek(&self) -> Option<u8> {
        self.content.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
    }

    /// Counts on to a byte and says where it stands. It never goes back.
    fn position_of(&mut self, offset: usize) -> Position {
        if offset > self.counted {
            self.position.advance(&self.content.as_bytes()[self.counted..offset]);
            self.counted = offset;
        }
        self.position
    }
}
