use serde::{Deserialize, Serialize};

use super::{KeyValue, Mark, Occasion, Outcome};
use crate::ingest::settings::{IngestSettings, PageValues};
use crate::session::Moment;

/// How far an ingestion has come: all that the next decision needs, and all that is kept so that another process goes on.
///
/// It serialises into a small document of JSON. What is kept there holds cursors and addresses of the remote service, and so
/// belongs where session attributes are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// How many requests were sent, repetitions included.
    pub requests: u64,
    /// How many answers counted: pages and warnings.
    pub answers: u64,
    /// How many pages came.
    pub pages: u64,
    /// How many records came.
    pub rows: u64,
    /// The session key in the last page.
    pub key: KeyValue,
    /// Which page is asked for next.
    pub values: PageValues<u64>,
    /// The address that is asked next, where answers name it.
    pub next: Option<String>,
    /// How many records there are altogether, if an answer has said so.
    pub total: Option<u64>,
    /// When the first request was sent, in milliseconds since 1970.
    pub began: Option<i64>,
    /// What became of it.
    pub outcome: Option<Outcome>,
    /// When the time is over.
    pub(super) deadline: Option<Mark>,
    /// When the next request may be sent.
    pub(super) not_before: Option<Mark>,
    /// When the last request was sent.
    #[serde(skip, default)]
    pub(super) sent: Option<Moment>,
    /// How many blank pages came in a row.
    pub(super) blank: u32,
    /// The last cursor or address, and how often it came in a row.
    pub(super) cursor: Repeats,
    /// The last page, and how often it came in a row.
    pub(super) page: Repeats,
    /// How often the present request was sent again.
    pub(super) retries: u32,
    /// How often in a row credentials were refused.
    pub(super) refusals: u32,
    /// How many requests of a poll failed in a row.
    pub(super) poll_errors: u32,
}

/// Something that came, and how often in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Repeats {
    fingerprint: u64,
    times: u32,
}

impl Repeats {
    /// Notes that it came once more, or that something else came, or nothing.
    pub(super) fn note(&mut self, fingerprint: Option<u64>) {
        let is_same = self.times > 0 && fingerprint == Some(self.fingerprint);
        self.times = if is_same { self.times.saturating_add(1) } else { u32::from(fingerprint.is_some()) };
        self.fingerprint = fingerprint.unwrap_or_default();
    }

    /// How often it came in a row.
    pub(super) fn times(self) -> u32 {
        self.times
    }
}

impl Progress {
    /// Before the first request.
    #[must_use]
    pub fn new(settings: &IngestSettings) -> Self {
        Self {
            requests: 0,
            answers: 0,
            pages: 0,
            rows: 0,
            key: KeyValue::Absent,
            values: settings.paging.initial,
            next: None,
            total: None,
            began: None,
            outcome: None,
            deadline: None,
            not_before: None,
            sent: None,
            blank: 0,
            cursor: Repeats::default(),
            page: Repeats::default(),
            retries: 0,
            refusals: 0,
            poll_errors: 0,
        }
    }

    /// Goes on in another process, or in a later perform document: finds the deadline on the clock of this one. An ingestion
    /// that was paused because its time was over has its time anew, from its next request.
    pub fn resume(&mut self, at: Occasion) {
        if self.outcome == Some(Outcome::Paused) {
            self.outcome = None;
            self.began = None;
            self.deadline = None;
        }
        for mark in self.deadline.iter_mut().chain(&mut self.not_before) {
            mark.resume(at);
        }
    }

    /// Notes that a request is sent now. The first one starts the time.
    pub fn begin_request(&mut self, settings: &IngestSettings, at: Occasion) {
        self.requests += 1;
        self.sent = Some(at.moment);
        if self.began.is_none() {
            self.began = Some(at.wall.timestamp_millis());
            self.deadline = settings.pace.timeout.map(|timeout| Mark::after(timeout, at));
        }
        self.keep(at);
    }

    /// When the time is over.
    #[must_use]
    pub fn deadline(&self) -> Option<Moment> {
        self.deadline.map(Mark::moment)
    }

    /// When the next request may be sent; `None`: at once.
    #[must_use]
    pub fn not_before(&self) -> Option<Moment> {
        self.not_before.map(Mark::moment)
    }

    /// What a parameter of the type `session` sends, and what a template with its name is filled with.
    #[must_use]
    pub fn session_value<'a>(&'a self, settings: &'a IngestSettings) -> Option<&'a str> {
        if self.pages == 0 {
            return settings.key.as_ref().and_then(|key| key.initial.as_deref());
        }
        self.key.sent()
    }

    /// Notes how much time is left, before it is kept.
    pub(super) fn keep(&mut self, at: Occasion) {
        for mark in self.deadline.iter_mut().chain(&mut self.not_before) {
            mark.keep(at);
        }
    }
}
