//! What a reader hands on.

use std::sync::Arc;

use super::scope::Scope;
use super::tag::Tag;
use crate::document::Position;
use crate::document::element::{Attribute, Element, Name};
use crate::document::vocabulary::{self, Namespace};

/// What a document consists of. Comments and processing instructions are passed over, CDATA is text.
#[derive(Debug)]
pub enum XmlEvent<'a> {
    /// A start tag. An empty element's end follows as an event of its own.
    Start(StartTag<'a>),
    /// The end of the element that was opened last.
    End,
    /// Text with references resolved and line ends normalised. A long one comes in several pieces, and what lies between
    /// two tags comes in one if it is short.
    Text(&'a str),
    /// The end of the document.
    Eof,
}

/// A start tag.
#[derive(Debug)]
pub struct StartTag<'a> {
    pub(super) tag: &'a Tag,
    pub(super) scope: Option<&'a Arc<Scope>>,
}

impl<'a> StartTag<'a> {
    /// The name without prefix.
    #[must_use]
    pub fn local_name(&self) -> &'a str {
        self.tag.local(self.tag.name)
    }

    /// The namespace, if it has one.
    #[must_use]
    pub fn namespace(&self) -> Option<&'a str> {
        self.tag.namespace.as_deref()
    }

    /// The value of the attribute without namespace of that name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&'a str> {
        let tag = self.tag;
        tag.attributes
            .iter()
            .find(|attribute| attribute.namespace.is_none() && tag.local(attribute.name) == name)
            .map(|attribute| tag.get(attribute.value))
    }

    /// Where the tag stands.
    #[must_use]
    pub fn position(&self) -> Position {
        self.tag.position
    }

    /// The element as far as its tag says: with its attributes, without what it holds.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let tag = self.tag;
        let name = |raw, namespace: &Option<Namespace>| Name {
            prefix: tag.prefix(raw).map(Into::into),
            local: vocabulary::name(tag.local(raw)),
            namespace: namespace.clone(),
        };
        let attributes = tag.attributes.iter().map(|attribute| Attribute {
            name: name(attribute.name, &attribute.namespace),
            value: tag.get(attribute.value).into(),
            position: attribute.position,
        });
        Element {
            name: name(tag.name, &tag.namespace),
            position: tag.position,
            attributes: attributes.collect(),
            scope: self.scope.filter(|scope| scope.has_prefixes()).cloned(),
            children: Vec::new(),
        }
    }
}
