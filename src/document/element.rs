//! An element as it was written: the common form under every document kind, and what a pluggable part is configured from.

use std::borrow::Cow;
use std::sync::Arc;

use super::{DocumentError, Fields, Position, Value};

/// An XML element with everything in it, every node with its line and column.
#[derive(Debug, Clone, PartialEq)]
pub struct Element {
    pub(super) name: Name,
    pub(super) position: Position,
    pub(super) attributes: Vec<Attribute>,
    pub(super) declarations: Vec<NamespaceDeclaration>,
    pub(super) children: Vec<Node>,
}

/// The name of an element or an attribute: its local part, the prefix that it was written with, and its namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    pub(super) prefix: Option<Box<str>>,
    pub(super) local: Box<str>,
    pub(super) namespace: Option<Arc<str>>,
}

/// `xmlns="…"` or `xmlns:p="…"` as it stands in a start tag: kept so that the element can be written again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamespaceDeclaration {
    pub(super) prefix: Option<Box<str>>,
    pub(super) namespace: Arc<str>,
}

/// An attribute; namespace declarations are not among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    pub(super) name: Name,
    pub(super) value: Box<str>,
    pub(super) position: Position,
}

/// What an element holds. Comments and processing instructions are not kept; text on both sides of one is joined.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// A child.
    Element(Element),
    /// Text and CDATA.
    Text(Text),
}

/// A piece of text between two tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub(super) text: Box<str>,
    pub(super) position: Position,
}

impl Name {
    /// The name without prefix.
    #[must_use]
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The namespace, if it has one.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }
}

impl Attribute {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The value, normalised as XML says.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Where the attribute stands.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }
}

impl Text {
    /// The text, with references resolved and line ends normalised.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Where it begins.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    pub(super) fn is_blank(&self) -> bool {
        self.text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
    }
}

impl Element {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The name without prefix.
    #[must_use]
    pub fn local_name(&self) -> &str {
        &self.name.local
    }

    /// Where its start tag begins.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Its attributes, in order.
    #[must_use]
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// What it holds, in order.
    #[must_use]
    pub fn children(&self) -> &[Node] {
        &self.children
    }

    /// Its child elements, in order.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The value of the attribute without namespace of that name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name.namespace.is_none() && &*attribute.name.local == name)
            .map(|attribute| &*attribute.value)
    }

    /// Reads the element field by field, and refuses what nobody asked for.
    #[must_use]
    pub fn fields(&self) -> Fields<'_> {
        Fields::of(self)
    }

    /// The text of an element that holds text alone.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] at the first child element.
    pub fn text(&self) -> Result<Cow<'_, str>, DocumentError> {
        let mut whole = Cow::Borrowed("");
        for node in &self.children {
            match node {
                Node::Text(text) if whole.is_empty() => whole = Cow::Borrowed(text.as_str()),
                Node::Text(text) => whole.to_mut().push_str(text.as_str()),
                Node::Element(child) => {
                    return Err(DocumentError::invalid(
                        child.position,
                        format!("unexpected element `{}`: `{}` holds text only", child.local_name(), self.local_name()),
                    ));
                }
            }
        }
        Ok(whole)
    }

    /// The text of an element that has neither attributes nor child elements.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] at the first attribute or child element.
    pub fn text_only(&self) -> Result<Cow<'_, str>, DocumentError> {
        self.fields().finish_attributes()?;
        self.text()
    }

    /// The text of an element that holds text alone, to be read as a typed value.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] at the first child element.
    pub fn value(&self) -> Result<Value<'_>, DocumentError> {
        let position = match self.children.first() {
            Some(Node::Text(text)) => text.position,
            _ => self.position,
        };
        Ok(Value::of_element(self.local_name(), self.text()?, position))
    }
}
