/// How [`WebRowSetWriter`](super::WebRowSetWriter) writes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebRowSetOptions {
    /// The command that gave the rows, which a rowset carries for its own use.
    pub command: Option<String>,
    /// How dates, times and time stamps are written.
    pub temporal: TemporalColumns,
}

/// How a `WebRowSet` carries dates, times and time stamps.
///
/// The schema of the documents does not say; Java's reader takes a column of one of these types for numbers of milliseconds
/// since 1970, and fails at anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TemporalColumns {
    /// As text in the forms of ISO 8601, with all their microseconds, in columns of the type `VARCHAR`. The name of the type
    /// is that of the source.
    #[default]
    Text,
    /// As milliseconds since 1970, in columns of the types `DATE`, `TIME` and `TIMESTAMP`. A value that is finer than a
    /// millisecond is an error.
    Milliseconds,
}

impl TemporalColumns {
    /// All names, in the order in which errors list them.
    pub const NAMES: [(&'static str, Self); 2] = [("text", Self::Text), ("milliseconds", Self::Milliseconds)];
}
