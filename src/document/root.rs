//! The root of a document: that it is of the kind that was expected.

use super::{DocumentError, Element, nearest};

/// Refuses a root of another name or namespace.
pub(super) fn check(root: &Element, name: &str, namespace: &str) -> Result<(), DocumentError> {
    let found = root.local_name();
    let message = if found != name {
        match nearest(found, [name]) {
            Some(_) => format!("unknown document `{found}`; did you mean `{name}`?"),
            None => format!("expected a document `{name}`, not `{found}`"),
        }
    } else if root.name().namespace() != Some(namespace) {
        let instead = root.name().namespace().map_or_else(|| "none".into(), |found| format!("`{found}`"));
        format!("`{name}` has to be in the namespace `{namespace}`, not {instead}: add `xmlns=\"{namespace}\"`")
    } else {
        return Ok(());
    };
    Err(DocumentError::invalid(root.position(), message))
}
