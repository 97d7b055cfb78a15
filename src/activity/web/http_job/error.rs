//! What goes wrong with jobs.

use crate::activity::ActivityError;
use crate::ingest::control::Rule;

/// A phase has failed.
pub(super) fn of_failure(phase: &str, rule: Rule, reason: &str) -> ActivityError {
    let code = match rule {
        Rule::Timeout => "HttpJobTimedOut",
        Rule::Transport => "HttpJobUnreachable",
        Rule::MediaType | Rule::Unreadable | Rule::DataField | Rule::Formula => "HttpJobUnreadable",
        _ => "HttpJobFailed",
    };
    ActivityError::client(code, format!("{phase}: {reason}"))
}

/// Whether there is a job is not known.
pub(super) fn unknown(why: &str) -> ActivityError {
    let message = format!(
        "create: {why}; so it is not known whether the remote service has created a job, and the request is not sent again: look \
         there, then remove the session attribute of `sessionState`, if there is one"
    );
    ActivityError::client("HttpJobUnknown", message)
}

/// The time of the job is over.
pub(super) fn late(phase: &str, seconds: f64) -> ActivityError {
    let message =
        format!("{phase}: the time is over: the job was not done {seconds} s after it was created (`timeout`)");
    ActivityError::client("HttpJobTimedOut", message)
}

/// An answer does not say what it should.
pub(super) fn answer(phase: &str, problem: &str) -> ActivityError {
    ActivityError::client("HttpJobAnswer", format!("{phase}: {problem}"))
}

/// With what was done about it.
pub(super) fn with(error: ActivityError, note: &str) -> ActivityError {
    match error {
        ActivityError::Client { code, message } if !note.is_empty() => {
            ActivityError::Client { code, message: format!("{message}; {note}") }
        }
        other => other,
    }
}
