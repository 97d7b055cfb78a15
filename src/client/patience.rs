//! When a request is sent again, and when that has an end.

use std::time::{Duration, Instant};

use super::parcel::Repeat;
use super::{Code, Error, Failure};

/// The first pause before a request whose answer was lost is sent again; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// The longest pause that nobody asked for.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What came in place of an answer.
#[derive(Debug)]
pub(super) enum Mishap {
    /// There was no connection: nothing was sent.
    NotSent { url: String, cause: reqwest::Error },
    /// It was sent, all of it or a part, and the answer did not come, or not to its end.
    Lost(String),
    /// The service refused it.
    Refused(Box<Failure>),
    /// Nothing that can be mended by sending it again.
    Final(Error),
}

/// How long one request is sent again. The time runs from the first mishap, so that a request that takes long by itself has as
/// much of it as any other.
#[derive(Debug)]
pub(super) struct Patience {
    whole: Duration,
    /// When the first mishap was.
    begun: Option<Instant>,
    pause: Duration,
    /// Whether an answer was lost: from then on the request may have been done.
    is_lost: bool,
}

impl Patience {
    pub(super) fn new(whole: Duration) -> Self {
        Self { whole, begun: None, pause: FIRST_PAUSE, is_lost: false }
    }

    /// Waits until the request may be sent again.
    ///
    /// # Errors
    ///
    /// What to tell instead, where it must not be, or the patience is over.
    pub(super) async fn bear(&mut self, mishap: Mishap, repeat: Repeat) -> Result<(), Error> {
        let pause = self.pause_after(mishap, repeat, Instant::now())?;
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// How long to wait before the request is sent again.
    fn pause_after(&mut self, mishap: Mishap, repeat: Repeat, now: Instant) -> Result<Duration, Error> {
        match mishap {
            Mishap::Final(error) => Err(error),
            // At first there may be no service at all; later it is one that starts anew.
            Mishap::NotSent { url, cause } if self.begun.is_none() => {
                Err(Error::Unreachable { url, cause: Box::new(cause.without_url()) })
            }
            Mishap::NotSent { url, cause } => {
                let is_lost = self.is_lost;
                self.next(None, now, || {
                    if is_lost {
                        lost(&format!("the answer was lost, and then {}", chain(&cause)), repeat)
                    } else {
                        Error::Unreachable { url, cause: Box::new(cause.without_url()) }
                    }
                })
            }
            Mishap::Lost(reason) => {
                self.is_lost = true;
                if repeat == Repeat::Never {
                    return Err(lost(&reason, repeat));
                }
                self.next(None, now, || lost(&reason, repeat))
            }
            Mishap::Refused(failure) if failure.retryable && !failure.code.wants_new_transaction() => {
                let after = failure.retry_after;
                let is_lost = self.is_lost;
                self.next(after, now, || refused(*failure, is_lost, repeat))
            }
            Mishap::Refused(failure) => Err(refused(*failure, self.is_lost, repeat)),
        }
    }

    /// As long as was asked for, or a little longer than the last time; `end` when the patience is over before.
    fn next(&mut self, wished: Option<Duration>, now: Instant, end: impl FnOnce() -> Error) -> Result<Duration, Error> {
        let begun = *self.begun.get_or_insert(now);
        // A service that asks for no pause is not asked without one.
        let pause = wished.map_or(self.pause, |wished| wished.max(FIRST_PAUSE));
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        if now.duration_since(begun) + pause > self.whole { Err(end()) } else { Ok(pause) }
    }
}

/// What to say of a request that was refused, perhaps after an answer to it was lost.
fn refused(failure: Failure, is_lost: bool, repeat: Repeat) -> Error {
    match failure.code {
        // The answer that was lost is all there is to say of it.
        Code::SessionConflict if is_lost => lost("the request is still being run", repeat),
        ref code if is_lost && repeat != Repeat::Harmless && code.is_said_at_the_door() => {
            lost(&format!("the answer was lost, and then the request was refused: {failure}"), repeat)
        }
        _ => Error::refused(failure),
    }
}

/// What to say of a request whose answer does not come.
fn lost(reason: &str, repeat: Repeat) -> Error {
    match repeat {
        Repeat::Harmless => Error::BrokenOff { reason: reason.into() },
        Repeat::Recognised | Repeat::Never => Error::OutcomeUnknown { reason: reason.into() },
    }
}

/// An error with its causes, without the URL, on one line.
pub(super) fn chain(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut next: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(cause) = next {
        text = cause.to_string();
        next = cause.source();
    }
    if text.is_empty() { "the connection broke".into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Fault;

    fn refusal(code: &str, retry_after: Option<u32>) -> Mishap {
        let fault = Fault { retryable: retry_after.is_some(), retry_after, ..Fault::new(code, 503, "0193", "full") };
        Mishap::Refused(Box::new(Failure::of_fault(fault)))
    }

    /// A patience of ten seconds, and whether a request is sent again, pause after pause.
    struct Trial {
        patience: Patience,
        begun: Instant,
        waited: Duration,
    }

    impl Trial {
        fn new() -> Self {
            let patience = Patience::new(Duration::from_secs(10));
            Self { patience, begun: Instant::now(), waited: Duration::ZERO }
        }

        fn bear(&mut self, mishap: Mishap, repeat: Repeat) -> Result<(), Error> {
            self.waited += self.patience.pause_after(mishap, repeat, self.begun + self.waited)?;
            Ok(())
        }
    }

    #[test]
    fn what_the_service_asks_for_is_waited_and_no_longer_than_patience_lasts() {
        let mut trial = Trial::new();
        for seconds in [3, 6, 9] {
            trial.bear(refusal("ServerBusy", Some(3)), Repeat::Never).unwrap();
            assert_eq!(trial.waited, Duration::from_secs(seconds));
        }
        let error = trial.bear(refusal("ServerBusy", Some(3)), Repeat::Never).unwrap_err();
        assert_eq!(error.code(), Some(&Code::ServerBusy));
    }

    #[test]
    fn what_will_not_help_is_told_at_once() {
        for (code, retry_after) in [("ActivityFailed", None), ("TransactionConflict", Some(1))] {
            let error = Trial::new().bear(refusal(code, retry_after), Repeat::Recognised).unwrap_err();
            assert_eq!(error.code().map(Code::as_str), Some(code));
        }
    }

    #[test]
    fn a_lost_answer_is_unknown_unless_nothing_is_changed() {
        for (repeat, is_unknown) in [(Repeat::Recognised, true), (Repeat::Harmless, false), (Repeat::Never, true)] {
            let (mut trial, mut sent) = (Trial::new(), 1);
            let error = loop {
                match trial.bear(Mishap::Lost("gone".into()), repeat) {
                    Ok(()) => sent += 1,
                    Err(error) => break error,
                }
            };
            assert_eq!(matches!(error, Error::OutcomeUnknown { .. }), is_unknown, "{error}");
            assert_eq!(sent > 1, repeat != Repeat::Never);
        }
    }

    #[test]
    fn what_is_refused_at_the_door_after_its_answer_was_lost_is_unknown() {
        for (code, retry_after) in [("SessionNotFound", None), ("Unauthenticated", None), ("Draining", Some(3))] {
            for (repeat, is_unknown) in [(Repeat::Recognised, true), (Repeat::Harmless, false)] {
                let mut trial = Trial::new();
                trial.bear(Mishap::Lost("gone".into()), repeat).unwrap();
                let error = loop {
                    if let Err(error) = trial.bear(refusal(code, retry_after), repeat) {
                        break error;
                    }
                };
                assert_eq!(matches!(error, Error::OutcomeUnknown { .. }), is_unknown, "{code}: {error}");
            }
        }
        let mut trial = Trial::new();
        trial.bear(Mishap::Lost("gone".into()), Repeat::Recognised).unwrap();
        let error = trial.bear(refusal("SqlError", None), Repeat::Recognised).unwrap_err();
        assert_eq!(error.code(), Some(&Code::SqlError), "what became of it");
    }

    #[test]
    fn a_request_that_still_runs_when_patience_is_over_is_unknown() {
        let mut trial = Trial::new();
        trial.bear(Mishap::Lost("gone".into()), Repeat::Recognised).unwrap();
        let error = loop {
            if let Err(error) = trial.bear(refusal("SessionConflict", Some(1)), Repeat::Recognised) {
                break error;
            }
        };
        assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error}");
    }
}
