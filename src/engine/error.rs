use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::activity::ActivityError;
use crate::document::{DocumentError, Position, Problem};
use crate::session::{EndReason, SessionError, StreamError, TransactionReport, TransactionState};

use super::{AdmissionError, RecordedFault};

/// What is wrong with the pipeline of a document, in the classes that a caller tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanProblem {
    /// There is no such activity here.
    UnknownActivity,
    /// The element of an activity is wrong.
    Document(Problem),
    /// The streams don't fit together.
    Stream,
    /// More activities than a request may have.
    TooLarge,
}

/// Why a document can't be run, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {message}")]
pub struct PlanError {
    problem: PlanProblem,
    position: Position,
    message: Box<str>,
}

impl PlanError {
    pub(super) fn new(problem: PlanProblem, position: Position, message: impl Into<Box<str>>) -> Self {
        Self { problem, position, message: message.into() }
    }

    /// The class of the problem.
    #[must_use]
    pub fn problem(&self) -> PlanProblem {
        self.problem
    }

    /// Where it is.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// What is wrong and what was expected, without the place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl From<DocumentError> for PlanError {
    fn from(error: DocumentError) -> Self {
        Self::new(PlanProblem::Document(error.problem()), error.position(), error.message())
    }
}

/// Why a request failed before the first byte of its answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PerformError {
    /// The document does not fit together.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The end-point that the raw answer was asked of is none.
    #[error("{0}")]
    NoSuchEndPoint(String),
    /// The service has as many requests as it takes.
    #[error(transparent)]
    Admission(#[from] AdmissionError),
    /// The session can't be joined, or did not take the changes.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// An activity failed.
    #[error("`{name}`: {error}")]
    Activity {
        /// The name of the activity.
        name: Box<str>,
        /// Where its element stands.
        position: Position,
        /// Why.
        error: Arc<ActivityError>,
    },
    /// An activity failed that was to prepare the new session of the request: there is no session.
    #[error("the session was not begun: `{name}`: {error}")]
    Initialisation {
        /// The name of the activity.
        name: Box<str>,
        /// Why.
        error: Arc<ActivityError>,
    },
    /// The request ran for longer than a request may hold its session.
    #[error("the request took longer than a request may hold its session")]
    TimedOut,
    /// Somebody ended the session while the request ran.
    #[error("the session was ended ({reason}) while the request ran; none of the request's changes were kept")]
    SessionEnded {
        /// Why it ended.
        reason: EndReason,
        /// When it ended.
        at: DateTime<Utc>,
    },
    /// The owner of the session stopped the request.
    #[error("the request was stopped by its owner; none of its changes were kept")]
    Terminated,
    /// A session stream that the request needs can't be opened.
    #[error(transparent)]
    Stream(StreamError),
    /// The reader of a session stream went away midway: what it had taken is lost.
    #[error("the reader of the session stream `{0}` went away with data of which nobody knows whether they arrived")]
    ReaderLeft(Box<str>),
    /// One end-point was asked for, of a request that is answered before there is any.
    #[error(
        "the request is answered at once, so there is no end-point to return: leave `?return` out and read the stream of \
         the session"
    )]
    NothingToReturn,
    /// The request has failed, and this is remembered as its answer.
    #[error("the request failed with {}, which is remembered", .0.code)]
    Recorded(Box<RecordedFault>),
    /// The request was run, and its answer was too large to be kept.
    #[error(
        "the request was completed; its result was too large to be kept for a request that is sent again (`answerBytes`), \
         and it is not run again"
    )]
    ResultsNotKept,
    /// The request failed, and can't take back that it has ended a transaction.
    #[error("{failure}; {}", told(transactions))]
    AfterTransaction {
        /// Why it failed.
        failure: Box<PerformError>,
        /// What became of the transactions that it has ended, or is about to end.
        transactions: Vec<TransactionReport>,
    },
    /// The client has gone: nobody hears this.
    #[error("the client has gone")]
    ClientGone,
    /// The service failed; the log says how.
    #[error("{0}")]
    Internal(String),
}

impl PerformError {
    /// The failure alone.
    #[must_use]
    pub fn cause(&self) -> &Self {
        match self {
            Self::AfterTransaction { failure, .. } => failure.cause(),
            failure => failure,
        }
    }

    /// What holds although the request has failed, in words for its client.
    #[must_use]
    pub fn what_holds(&self) -> Option<String> {
        match self {
            Self::AfterTransaction { transactions, .. } => Some(told(transactions)),
            _ => None,
        }
    }
}

/// What became of transactions that a failed request had ended before.
fn told(transactions: &[TransactionReport]) -> String {
    let one = |TransactionReport { id, state, .. }: &TransactionReport| match state {
        TransactionState::Committed => format!("the transaction {id} was committed before that, and the commit holds"),
        TransactionState::RolledBack => format!("the transaction {id} was rolled back before that, and stays so"),
        TransactionState::Committing | TransactionState::Active | TransactionState::Failed => {
            format!("the commit of the transaction {id} had begun, and comes to its end: ask for its `state`")
        }
    };
    transactions.iter().map(one).collect::<Vec<_>>().join("; ")
}
