//! The one writer of XML documents: into a string, indented, with everything escaped that a reader would change.

use std::borrow::Cow;
use std::fmt::Display;
use std::sync::Arc;

use super::characters::is_ncname;
use super::element::{Element, Name, Node};
use super::escape::{Place, escape};
use super::reader::{Scope, XML_NAMESPACE};
use super::vocabulary::Namespace;

/// Why something can't be written as XML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unwritable {
    /// XML has no way to write this character, not even as a reference.
    #[error("the character U+{:04X} can't stand in XML; send the data as bytes", u32::from(*.0))]
    Character(char),
    /// This is not a name: a letter or `_`, then letters, digits, `-`, `_` and `.`.
    #[error("`{0}` is not a name in XML")]
    Name(Box<str>),
    /// Data for a result that was not begun, or not with data of this kind.
    #[error("no result is open that takes this data")]
    OutOfPlace,
}

/// Writes elements, attributes and text. What can't be written is kept in mind, and [`XmlWriter::finish`] says it.
#[derive(Debug, Default)]
pub(super) struct XmlWriter {
    out: String,
    open: Vec<Open>,
    /// The namespace declarations in force, the innermost last; with each the number of open elements it belongs to.
    declared: Vec<(usize, Option<Box<str>>, Namespace)>,
    /// Whether the start tag that was written last lacks its `>`.
    in_tag: bool,
    problem: Option<Unwritable>,
}

/// An element that is open.
#[derive(Debug)]
struct Open {
    /// Its name with its prefix, as a range of what was written.
    name: (usize, usize),
    /// Whether an element stands in it, and no text before: then its end tag gets a line of its own.
    has_elements: bool,
    has_text: bool,
}

impl XmlWriter {
    pub(super) fn new() -> Self {
        Self { out: String::with_capacity(512), ..Self::default() }
    }

    /// A writer of parts of a document in that namespace, which is the default there already.
    pub(super) fn inside(namespace: &str) -> Self {
        Self { declared: vec![(0, None, namespace.into())], ..Self::default() }
    }

    /// Begins the root of a document of ours: every element of it is in that namespace.
    pub(super) fn root(&mut self, name: &str, namespace: &str) {
        self.start(name);
        self.declare(None, &Namespace::from(namespace));
    }

    /// Begins an element in the default namespace.
    pub(super) fn start(&mut self, name: &str) {
        self.begin_child();
        self.open_tag(name);
    }

    /// An attribute of the element that was just begun.
    pub(super) fn attribute(&mut self, name: &str, value: impl Display) {
        self.out.push(' ');
        self.name(name);
        self.out.push_str("=\"");
        self.escaped(&value.to_string(), Place::Attribute);
        self.out.push('"');
    }

    /// An attribute that is left out when there is no value.
    pub(super) fn optional(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.attribute(name, value);
        }
    }

    /// Text of the element that was begun last.
    pub(super) fn text(&mut self, text: &str) {
        self.close_tag();
        if let Some(open) = self.open.last_mut() {
            open.has_text = true;
        }
        self.escaped(text, Place::Content);
    }

    /// Ends the element that was begun last.
    pub(super) fn end(&mut self) {
        let Some(open) = self.open.pop() else { return };
        if self.in_tag {
            self.out.push_str("/>");
            self.in_tag = false;
        } else {
            if open.has_elements && !open.has_text {
                self.line();
            }
            self.out.push_str("</");
            self.out.extend_from_within(open.name.0..open.name.1);
            self.out.push('>');
        }
        let depth = self.open.len();
        self.declared.retain(|(owner, _, _)| *owner <= depth);
    }

    /// An element that holds text alone.
    pub(super) fn text_element(&mut self, name: &str, text: &str) {
        self.start(name);
        self.text(text);
        self.end();
    }

    /// The document, if all of it could be written.
    pub(super) fn finish(mut self) -> Result<String, Unwritable> {
        self.out.push('\n');
        match self.problem {
            None => Ok(self.out),
            Some(problem) => Err(problem),
        }
    }

    /// The document, with U+FFFD for every character that XML has no way to write: for what has to be said in any case.
    pub(super) fn finish_lossy(mut self) -> String {
        self.out.push('\n');
        self.out
    }

    /// An element as it was read, with the namespace declarations that it needs at this place.
    pub(super) fn element(&mut self, element: &Element) {
        self.begin_child();
        self.verbatim(element, None);
    }

    fn verbatim(&mut self, element: &Element, outer: Option<&Arc<Scope>>) {
        self.open_tag(&written(&element.name));
        self.declare_for(element, outer);
        for attribute in &element.attributes {
            self.attribute(&written(&attribute.name), &attribute.value);
        }
        for node in &element.children {
            match node {
                Node::Text(text) => self.text(text.as_str()),
                Node::Element(child) => {
                    self.close_tag();
                    self.verbatim(child, element.scope.as_ref());
                }
            }
        }
        self.end();
    }

    /// Declares what is in force where the element was read and is not here, and what its own name needs.
    fn declare_for(&mut self, element: &Element, outer: Option<&Arc<Scope>>) {
        if let Some(scope) = &element.scope
            && !outer.is_some_and(|outer| Arc::ptr_eq(outer, scope))
        {
            for declaration in scope.in_force() {
                self.need(declaration.prefix.as_deref(), &declaration.namespace);
            }
        }
        let no_namespace = Namespace::from("");
        self.need(element.name.prefix.as_deref(), element.name.namespace.as_ref().unwrap_or(&no_namespace));
    }

    /// Sees to it that a prefix stands for a namespace in the element that was just begun.
    fn need(&mut self, prefix: Option<&str>, namespace: &Namespace) {
        if &**namespace == XML_NAMESPACE {
            return;
        }
        let declared = self.declared.iter().rev().find(|(_, known, _)| known.as_deref() == prefix);
        let in_force = declared.map_or("", |(_, _, namespace)| &**namespace);
        if in_force != &**namespace {
            self.declare(prefix, namespace);
        }
    }

    fn declare(&mut self, prefix: Option<&str>, namespace: &Namespace) {
        match prefix {
            None => self.attribute("xmlns", &**namespace),
            Some(prefix) => self.attribute(&format!("xmlns:{prefix}"), &**namespace),
        }
        self.declared.push((self.open.len(), prefix.map(Into::into), namespace.clone()));
    }

    /// Makes place for an element in the one that is open.
    fn begin_child(&mut self) {
        self.close_tag();
        let Some(parent) = self.open.last_mut() else { return };
        parent.has_elements = true;
        if !parent.has_text {
            self.line();
        }
    }

    fn open_tag(&mut self, name: &str) {
        self.out.push('<');
        let start = self.out.len();
        self.name(name);
        self.open.push(Open { name: (start, self.out.len()), has_elements: false, has_text: false });
        self.in_tag = true;
    }

    fn close_tag(&mut self) {
        if self.in_tag {
            self.out.push('>');
            self.in_tag = false;
        }
    }

    fn line(&mut self) {
        self.out.push('\n');
        for _ in &self.open {
            self.out.push_str("  ");
        }
    }

    fn name(&mut self, name: &str) {
        if !is_ncname(name) && !name.split(':').all(is_ncname) {
            self.problem.get_or_insert_with(|| Unwritable::Name(name.into()));
        }
        self.out.push_str(name);
    }

    fn escaped(&mut self, text: &str, place: Place) {
        if let Some(character) = escape(text, place, |piece| self.out.push_str(piece)) {
            self.problem.get_or_insert(Unwritable::Character(character));
        }
    }
}

fn written(name: &Name) -> Cow<'_, str> {
    match &name.prefix {
        Some(prefix) => format!("{prefix}:{}", name.local).into(),
        None => name.local().into(),
    }
}
