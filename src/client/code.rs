//! What happened, for programs.

use std::fmt;

/// Makes the enum of codes, and the way from the word of a document to it and back.
macro_rules! codes {
    ($($(#[$meaning:meta])+ $code:ident),+ $(,)?) => {
        /// The code of a fault or of an error: what a program looks at, where the message is for people.
        ///
        /// Codes of activities of one's own, and those of services that are newer than this library, are [`Code::Other`].
        ///
        /// ```
        /// use rejoin::client::Code;
        ///
        /// assert_eq!(Code::from("SessionInUse"), Code::SessionInUse);
        /// assert_eq!(Code::from("SessionInUse").as_str(), "SessionInUse");
        /// assert_eq!(Code::from("OutOfStock"), Code::Other("OutOfStock".into()));
        /// ```
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$meaning])+ $code,)+
            /// Any other.
            Other(Box<str>),
        }

        impl Code {
            /// The word that stands for it in a document.
            ///
            /// ```
            /// use rejoin::client::Code;
            ///
            /// assert_eq!(Code::SessionEnded.as_str(), "SessionEnded");
            /// ```
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$code => stringify!($code),)+
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for Code {
            fn from(word: &str) -> Self {
                match word {
                    $(stringify!($code) => Self::$code,)+
                    other => Self::Other(other.into()),
                }
            }
        }
    };
}

impl Code {
    /// Whether nothing of a transaction holds, and the whole of its work may be done again in a new one: a single request of it
    /// is not to be sent again.
    pub(super) fn wants_new_transaction(&self) -> bool {
        matches!(self, Self::TransactionConflict | Self::TransactionRolledBack)
    }

    /// Whether this is said before anybody looks whether the request was answered before: of one that was sent before it says
    /// nothing.
    pub(super) fn is_said_at_the_door(&self) -> bool {
        matches!(
            self,
            Self::Unauthenticated
                | Self::Forbidden
                | Self::ResourceNotFound
                | Self::SessionNotFound
                | Self::SessionEnded
                | Self::Draining
        )
    }

    /// Whether a rollback that is answered so has left no transaction open: there was none, or no session.
    pub(super) fn says_that_nothing_is_open(&self) -> bool {
        self.wants_new_transaction()
            || matches!(self, Self::ActivityFailed | Self::SessionEnded | Self::SessionNotFound)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

codes! {
    /// The document is not well-formed.
    DocumentMalformed,
    /// Something in the document can't stand there.
    DocumentInvalid,
    /// The session requirement contradicts itself.
    SessionRequirementInvalid,
    /// The resource has no explicit sessions.
    SessionsDisabled,
    /// The resource has no such activity.
    UnknownActivity,
    /// The streams of the document don't fit together.
    StreamInvalid,
    /// Something in the HTTP request is wrong.
    RequestInvalid,
    /// The service wants to know who sends the request.
    Unauthenticated,
    /// The client may not do this.
    Forbidden,
    /// What prepares new sessions refused this one.
    SessionRefused,
    /// Nothing is served at this path.
    ResourceNotFound,
    /// There is no such session, or it is somebody else's.
    SessionNotFound,
    /// The session has no such stream.
    StreamNotFound,
    /// The path is served, the method is not.
    MethodNotAllowed,
    /// The request took longer than it may.
    RequestTimedOut,
    /// The session was lost, or the request is sent again while it runs.
    SessionConflict,
    /// Others changed what the transaction uses: nothing of it holds, and a new one may succeed.
    TransactionConflict,
    /// The service stopped while it ran the request, and the transaction of that is committed.
    TransactionCommitted,
    /// The service stopped while it ran the request.
    OutcomeUnknown,
    /// The request was completed before; its raw result was too large to be kept.
    ResultsNotKept,
    /// The owner of the session stopped the request.
    RequestTerminated,
    /// The session still has a stream of that name.
    StreamNameTaken,
    /// The session has as many streams as it may.
    TooManyStreams,
    /// The request at the other end of the stream is over.
    StreamBroken,
    /// The attribute can't be changed.
    AttributeReadOnly,
    /// The session has ended.
    SessionEnded,
    /// The document is too large.
    DocumentTooLarge,
    /// The attribute is too large.
    AttributeTooLarge,
    /// The content type is not XML.
    UnsupportedMediaType,
    /// Another request had this key.
    IdempotencyKeyReused,
    /// An activity failed, and the request has to change.
    ActivityFailed,
    /// Another request held the session for as long as this one waited.
    SessionInUse,
    /// Another client uses the stream.
    StreamInUse,
    /// The client has as many sessions as it may.
    SessionQuotaExceeded,
    /// The service failed; its log says more.
    Internal,
    /// The data resource does not answer.
    DataResourceUnavailable,
    /// The service is full.
    ServerBusy,
    /// As many requests wait for the session as may.
    SessionQueueFull,
    /// The sessions can't be read or written at this moment.
    StoreUnavailable,
    /// The service is shutting down.
    Draining,
    /// The version of HTTP can't carry this.
    HttpVersionNotSupported,
    /// The database refused the statement.
    SqlError,
    /// The statement would have changed something.
    SqlReadOnly,
    /// A value does not suit its place.
    SqlData,
    /// The database does not let this user do that.
    SqlDenied,
    /// The kind of database can't do that.
    SqlUnsupported,
    /// The statement took longer than it may.
    SqlTimedOut,
    /// Others hold a lock for longer than a statement waits.
    DataResourceBusy,
    /// The database was lost in the middle of a statement.
    DataResourceLost,
    /// The data are not in the format.
    FormatError,
    /// The session has no such attribute.
    AttributeNotFound,
    /// The attribute is of another type.
    AttributeTypeMismatch,
    /// The session has as many attributes as it may.
    TooManyAttributes,
    /// The session has no transaction.
    NoTransaction,
    /// The session has a transaction already.
    TransactionActive,
    /// The transaction of the session was rolled back, which has to be taken notice of; or the service stopped while it ran the
    /// request, and nothing of its transaction holds.
    TransactionRolledBack,
    /// The transaction holds in some of its databases.
    TransactionPartlyCommitted,
    /// Whether the transaction holds is not known.
    TransactionInDoubt,
    /// A statement has too few parameters.
    TooFewParameters,
    /// The activity `refuse` refused the request.
    Refused,
}
