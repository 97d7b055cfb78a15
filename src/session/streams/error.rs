use super::StreamDirection;

/// Why a session stream can't be opened, read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The session has no stream of that name, or its end has been told already.
    #[error("the session has no stream `{name}`{}", hint(nearest.as_deref()))]
    NotFound {
        /// The name that was asked for.
        name: String,
        /// The stream that may have been meant.
        nearest: Option<Box<str>>,
    },
    /// Another request reads or writes it at the moment.
    #[error("another request uses the stream `{name}`: a stream has one user at a time")]
    InUse {
        /// The stream.
        name: Box<str>,
    },
    /// An output can't be written to, nor an input read.
    #[error(
        "the stream `{name}` is an {} of the session's request: {}",
        direction.name(),
        match direction {
            StreamDirection::Input => "write to it with PUT or POST",
            StreamDirection::Output => "read it with GET",
        }
    )]
    WrongDirection {
        /// The stream.
        name: Box<str>,
        /// What it is.
        direction: StreamDirection,
    },
    /// A stream of that name is left from an earlier request.
    #[error(
        "the session still has a stream `{name}` of an earlier request: read it to its end or delete it, or choose another name"
    )]
    NameTaken {
        /// The stream.
        name: Box<str>,
    },
    /// The session has as many streams as it may, with those that the request would open.
    #[error("the session would have more than {limit} streams: read those that are left to their end, or delete them")]
    TooMany {
        /// How many it may have.
        limit: usize,
    },
    /// What writes an output failed, or nobody reads an input any more.
    #[error("the stream `{name}` broke off before its end: its request failed, or is over")]
    Broken {
        /// The stream.
        name: Box<str>,
    },
    /// What was sent as text is none.
    #[error("what was sent to `{name}` as text is not UTF-8: send it as `application/octet-stream`")]
    NotText {
        /// The stream.
        name: Box<str>,
    },
    /// The session has ended, and its streams with it.
    #[error("the session has ended, and its streams with it")]
    SessionEnded,
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}
