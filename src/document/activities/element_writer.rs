use std::fmt::Display;

use crate::document::element::Node;
use crate::document::{Element, TYPES_NAMESPACE};

/// Writes an activity's element field by field: what [`Fields`](crate::document::Fields) reads, the other way round.
///
/// What XML can't hold is told when the document is written
/// ([`PerformDocument::to_xml`](crate::document::PerformDocument::to_xml)).
#[derive(Debug)]
pub struct ElementWriter {
    element: Element,
    /// The name of the step.
    step: Box<str>,
}

impl ElementWriter {
    /// Begins the element of a step.
    pub(super) fn new(element: &str, step: &str) -> Self {
        let element = Element::new(element, Some(TYPES_NAMESPACE)).with_attribute("name", step);
        Self { element, step: step.into() }
    }

    pub(super) fn finish(self) -> Element {
        self.element
    }

    /// The name of the step that is written.
    #[must_use]
    pub fn step(&self) -> &str {
        &self.step
    }

    /// An attribute more.
    pub fn attribute(&mut self, name: &str, value: impl Display) {
        self.element.add_attribute(name, value);
    }

    /// An attribute more, if there is a value.
    pub fn optional(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.attribute(name, value);
        }
    }

    /// An attribute more, unless it says what holds without it.
    pub fn unless_default<T: PartialEq + Display>(&mut self, name: &str, value: T, default: T) {
        if value != default {
            self.attribute(name, value);
        }
    }

    /// Text, behind what is there.
    pub fn text(&mut self, text: &str) {
        self.element.add_text(text);
    }

    /// A child, behind those that are there.
    pub fn child(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        let element = Element::new(name, Some(TYPES_NAMESPACE));
        let mut child = Self { element, step: std::mem::take(&mut self.step) };
        write(&mut child);
        self.step = child.step;
        self.element(child.element);
    }

    /// A child that holds text alone.
    pub fn text_child(&mut self, name: &str, text: &str) {
        self.child(name, |child| child.text(text));
    }

    /// A child that was made already.
    pub fn element(&mut self, child: Element) {
        self.element.children.push(Node::Element(child));
    }
}
