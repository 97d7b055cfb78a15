use std::time::Duration;

use super::{KeyValue, Rule, Verdict};
use crate::ingest::FormulaError;
use crate::ingest::settings::PageValues;

/// What came of a request.
#[derive(Debug, Clone)]
pub enum Seen {
    /// An answer that holds a page.
    Page(PageSeen),
    /// An answer that is neither a page nor a failure.
    Warning(WarningSeen),
    /// An answer that is a failure.
    Refused(RefusalSeen),
    /// No answer, or one that broke off.
    Lost(LostSeen),
    /// An answer that should hold a page, and can't be read.
    Unreadable(UnreadableSeen),
    /// An answer after which a file is asked for from its beginning; what does not fit.
    Stale(String),
}

/// A page.
#[derive(Debug, Clone, Default)]
pub struct PageSeen {
    /// How many records it holds.
    pub records: u64,
    /// The session key.
    pub key: KeyValue,
    /// How many records there are altogether, if it says so.
    pub total: Option<u64>,
    /// Which page it says that it is.
    pub values: PageValues<u64>,
    /// The address of the next page, absolute.
    pub next: Option<String>,
    /// Tells it from other pages. Pages without records need none.
    pub fingerprint: Option<u64>,
    /// Whether `ms.data.field` leads nowhere.
    pub is_data_missing: bool,
    /// The condition that holds of it.
    pub verdict: Option<Result<Verdict, FormulaError>>,
    /// How long the server wishes the next request to wait.
    pub wait: Option<Duration>,
    /// Whether it is the word that a file is the one that is there already.
    pub is_unchanged: bool,
    /// What is worth telling, for people.
    pub note: Option<String>,
}

/// A warning: 204, 206, or whatever `ms.http.statuses` says.
#[derive(Debug, Clone, Default)]
pub struct WarningSeen {
    /// The status.
    pub status: u16,
    /// The formula that holds of it.
    pub verdict: Option<Result<Verdict, FormulaError>>,
    /// How long the server wishes the next request to wait.
    pub wait: Option<Duration>,
}

/// A failure that the server says.
#[derive(Debug, Clone, Default)]
pub struct RefusalSeen {
    /// The status.
    pub status: u16,
    /// Whether the status is a success and its reason phrase is not.
    pub by_reason: bool,
    /// Whether it says that the credentials are not good any more (`pagination_error`).
    pub asks_for_credentials: bool,
    /// What it says, for people: status, reason, the beginning of the body.
    pub message: String,
    /// How long the server wishes the next request to wait.
    pub wait: Option<Duration>,
}

/// No answer.
#[derive(Debug, Clone, Default)]
pub struct LostSeen {
    /// What happened.
    pub message: String,
    /// Whether it is certain that the other side did nothing.
    pub never_sent: bool,
    /// Whether trying again makes no difference: the address is not allowed, the credentials can't be had.
    pub is_final: bool,
    /// Whether it brought some of what was asked for, from which the next request goes on.
    pub got_on: bool,
}

/// An answer that can't be read.
#[derive(Debug, Clone)]
pub struct UnreadableSeen {
    /// [`Rule::MediaType`] or [`Rule::Unreadable`]; of a file [`Rule::File`] or [`Rule::Checksum`].
    pub rule: Rule,
    /// What is wrong with it.
    pub message: String,
}
