use crate::block::StreamType;
use crate::document::Position;

/// An input that an activity declared: the key to its stream when it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputPort(pub(super) usize);

/// An output that an activity declared; one without a name was not asked for, and what is sent there goes nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputPort(pub(super) Option<usize>);

/// The type of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortType {
    /// Always this.
    Is(StreamType),
    /// That of an input, which passes through.
    SameAs(InputPort),
}

/// All that an activity declared: what the plan connects.
#[derive(Debug, Default)]
pub struct Ports {
    pub(crate) inputs: Vec<DeclaredInput>,
    pub(crate) outputs: Vec<DeclaredOutput>,
    /// Whether the activity takes in the stream of the session that has its name.
    pub(crate) session_input: bool,
    /// What it has to do with transactions.
    pub(crate) part: TransactionPart,
    /// Whether it changes nothing but the session, though others of its kind do.
    pub(crate) stays_in_session: bool,
}

/// What an activity has to do with the transaction of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum TransactionPart {
    /// Nothing.
    #[default]
    None,
    /// It runs statements, which may be part of one.
    Statements,
    /// What it does decides what the statements of others are part of.
    Boundary(Boundary),
}

/// What an activity does to the transaction of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Boundary {
    /// It begins it.
    Begin,
    /// It makes all of it hold.
    Commit,
    /// It takes all of it back.
    Rollback,
    /// It changes nothing about whether it goes on.
    Within,
    /// Nobody knows.
    Unknown,
}

impl TransactionPart {
    pub(crate) fn is_boundary(self) -> bool {
        matches!(self, Self::Boundary(_))
    }
}

/// An input as it was declared.
#[derive(Debug)]
pub(crate) struct DeclaredInput {
    /// The name of the stream.
    pub(crate) stream: Box<str>,
    /// What the activity can read.
    pub(crate) accepts: StreamType,
    pub(crate) position: Position,
}

/// An output as it was declared.
#[derive(Debug)]
pub(crate) struct DeclaredOutput {
    /// The name of the stream.
    pub(crate) stream: Box<str>,
    pub(crate) port_type: PortType,
    /// The media type, where the activity knows better than "text" or "bytes".
    pub(crate) content_type: Option<&'static str>,
    pub(crate) position: Position,
    /// Whether it is a stream of the session, which no activity reads.
    pub(crate) in_session: bool,
}

impl OutputPort {
    /// An output that nobody asked for.
    pub const NOWHERE: Self = Self(None);
}

impl InputPort {
    pub(crate) fn index(self) -> usize {
        self.0
    }
}
