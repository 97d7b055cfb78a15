use std::fmt;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use http::{HeaderMap, Method, StatusCode};

/// A request to a web resource.
#[derive(Clone)]
pub struct WebRequest {
    /// The method.
    pub method: Method,
    /// Where to: absolute, or relative to the URI of the resource.
    pub uri: String,
    /// Headers, beside those that the resource itself adds.
    pub headers: HeaderMap,
    /// The body, if it has one.
    pub body: Option<Bytes>,
}

impl fmt::Debug for WebRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Queries, headers and bodies carry secrets.
        let uri = self.uri.split(['?', '#']).next().unwrap_or_default();
        f.debug_struct("WebRequest").field("method", &self.method).field("uri", &uri).finish_non_exhaustive()
    }
}

/// The head of an answer, and its body, which is still on the way.
#[derive(Debug)]
pub struct WebResponse {
    /// The status.
    pub status: StatusCode,
    /// The reason phrase as it was sent, where the version of HTTP has one; else the usual one of the status.
    pub reason: String,
    /// The headers.
    pub headers: HeaderMap,
    /// Where it comes from, after redirects.
    pub uri: String,
    /// The body, as it was sent: not unpacked.
    pub body: WebBody,
}

/// The body of an answer.
pub struct WebBody(BoxStream<'static, Result<Bytes, WebError>>);

impl WebBody {
    /// A body that comes in pieces.
    #[must_use]
    pub fn new(pieces: BoxStream<'static, Result<Bytes, WebError>>) -> Self {
        Self(pieces)
    }

    /// The next piece, or `None` at the end.
    ///
    /// # Errors
    ///
    /// [`WebError::Transport`] when it broke off, or came too slowly.
    pub async fn next(&mut self) -> Result<Option<Bytes>, WebError> {
        self.0.next().await.transpose()
    }
}

impl fmt::Debug for WebBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebBody")
    }
}

/// Why no answer came, by what a caller can do about it. No text holds a query, a header or a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebError {
    /// The request is wrong: no URI, a header that none can be.
    #[error("{message}")]
    Request {
        /// What is wrong and what was expected.
        message: String,
    },
    /// The address is not one of those that the operator has listed.
    #[error("{message}")]
    NotAllowed {
        /// Which origin, and what could be done.
        message: String,
    },
    /// Credentials could not be had: the token end-point refuses, a file is missing.
    #[error("{message}")]
    Credentials {
        /// What happened.
        message: String,
    },
    /// Too many requests wait for the same origin. Nothing was sent, and a little later there may be room.
    #[error("{message}")]
    Busy {
        /// What was waited for, and how long.
        message: String,
    },
    /// No answer came, or it broke off.
    #[error("{message}")]
    Transport {
        /// What happened.
        message: String,
        /// Whether it is certain that the other side did nothing: it was never reached.
        never_sent: bool,
    },
    /// What came is not HTTP, or more than is taken. The same request will hardly get anything else.
    #[error("{message}")]
    Malformed {
        /// What is wrong.
        message: String,
    },
    /// The answer took longer than it may.
    #[error("{message}")]
    TimedOut {
        /// Which limit it was.
        message: String,
    },
    /// The answer leads elsewhere too often, or in a circle.
    #[error("{message}")]
    Redirected {
        /// Where to.
        message: String,
    },
    /// The request was cancelled.
    #[error("the request was cancelled")]
    Cancelled,
}

impl WebError {
    /// Whether it is certain that the other side got nothing of the request, so that it may be sent again whatever it asks for.
    #[must_use]
    pub fn never_sent(&self) -> bool {
        match self {
            Self::Request { .. } | Self::NotAllowed { .. } | Self::Credentials { .. } | Self::Busy { .. } => true,
            Self::Transport { never_sent, .. } => *never_sent,
            Self::Malformed { .. } | Self::TimedOut { .. } | Self::Redirected { .. } | Self::Cancelled => false,
        }
    }

    pub(super) fn request(message: impl Into<String>) -> Self {
        Self::Request { message: message.into() }
    }
}
