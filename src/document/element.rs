//! An element as it was written: the common form under every document kind, and what a pluggable part is configured from.

use std::borrow::Cow;
use std::fmt::Display;
use std::sync::Arc;

use super::characters::is_blank;
use super::reader::{self, Scope, TreeReader};
use super::vocabulary::Namespace;
use super::writer::XmlWriter;
use super::{DocumentError, Fields, Limits, Position, Unwritable, Value, vocabulary};

/// An XML element with everything in it, every node with its line and column.
///
/// Two elements are equal when they say the same: where they stand and which prefixes they are written with doesn't count.
#[derive(Debug, Clone)]
pub struct Element {
    pub(super) name: Name,
    pub(super) position: Position,
    pub(super) attributes: Vec<Attribute>,
    /// The namespaces that are declared here and around here, if there are prefixes among them: what one inside of a value
    /// may mean.
    pub(super) scope: Option<Arc<Scope>>,
    pub(super) children: Vec<Node>,
}

/// The name of an element or an attribute: its local part, the prefix that it was written with, and its namespace.
#[derive(Debug, Clone)]
pub struct Name {
    pub(super) prefix: Option<Box<str>>,
    pub(super) local: Cow<'static, str>,
    pub(super) namespace: Option<Namespace>,
}

/// An attribute; namespace declarations are not among them.
#[derive(Debug, Clone)]
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
#[derive(Debug, Clone)]
pub struct Text {
    pub(super) text: Cow<'static, str>,
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

    /// Whether it is nothing but white space.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        is_blank(&self.text)
    }
}

impl PartialEq for Element {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.attributes == other.attributes && self.children == other.children
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.local == other.local && self.namespace == other.namespace
    }
}

impl Eq for Name {}

impl PartialEq for Attribute {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.value == other.value
    }
}

impl Eq for Attribute {}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Text {}

impl Element {
    /// Reads a whole document: UTF-8, or UTF-16 that says so.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when it is not well-formed or goes over a bound.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, DocumentError> {
        reader::read_bytes(bytes, limits, None, |mut reader| {
            let root = TreeReader::default().read_root(&mut reader)?;
            reader.expect_end()?;
            Ok(root)
        })
    }

    /// Makes an element without attributes and content, in a namespace or in none.
    ///
    /// ```
    /// use rejoin::document::Element;
    ///
    /// let text = Element::new("text", Some("urn:example")).with_text("a < b");
    /// let echo = Element::new("echo", Some("urn:example")).with_attribute("name", "say").with_child(text);
    /// assert_eq!(
    ///     echo.to_xml().unwrap(),
    ///     "<echo xmlns=\"urn:example\" name=\"say\"><text>a &lt; b</text></echo>\n",
    /// );
    /// ```
    #[must_use]
    pub fn new(name: &str, namespace: Option<&str>) -> Self {
        Self {
            name: Name { prefix: None, local: vocabulary::name(name), namespace: namespace.map(Into::into) },
            position: Position::START,
            attributes: Vec::new(),
            scope: None,
            children: Vec::new(),
        }
    }

    /// The element with an attribute more, which is in no namespace.
    #[must_use]
    pub fn with_attribute(mut self, name: &str, value: impl Display) -> Self {
        self.add_attribute(name, value);
        self
    }

    /// The element with a child more, behind those it has.
    #[must_use]
    pub fn with_child(mut self, child: Self) -> Self {
        self.children.push(Node::Element(child));
        self
    }

    /// The element with text more, behind what it holds.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        self.add_text(text);
        self
    }

    pub(super) fn add_attribute(&mut self, name: &str, value: impl Display) {
        let name = Name { prefix: None, local: vocabulary::name(name), namespace: None };
        self.attributes.push(Attribute { name, value: value.to_string().into(), position: Position::START });
    }

    pub(super) fn add_text(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.children.push(Node::Text(Text { text: text.into(), position: Position::START }));
        }
    }

    /// Writes the element as a document of its own, with every namespace declaration that was in force where it was read.
    ///
    /// # Errors
    ///
    /// [`Unwritable`] when a text or a value holds a character that XML has no way to write, or a name is none.
    pub fn to_xml(&self) -> Result<String, Unwritable> {
        let mut writer = XmlWriter::new();
        writer.element(self);
        writer.finish()
    }

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

    /// Whether it holds nothing but white space.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.children.iter().all(|node| matches!(node, Node::Text(text) if text.is_blank()))
    }

    /// The value of the attribute without namespace of that name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name.namespace.is_none() && attribute.name.local == name)
            .map(|attribute| &*attribute.value)
    }

    /// The value of the attribute without namespace of that name, to be read as a typed value.
    #[must_use]
    pub fn attribute_value(&self, name: &str) -> Option<Value<'_>> {
        let named = |attribute: &&Attribute| attribute.name.namespace.is_none() && attribute.name.local == name;
        self.attributes.iter().find(named).map(|attribute| Value::of_attribute(self.local_name(), attribute))
    }

    /// Reads the element field by field, and refuses what nobody asked for.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(document: &str) -> Element {
        Element::parse(document.as_bytes(), &Limits::default()).unwrap()
    }

    #[test]
    fn an_element_is_written_as_it_was_read() {
        for document in [
            "<a/>\n",
            "<a b=\"&lt;&amp;&quot;&#10;&#9;&#13;&gt;'\">x&#13;\n<b/> y &lt;&amp;&gt; <c>z</c></a>\n",
            "<a xmlns=\"urn:a\"><b xmlns=\"\"><c xmlns=\"urn:c\"/></b></a>\n",
            "<p:a xmlns:p=\"urn:p\" p:x=\"1\"><p:b xmlns:p=\"urn:q\" p:x=\"2\"/></p:a>\n",
            "<a xml:lang=\"en\"/>\n",
        ] {
            assert_eq!(parse(document).to_xml().unwrap(), document);
        }
    }

    #[test]
    fn a_part_of_a_document_takes_its_namespaces_along() {
        let document =
            parse("<a xmlns='urn:a' xmlns:p='urn:p' xmlns:q='urn:q'><b xmlns:q='urn:r' type='p:t'><p:c/></b></a>");
        let part = document.elements().next().unwrap();
        let written = part.to_xml().unwrap();
        assert_eq!(written, "<b xmlns:q=\"urn:r\" xmlns=\"urn:a\" xmlns:p=\"urn:p\" type=\"p:t\"><p:c/></b>\n");
        assert_eq!(&parse(&written), part);
    }

    #[test]
    fn what_xml_cannot_hold_is_not_written() {
        let bad = Element::new("a", None).with_text("\0");
        assert_eq!(bad.to_xml(), Err(Unwritable::Character('\0')));
        let bad = Element::new("a", None).with_attribute("x", '\u{FFFF}');
        assert_eq!(bad.to_xml(), Err(Unwritable::Character('\u{FFFF}')));
        assert_eq!(Element::new("a b", None).to_xml(), Err(Unwritable::Name("a b".into())));
    }

    #[test]
    fn text_around_comments_and_cdata_is_one() {
        let element = parse("<a>x<!-- -->y<![CDATA[<]]>&#122;</a>");
        assert_eq!(element.text().unwrap(), "xy<z");
        assert_eq!(element.children().len(), 1);
    }
}
