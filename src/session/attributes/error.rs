/// Why a session attribute could not be changed. The session is still usable, and so are its other attributes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttributeError {
    /// It is a static attribute.
    #[error("the session attribute `{name}` is part of the configuration and can't be changed")]
    Static {
        /// The name.
        name: Box<str>,
    },
    /// It holds something alive that only an activity of its own ends.
    #[error(
        "the session attribute `{name}` is a {found}, which only `{ended_by}` ends: it can't be changed or removed"
    )]
    Held {
        /// The name.
        name: Box<str>,
        /// The name of its type.
        found: &'static str,
        /// The element of the activity.
        ended_by: &'static str,
    },
    /// The request joined the session with read access.
    #[error("the session attribute `{name}` can't be changed: the request joined the session with read access")]
    ReadAccess {
        /// The name.
        name: Box<str>,
    },
    /// The request has released the session.
    #[error("the session attribute `{name}` can't be changed: the request has released the session")]
    Released {
        /// The name.
        name: Box<str>,
    },
    /// The value is larger than an attribute may be.
    #[error(
        "the session attribute `{name}` would have {bytes} bytes, and {limit} is the most that an attribute may have"
    )]
    TooLarge {
        /// The name.
        name: Box<str>,
        /// The bytes that it would have, those of the name included.
        bytes: u64,
        /// The bytes that it may have.
        limit: u64,
    },
    /// All attributes together would be larger than a session may be.
    #[error(
        "with the attribute `{name}` the session would hold {bytes} bytes, and {limit} is the most that it may; \
         remove an attribute first"
    )]
    SessionTooLarge {
        /// The name of the attribute that does not fit.
        name: Box<str>,
        /// The bytes that the session would have.
        bytes: u64,
        /// The bytes that it may have.
        limit: u64,
    },
    /// There are as many attributes as may be.
    #[error("the session has {limit} attributes, which is as many as it may; there is no room for `{name}`")]
    TooMany {
        /// The name of the attribute that does not fit.
        name: Box<str>,
        /// How many there may be.
        limit: u64,
    },
    /// What was asked can't be done with a value of its type.
    #[error("the session attribute `{name}` is {found}; this needs {needed}")]
    WrongType {
        /// The name.
        name: Box<str>,
        /// The name of its type.
        found: &'static str,
        /// The type that is needed.
        needed: &'static str,
    },
    /// The sum is not a 64-bit integer.
    #[error("the session attribute `{name}` can't be incremented: the sum is out of range")]
    Overflow {
        /// The name.
        name: Box<str>,
    },
    /// A static value belongs to the configuration and can't be kept under another name.
    #[error("the value for the session attribute `{name}` is a static one, which can't be stored")]
    NotStorable {
        /// The name.
        name: Box<str>,
    },
    /// The configuration has no static attribute of that name.
    #[error("the session configuration has no static attribute `{name}`; this needs one")]
    NotConfigured {
        /// The name.
        name: Box<str>,
    },
    /// The configuration has one of that name that is something else.
    #[error("the static session attribute `{name}` is a {found}; this needs a {needed}")]
    OtherType {
        /// The name.
        name: Box<str>,
        /// The name of its type.
        found: &'static str,
        /// The Rust type that is needed.
        needed: &'static str,
    },
}

impl AttributeError {
    /// Whether the configuration is to blame, and not the client.
    #[must_use]
    pub fn is_of_configuration(&self) -> bool {
        matches!(self, Self::NotConfigured { .. } | Self::OtherType { .. })
    }

    /// A name for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Static { .. } | Self::Held { .. } | Self::ReadAccess { .. } => "AttributeReadOnly",
            Self::Released { .. } => "SessionReleased",
            Self::TooLarge { .. } | Self::SessionTooLarge { .. } => "AttributeTooLarge",
            Self::TooMany { .. } => "TooManyAttributes",
            Self::WrongType { .. } => "AttributeTypeMismatch",
            Self::Overflow { .. } => "AttributeOverflow",
            Self::NotStorable { .. } => "AttributeNotStorable",
            Self::NotConfigured { .. } | Self::OtherType { .. } => "NotConfigured",
        }
    }
}
