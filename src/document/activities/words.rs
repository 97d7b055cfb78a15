//! The settings that are one of a few words.

/// What ends a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LineBreak {
    /// Carriage return.
    Cr,
    /// Line feed.
    #[default]
    Lf,
    /// Carriage return and line feed.
    CrLf,
}

impl LineBreak {
    /// All names, in the order in which errors list them.
    pub const NAMES: [(&'static str, Self); 3] = [("CR", Self::Cr), ("LF", Self::Lf), ("CRLF", Self::CrLf)];

    /// The characters.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Cr => "\r",
            Self::Lf => "\n",
            Self::CrLf => "\r\n",
        }
    }
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

/// What holds the objects, one for each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum JsonForm {
    /// One array.
    #[default]
    Array,
    /// Nothing: each object is a line of its own (JSON Lines).
    Lines,
}

impl JsonForm {
    /// All names, in the order in which errors list them.
    pub const NAMES: [(&'static str, Self); 2] = [("array", Self::Array), ("lines", Self::Lines)];
}

/// How the values in an Arrow stream are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ArrowCompression {
    /// Not at all.
    #[default]
    None,
    /// By Zstandard, block by block.
    Zstd,
}

impl ArrowCompression {
    /// All names, in the order in which errors list them.
    pub const NAMES: [(&'static str, Self); 2] = [("none", Self::None), ("zstd", Self::Zstd)];
}

/// How the values in a Parquet file are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ParquetCompression {
    /// By Snappy: quick, and every reader has it.
    #[default]
    Snappy,
    /// By Zstandard: smaller.
    Zstd,
    /// Not at all.
    None,
}

impl ParquetCompression {
    /// All names, in the order in which errors list them.
    pub const NAMES: [(&'static str, Self); 3] = [("snappy", Self::Snappy), ("zstd", Self::Zstd), ("none", Self::None)];
}

/// What a transaction may see of others that run beside it: the levels of SQL.
///
/// ```
/// use rejoin::document::activities::{ActivityElement, Isolation, TransactionManagement, TransactionOperation};
///
/// let begin = TransactionOperation::Begin { isolation: Some(Isolation::Serializable), read_only: false };
/// let step = TransactionManagement::new(begin).step("begin");
/// assert_eq!(step.element.elements().next().map(|child| child.local_name()), Some("begin"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Isolation {
    /// Also what others have not committed.
    ReadUncommitted,
    /// What others have committed, at each statement.
    ReadCommitted,
    /// Rows that were read once stay as they are.
    RepeatableRead,
    /// As if nobody else were there.
    Serializable,
}

impl Isolation {
    /// The names, as documents have them.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("readUncommitted", Self::ReadUncommitted),
        ("readCommitted", Self::ReadCommitted),
        ("repeatableRead", Self::RepeatableRead),
        ("serializable", Self::Serializable),
    ];

    /// The name, as documents have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        word(&Self::NAMES, self)
    }
}

/// What becomes of what a session attribute holds when a stream is delivered to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DeliveryMode {
    /// The stream takes its place.
    #[default]
    Replace,
    /// The stream goes behind it.
    Append,
}

impl DeliveryMode {
    /// All names, in the order in which errors list them.
    pub const NAMES: [(&'static str, Self); 2] = [("replace", Self::Replace), ("append", Self::Append)];
}

/// When it counts how far an ingestion has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum IngestSave {
    /// At once after every page, whatever becomes of the request.
    #[default]
    Page,
    /// When the request completes, with the other changes of the session.
    Request,
}

impl IngestSave {
    /// All names, in the order in which errors list them.
    pub const NAMES: [(&'static str, Self); 2] = [("page", Self::Page), ("request", Self::Request)];
}

/// What the text of a parameter is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ParameterType {
    /// As it is: it takes on the type of what it is compared with or stored into.
    #[default]
    Text,
    /// A whole number.
    Integer,
    /// A floating-point number.
    Real,
    /// A truth value.
    Boolean,
    /// Bytes, in base64.
    Binary,
}

impl ParameterType {
    /// All names, in the order in which errors list them.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("text", Self::Text),
        ("integer", Self::Integer),
        ("real", Self::Real),
        ("boolean", Self::Boolean),
        ("binary", Self::Binary),
    ];

    /// The name, as documents have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        word(&Self::NAMES, self)
    }
}

/// Which way the parameter of a procedure goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ParameterMode {
    /// The procedure is given a value.
    #[default]
    In,
    /// The procedure gives a value back.
    Out,
    /// Both.
    InOut,
}

impl ParameterMode {
    /// All names, in the order in which errors list them.
    pub const NAMES: [(&'static str, Self); 3] = [("in", Self::In), ("out", Self::Out), ("inout", Self::InOut)];
}

/// The word that stands for a value; all values have one.
pub(super) fn word<T: Copy + PartialEq>(names: &[(&'static str, T)], value: T) -> &'static str {
    names.iter().find(|(_, known)| *known == value).map_or("", |(name, _)| name)
}

/// The words alone.
pub(super) const fn words<T, const N: usize>(names: &[(&'static str, T); N]) -> [&'static str; N] {
    let mut words = [""; N];
    let mut index = 0;
    while index < N {
        words[index] = names[index].0;
        index += 1;
    }
    words
}
