//! When requests are sent, and which are sent again.

use std::time::Duration;

use super::answers::{shared, statuses};
use super::node::Node;
use super::set::PropertySet;
use crate::ingest::settings::{AnswerRules, Backoff, PaceSettings, RetrySettings, SessionKey, StatusSet};

/// How long a remote session has to be complete, where nothing is said.
const TIMEOUT: Duration = Duration::from_mins(10);

/// The longest time-out, in seconds: a day.
const LONGEST_TIMEOUT: u64 = 86_400;

pub(super) fn pace(set: &PropertySet<'_>, key: Option<&SessionKey>) -> PaceSettings {
    let waits = key.is_some_and(|key| key.condition.is_some() || key.failure.is_some());
    let timeout = set.whole("ms.wait.timeout.seconds", 0..=LONGEST_TIMEOUT).map(Duration::from_secs);
    PaceSettings {
        interval: Duration::from_millis(set.whole("ms.call.interval.millis", 0..=86_400_000).unwrap_or_default()),
        timeout: timeout.or(waits.then_some(TIMEOUT)),
        unit_interval: Duration::from_secs(set.whole("ms.work.unit.pacing.seconds", 0..=86_400).unwrap_or_default()),
    }
}

/// Nothing is tried again but what `rejoin.retry` names, and requests whose credentials have run out.
pub(super) fn retry(set: &PropertySet<'_>, answers: &AnswerRules, credentials: CredentialRetry) -> RetrySettings {
    let none = RetrySettings {
        statuses: StatusSet::default(),
        on_transport_errors: false,
        times: 0,
        backoff: BACKOFF,
        longest_wait: LONGEST_WAIT,
        poll_errors: 0,
        credential_attempts: credentials.attempts,
        credential_delay: credentials.delay,
    };
    let mut retry = set.json("rejoin.retry", |node| retries(node, answers, &none)).flatten().unwrap_or(none);
    let most = u64::from(u32::MAX);
    let errors = set.whole("rejoin.poll.errors", 0..=most).unwrap_or_default();
    retry.poll_errors = u32::try_from(errors).unwrap_or(u32::MAX);
    retry
}

/// `retry` of the secondary input of the category `authentication`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CredentialRetry {
    pub(super) attempts: u32,
    pub(super) delay: Duration,
}

impl Default for CredentialRetry {
    fn default() -> Self {
        Self { attempts: 3, delay: Duration::from_mins(5) }
    }
}

/// What is waited where `rejoin.retry` doesn't say.
const BACKOFF: Backoff =
    Backoff { first: Duration::from_secs(1), factor: 2.0, longest: Duration::from_mins(1), jitter: 0.1 };

/// The longest that a server may ask to wait, where `rejoin.retry` doesn't say.
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// `{"statuses": […], "transport": true, "times": 5, "backoff": {…}, "longestWait": …}`
fn retries(node: &Node<'_>, answers: &AnswerRules, none: &RetrySettings) -> Option<RetrySettings> {
    let members = node.members(&["statuses", "transport", "times", "backoff", "longestWait"])?;
    let tried = match members.get("statuses") {
        Some(node) => statuses(&node),
        None => StatusSet(vec![429..=429, 502..=504]),
    };
    let taken =
        [("success", &answers.success), ("warning", &answers.warning), ("pagination_error", &answers.credentials)];
    for (name, class) in taken {
        if let Some(status) = shared(&tried, class) {
            let place = members.get("statuses").unwrap_or_else(|| node.clone());
            place.refuse(format!("{status} is in `{name}` of `ms.http.statuses` too: an answer has one meaning"));
        }
    }
    let times = members.get("times").map_or(Some(5), |node| node.whole(1..=1000));
    let transport = members.get("transport").map_or(Some(true), |node| node.flag());
    let backoff = members.get("backoff").map_or(Some(BACKOFF), |node| backoff(&node));
    let longest_wait = members.get("longestWait").map_or(Some(LONGEST_WAIT), |node| node.duration());
    Some(RetrySettings {
        statuses: tried,
        on_transport_errors: transport?,
        times: u32::try_from(times?).unwrap_or(u32::MAX),
        backoff: backoff?,
        longest_wait: longest_wait?,
        ..none.clone()
    })
}

/// `{"first": 1000, "factor": 2, "longest": 60000, "jitter": 0.1}`
fn backoff(node: &Node<'_>) -> Option<Backoff> {
    let members = node.members(&["first", "factor", "longest", "jitter"])?;
    let first = members.get("first").map_or(Some(BACKOFF.first), |node| node.duration());
    let factor = members.get("factor").map_or(Some(BACKOFF.factor), |node| node.number(1.0..=100.0));
    let longest = members.get("longest").map(|node| node.duration());
    let jitter = members.get("jitter").map_or(Some(BACKOFF.jitter), |node| node.number(0.0..=1.0));
    let first = first?;
    let longest = longest.map_or(Some(BACKOFF.longest.max(first)), |longest| longest)?;
    if longest < first {
        node.refuse("`longest` is shorter than `first`");
    }
    Some(Backoff { first, factor: factor?, longest, jitter: jitter? })
}
