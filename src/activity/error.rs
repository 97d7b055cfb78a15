use crate::block::{ReaderGone, StreamBroken, StreamType};
use crate::document::ErrorKind;
use crate::format::FormatError;
use crate::resource::{Blame, ResourceError};
use crate::session::{AttributeError, SessionError, TransactionError};

/// Why an activity did not complete.
///
/// Each variant says who is to blame, because that decides what the client sees: of its own mistakes everything, of the
/// server's a reference alone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ActivityError {
    /// What the client asked for can't be done: its data or its settings have to change.
    #[error("{message}")]
    Client {
        /// A name for programs, such as `WrongStreamType`.
        code: &'static str,
        /// For people: what, and what to do.
        message: String,
    },
    /// The client may not do this.
    #[error("{message}")]
    Authorization {
        /// A name for programs.
        code: &'static str,
        /// For people.
        message: String,
    },
    /// The service failed. The message goes to the log alone.
    #[error("{message}")]
    Server {
        /// A name for programs.
        code: &'static str,
        /// For the operator.
        message: String,
    },
    /// The data resource refused or failed.
    #[error(transparent)]
    Resource(ResourceError),
    /// Rows can't be written in the format that was asked for.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// A session attribute could not be read or changed.
    #[error(transparent)]
    Attribute(#[from] AttributeError),
    /// A checkpoint could not be made: the session was lost or has ended, or can't be written.
    #[error(transparent)]
    Session(SessionError),
    /// Something can't be done with the transaction of the session.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// Not a failure of this activity: nobody reads its output any more.
    #[error("stopped, because nobody reads the output any more")]
    ReaderGone,
    /// Not a failure of this activity: an input broke off before its end.
    #[error("stopped, because an input broke off before its end")]
    InputBroken,
    /// Not a failure of this activity: the request was cancelled.
    #[error("stopped, because the request was cancelled")]
    Cancelled,
}

impl ActivityError {
    /// What the client asked for can't be done.
    #[must_use]
    pub fn client(code: &'static str, message: impl Into<String>) -> Self {
        Self::Client { code, message: message.into() }
    }

    /// The service failed.
    #[must_use]
    pub fn server(code: &'static str, message: impl Into<String>) -> Self {
        Self::Server { code, message: message.into() }
    }

    /// A stream whose type was known only now carries something that can't be used here.
    #[must_use]
    pub fn wrong_type(wanted: StreamType, found: StreamType) -> Self {
        Self::client("WrongStreamType", format!("the input carries {found}; {wanted} expected"))
    }

    /// Who is to blame.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Attribute(error) if error.is_of_configuration() => ErrorKind::Server,
            Self::Transaction(error) if error.is_of_server() => ErrorKind::Server,
            Self::Session(SessionError::Store(_)) => ErrorKind::Server,
            Self::Client { .. } | Self::Format(_) | Self::Attribute(_) | Self::Session(_) | Self::Transaction(_) => {
                ErrorKind::Client
            }
            Self::Authorization { .. } => ErrorKind::Authorization,
            Self::Server { .. } | Self::ReaderGone | Self::InputBroken | Self::Cancelled => ErrorKind::Server,
            Self::Resource(error) => match error.blame() {
                Blame::Client => ErrorKind::Client,
                Blame::Authorization => ErrorKind::Authorization,
                Blame::Server | Blame::Nobody => ErrorKind::Server,
            },
        }
    }

    /// A name for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Client { code, .. } | Self::Authorization { code, .. } | Self::Server { code, .. } => code,
            Self::Resource(error) => error.code(),
            Self::Format(_) => "FormatError",
            Self::Attribute(error) => error.code(),
            Self::Session(error) => error.code(),
            Self::Transaction(error) => error.code(),
            Self::ReaderGone => "ReaderGone",
            Self::InputBroken => "InputBroken",
            Self::Cancelled => "Cancelled",
        }
    }
}

impl From<ReaderGone> for ActivityError {
    fn from(_: ReaderGone) -> Self {
        Self::ReaderGone
    }
}

impl From<StreamBroken> for ActivityError {
    fn from(_: StreamBroken) -> Self {
        Self::InputBroken
    }
}

impl From<SessionError> for ActivityError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Attribute(error) => Self::Attribute(error),
            error => Self::Session(error),
        }
    }
}

impl From<ResourceError> for ActivityError {
    fn from(error: ResourceError) -> Self {
        match error {
            // A statement stops because its rows are not wanted any more. If the request was cancelled, the engine knows.
            ResourceError::Cancelled => Self::ReaderGone,
            error => Self::Resource(error),
        }
    }
}
