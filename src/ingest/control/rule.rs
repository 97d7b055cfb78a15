use std::fmt;

use serde::{Deserialize, Serialize};

use crate::session::Moment;

/// Which rule decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Rule {
    /// The condition of the session key holds.
    Condition,
    /// A condition of `rejoin.stop.when` holds: which one, from 0.
    StopWhen(usize),
    /// The `failCondition` of the session key holds.
    FailCondition,
    /// A condition of `rejoin.fail.when` holds: which one, from 0.
    FailWhen(usize),
    /// A formula can't be worked out.
    Formula,
    /// The time is over.
    Timeout,
    /// As many records came as there are.
    Total,
    /// The cursor is blank.
    KeyBlank,
    /// The answer names no next address.
    NoNext,
    /// The page is blank.
    BlankPage,
    /// Every row that bodies are made of was sent.
    Payload,
    /// The answer is neither a page nor a failure.
    Warning,
    /// Nothing asks for more than one answer.
    OneAnswer,
    /// As many pages came as may come.
    PagesMax,
    /// The same cursor or the same page came too often.
    LoopGuard,
    /// The remote session is not complete yet.
    Poll,
    /// There is another page.
    NextPage,
    /// The status is one after which a request is sent again.
    RetryStatus,
    /// No answer came, and the request is sent again.
    RetryTransport,
    /// The credentials are read again, and the request is sent again.
    Credentials,
    /// A failed request that a poll goes on after.
    PollError,
    /// The server asks to wait for longer than it may.
    WaitTooLong,
    /// The status is a failure.
    ErrorStatus,
    /// The reason phrase makes a failure of a success.
    ErrorReason,
    /// No answer came.
    Transport,
    /// The answer is not of the media type that was expected.
    MediaType,
    /// The answer can't be read, or does not fit the columns.
    Unreadable,
    /// The answer has not the records where they should be.
    DataField,
    /// Fewer records came than should.
    MinRecords,
    /// The file is the one that is there already.
    Unchanged,
    /// What is there of a file is not of the same file: it is asked for from its beginning.
    StartOver,
    /// The file can't be written: its name, its size, its folder.
    File,
    /// The file that came is not the one that was expected.
    Checksum,
}

impl Rule {
    /// Whether what failed was one answer or its way here, and not the remote session as a whole.
    #[must_use]
    pub fn is_of_one_answer(self) -> bool {
        matches!(
            self,
            Self::ErrorStatus
                | Self::ErrorReason
                | Self::Transport
                | Self::Credentials
                | Self::WaitTooLong
                | Self::MediaType
                | Self::Unreadable
                | Self::File
                | Self::Checksum
        )
    }
}

impl fmt::Display for Rule {
    /// As in the decision log: `condition`, `stopWhen[0]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::StopWhen(index) => return write!(f, "stopWhen[{index}]"),
            Self::FailWhen(index) => return write!(f, "failWhen[{index}]"),
            Self::Condition => "condition",
            Self::FailCondition => "failCondition",
            Self::Formula => "formula",
            Self::Timeout => "timeout",
            Self::Total => "total",
            Self::KeyBlank => "keyBlank",
            Self::NoNext => "noNext",
            Self::BlankPage => "blankPage",
            Self::Payload => "payload",
            Self::Warning => "warning",
            Self::OneAnswer => "oneAnswer",
            Self::PagesMax => "pagesMax",
            Self::LoopGuard => "loopGuard",
            Self::Poll => "poll",
            Self::NextPage => "nextPage",
            Self::RetryStatus => "retryStatus",
            Self::RetryTransport => "retryTransport",
            Self::Credentials => "credentials",
            Self::PollError => "pollError",
            Self::WaitTooLong => "waitTooLong",
            Self::ErrorStatus => "errorStatus",
            Self::ErrorReason => "errorReason",
            Self::Transport => "transport",
            Self::MediaType => "mediaType",
            Self::Unreadable => "unreadable",
            Self::DataField => "dataField",
            Self::MinRecords => "minRecords",
            Self::Unchanged => "unchanged",
            Self::StartOver => "startOver",
            Self::File => "file",
            Self::Checksum => "checksum",
        };
        f.write_str(name)
    }
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Ask for what comes next: another page, or once more for the state.
    Again {
        /// No earlier than this.
        not_before: Moment,
    },
    /// Send the same request again.
    Retry {
        /// No earlier than this.
        not_before: Moment,
        /// Whether the credentials are read again before.
        renews_credentials: bool,
    },
    /// Nothing: it has ended well.
    Complete,
    /// Nothing for now: the time is over, and a later perform document goes on.
    Pause,
    /// Nothing: it has failed.
    Fail,
}

impl Action {
    /// As in the decision log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Again { .. } => "again",
            Self::Retry { .. } => "retry",
            Self::Complete => "complete",
            Self::Pause => "pause",
            Self::Fail => "fail",
        }
    }

    /// When the next request may be sent, if there is one.
    #[must_use]
    pub fn not_before(self) -> Option<Moment> {
        match self {
            Self::Again { not_before } | Self::Retry { not_before, .. } => Some(not_before),
            Self::Complete | Self::Pause | Self::Fail => None,
        }
    }
}

/// Signals that contradict each other, though the ingestion has ended well: worth a line in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Conflict {
    /// Another number of records came than the answers said there are.
    Total {
        /// How many there are.
        expected: u64,
        /// How many came.
        extracted: u64,
    },
    /// All records came, and the condition of the session key does not hold.
    ConditionUnmet,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Total { expected, extracted } => {
                write!(f, "{extracted} records came, and the answers said that there are {expected}")
            }
            Self::ConditionUnmet => f.write_str("all records came, and the condition does not hold"),
        }
    }
}

/// What became of an ingestion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It is complete.
    Completed {
        /// What ended it.
        rule: Rule,
        /// What does not fit.
        conflict: Option<Conflict>,
    },
    /// Its time is over, and a later perform document goes on.
    Paused,
    /// It has failed.
    Failed {
        /// What ended it.
        rule: Rule,
        /// What happened, for people.
        reason: String,
    },
}

/// What was decided after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// By which rule.
    pub rule: Rule,
    /// What to do.
    pub action: Action,
}
