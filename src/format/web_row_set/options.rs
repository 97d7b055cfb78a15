use crate::document::activities::TemporalColumns;

/// How [`WebRowSetWriter`](super::WebRowSetWriter) writes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebRowSetOptions {
    /// The command that gave the rows, which a rowset carries for its own use.
    pub command: Option<String>,
    /// How dates, times and time stamps are written.
    pub temporal: TemporalColumns,
}
