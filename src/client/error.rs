//! What goes wrong on this side and on the other.

use std::error::Error as StdError;

use super::rows::RowError;
use super::{Code, Failure};
use crate::document::{DocumentError, Position, Unwritable};
use crate::format::FormatError;

/// What went wrong. Each variant is a fact that a program can act on: whether anything was sent, and whether anything was done.
///
/// ```
/// use rejoin::client::{Code, Error};
///
/// fn advice(error: &Error) -> &'static str {
///     match error {
///         Error::Unreachable { .. } => "nothing was sent: see whether the service runs",
///         Error::OutcomeUnknown { .. } => "it may have been done: look what is there before it is done again",
///         Error::ResultsNotKept => "it was done: read its results again",
///         Error::Refused(failure) if failure.code == Code::Forbidden => "ask the operator",
///         Error::Refused(failure) if failure.activity_code == Some(Code::SqlError) => "mend the statement",
///         _ => "tell a person",
///     }
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting or an argument makes no sense. Nothing was sent.
    #[error("{0}")]
    Setting(String),
    /// The perform document can't be read. Nothing was sent.
    #[error("the perform document: {0}")]
    Document(#[from] DocumentError),
    /// The request can't be written as XML. Nothing was sent.
    #[error("the request can't be written: {0}")]
    Unwritable(#[from] Unwritable),
    /// No connection: nothing was sent.
    #[error("{url} can't be reached")]
    Unreachable {
        /// Where the service should be.
        url: String,
        /// Why not.
        #[source]
        cause: Box<dyn StdError + Send + Sync>,
    },
    /// The service refused the request, or it failed.
    #[error("{0}")]
    Refused(Box<Failure>),
    /// The request was sent, and whether it was done is not known, and can't be found out by sending it again. Look what is
    /// there before anything is done a second time.
    #[error("whether the request was done is not known: {reason}")]
    OutcomeUnknown {
        /// Why nobody knows.
        reason: String,
    },
    /// The request was completed; its answer was lost, and was too large for the service to keep.
    #[error(
        "the request was completed and its results were lost: the service does not keep them when they are large; read them again"
    )]
    ResultsNotKept,
    /// The answer of a request that changes nothing broke off, and it can't be taken up again where it did.
    #[error("the answer broke off: {reason}; nothing was changed, so the request can be sent again")]
    BrokenOff {
        /// What broke it.
        reason: String,
    },
    /// What answered is not a data service, or its answer can't be read.
    #[error("{0}")]
    Unexpected(String),
    /// The response has no such result, or it is of another kind.
    #[error("the response has no {wanted}; it has {known}")]
    NoResult {
        /// What was asked for.
        wanted: String,
        /// The results that there are.
        known: String,
    },
    /// The answer is not in the format that it is said to be.
    #[error("{0}")]
    Format(#[from] FormatError),
    /// A row does not fit the type that it is read into.
    #[error("{0}")]
    Row(#[from] RowError),
}

impl Error {
    /// The code that the service gave, if it refused the request or failed.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
    /// use rejoin::client::Code;
    ///
    /// if let Err(error) = service.update("DELETE FROM orders").run().await
    ///     && error.code() == Some(&Code::Forbidden)
    /// {
    ///     println!("ask the operator");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn code(&self) -> Option<&Code> {
        self.failure().map(|failure| &failure.code)
    }

    /// The place in the perform document that the error is about.
    ///
    /// ```
    /// use rejoin::client::Request;
    ///
    /// let error = Request::document("<perform xmlns=\"http://ogsadai.org.uk/namespaces/2005/10/types\">\n  <echo>\n</perform>").unwrap_err();
    /// assert_eq!(error.position().map(|position| position.line), Some(2));
    /// ```
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::Document(error) => Some(error.position()),
            other => other.failure()?.position,
        }
    }

    /// What the service said, if it refused the request or failed.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService, request: rejoin::client::Request) -> Result<(), rejoin::client::Error> {
    /// if let Err(error) = service.perform(&request).await
    ///     && let Some(failure) = error.failure()
    /// {
    ///     println!("{} in step {:?}; the log of the service says more under {}", failure.code, failure.activity, failure.request_id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Refused(failure) => Some(failure),
            _ => None,
        }
    }

    pub(super) fn refused(failure: Failure) -> Self {
        match failure.code {
            Code::OutcomeUnknown => Self::OutcomeUnknown { reason: failure.message },
            // The database was lost while it committed.
            _ if failure.activity_code == Some(Code::TransactionInDoubt) => {
                Self::OutcomeUnknown { reason: failure.message }
            }
            Code::ResultsNotKept => Self::ResultsNotKept,
            _ => Self::Refused(Box::new(failure)),
        }
    }

    /// Names the step of a document that was sent.
    pub(super) fn located_in(mut self, document: &[u8]) -> Self {
        if let Self::Refused(failure) = &mut self {
            failure.locate(document);
        }
        self
    }
}
