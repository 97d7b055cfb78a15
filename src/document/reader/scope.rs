//! Which namespace a prefix stands for at a place in a document.

use std::sync::Arc;

use crate::document::vocabulary::Namespace;

/// The namespace of the prefix `xml`, which every document has.
pub(in crate::document) const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of the prefix `xmlns`, which nothing may be bound to.
pub(super) const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";

/// The declarations of one start tag, and those around it. Elements without declarations share the scope of their parent.
#[derive(Debug)]
pub(in crate::document) struct Scope {
    declarations: Vec<Declaration>,
    outer: Option<Arc<Scope>>,
    has_prefixes: bool,
}

/// `xmlns="…"` (without prefix) or `xmlns:p="…"`; an empty namespace takes the default back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::document) struct Declaration {
    pub(in crate::document) prefix: Option<Box<str>>,
    pub(in crate::document) namespace: Namespace,
}

impl Scope {
    pub(in crate::document) fn new(declarations: Vec<Declaration>, outer: Option<Arc<Self>>) -> Self {
        let has_prefixes = outer.as_ref().is_some_and(|outer| outer.has_prefixes)
            || declarations.iter().any(|declaration| declaration.prefix.is_some());
        Self { declarations, outer, has_prefixes }
    }

    /// Whether a prefix is declared here or around here.
    pub(in crate::document) fn has_prefixes(&self) -> bool {
        self.has_prefixes
    }

    /// The declaration that holds for a prefix.
    pub(in crate::document) fn find(&self, prefix: Option<&str>) -> Option<&Namespace> {
        let mut scope = Some(self);
        while let Some(here) = scope {
            if let Some(found) = here.declarations.iter().find(|declaration| declaration.prefix.as_deref() == prefix) {
                return Some(&found.namespace);
            }
            scope = here.outer.as_deref();
        }
        None
    }

    /// Every declaration that holds here, the innermost first, none that is hidden by another.
    pub(in crate::document) fn in_force(&self) -> Vec<&Declaration> {
        let mut found: Vec<&Declaration> = Vec::new();
        let mut scope = Some(self);
        while let Some(here) = scope {
            for declaration in &here.declarations {
                if !found.iter().any(|inner| inner.prefix == declaration.prefix) {
                    found.push(declaration);
                }
            }
            scope = here.outer.as_deref();
        }
        found
    }
}

/// The scopes of the elements that are open.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    /// Scopes with the depth of the element that made them.
    open: Vec<(u32, Arc<Scope>)>,
}

impl Scopes {
    /// The innermost scope.
    pub(super) fn current(&self) -> Option<&Arc<Scope>> {
        self.open.last().map(|(_, scope)| scope)
    }

    /// Opens the scope of an element with declarations.
    pub(super) fn push(&mut self, depth: u32, declarations: Vec<Declaration>) {
        let outer = self.current().cloned();
        self.open.push((depth, Arc::new(Scope::new(declarations, outer))));
    }

    /// Closes the scope of the element of that depth, if it has one of its own.
    pub(super) fn pop(&mut self, depth: u32) {
        if self.open.last().is_some_and(|(owner, _)| *owner == depth) {
            self.open.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declaration(prefix: Option<&str>, namespace: &str) -> Declaration {
        Declaration { prefix: prefix.map(Into::into), namespace: namespace.into() }
    }

    #[test]
    fn the_innermost_declaration_of_a_prefix_holds() {
        let mut scopes = Scopes::default();
        scopes.push(1, vec![declaration(None, "urn:a"), declaration(Some("p"), "urn:p")]);
        scopes.push(3, vec![declaration(None, "")]);
        let scope = scopes.current().unwrap();
        assert_eq!(scope.find(None).map(|namespace| &**namespace), Some(""));
        assert_eq!(scope.find(Some("p")).map(|namespace| &**namespace), Some("urn:p"));
        assert_eq!(scope.find(Some("q")), None);
        assert_eq!(scope.in_force(), [&declaration(None, ""), &declaration(Some("p"), "urn:p")]);
        scopes.pop(4);
        scopes.pop(3);
        assert_eq!(scopes.current().unwrap().find(None).map(|namespace| &**namespace), Some("urn:a"));
    }
}
