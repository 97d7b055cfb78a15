//! The elements that a reader is in.

use crate::document::Position;

/// The elements that are open: their names, one behind the other, and where their tags stand.
#[derive(Debug)]
pub(super) struct OpenElements {
    names: String,
    starts: Vec<(usize, Position)>,
}

impl OpenElements {
    pub(super) fn new() -> Self {
        Self { names: String::with_capacity(128), starts: Vec::with_capacity(8) }
    }

    pub(super) fn depth(&self) -> u32 {
        u32::try_from(self.starts.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn push(&mut self, name: &str, position: Position) {
        self.starts.push((self.names.len(), position));
        self.names.push_str(name);
    }

    /// The name of the innermost element and where its tag stands.
    pub(super) fn last(&self) -> Option<(&str, Position)> {
        self.starts.last().map(|(start, position)| (&self.names[*start..], *position))
    }

    pub(super) fn pop(&mut self) {
        if let Some((start, _)) = self.starts.pop() {
            self.names.truncate(start);
        }
    }
}
