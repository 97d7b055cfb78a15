use std::time::Duration;

use super::StatusSet;

/// When requests are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaceSettings {
    /// `ms.call.interval.millis`: the least time from the start of a request to the start of the next.
    pub interval: Duration,
    /// `ms.wait.timeout.seconds`: how long after the first request the remote session has to be complete. `None` where pages
    /// alone are asked for and nothing was said.
    pub timeout: Option<Duration>,
    /// `ms.work.unit.pacing.seconds`: how much later each unit begins than the one before.
    pub unit_interval: Duration,
}

/// What is tried again: `rejoin.retry`.
#[derive(Debug, Clone, PartialEq)]
pub struct RetrySettings {
    /// The answers after which a request is sent again.
    pub statuses: StatusSet,
    /// Whether it is sent again when no answer came; one that may have had an effect never is.
    pub on_transport_errors: bool,
    /// How often at the most, after the first time.
    pub times: u32,
    /// How long between.
    pub backoff: Backoff,
    /// The longest that a server may ask to wait (`Retry-After`, rate limits); if it asks for more, the ingestion fails.
    pub longest_wait: Duration,
    /// `rejoin.poll.errors`: how many failed requests in a row a poll goes on after.
    pub poll_errors: u32,
    /// `ms.secondary.input`, `retry` of the category `authentication`: how often a request is sent in all with credentials read anew.
    pub credential_attempts: u32,
    /// How long before the credentials are read again.
    pub credential_delay: Duration,
}

/// How long to wait before a request is sent again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    /// Before the first repetition.
    pub first: Duration,
    /// How many times longer before each one after that; 1 is constant.
    pub factor: f64,
    /// The longest.
    pub longest: Duration,
    /// How much of it is left to chance, from 0 to 1.
    pub jitter: f64,
}
