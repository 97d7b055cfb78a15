//! A fault as `application/problem+json`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Fault, REASONS};
use crate::document::{DocumentError, Position, Problem, TYPES_NAMESPACE, time};

/// The members of RFC 9457, then ours.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProblemDetails<'a> {
    r#type: Cow<'a, str>,
    title: Cow<'a, str>,
    status: u16,
    detail: Cow<'a, str>,
    code: Cow<'a, str>,
    request_id: Cow<'a, str>,
    retryable: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
    recreate_session: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    location: Option<Location>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Location {
    line: u32,
    column: u32,
}

pub(super) fn write(fault: &Fault) -> String {
    let problem = ProblemDetails {
        r#type: format!("{TYPES_NAMESPACE}#{}", fault.code).into(),
        title: title(&fault.code).into(),
        status: fault.status,
        detail: fault.message.as_str().into(),
        code: fault.code.as_str().into(),
        request_id: fault.request_id.as_str().into(),
        retryable: fault.retryable,
        retry_after: fault.retry_after,
        recreate_session: fault.recreate_session,
        reason: fault.reason.map(|reason| reason.as_str().into()),
        time: fault.time.as_ref().map(|moment| time::write(moment).into()),
        location: fault.location.map(|Position { line, column }| Location { line, column }),
    };
    // Numbers, booleans and strings under string keys: nothing in it can fail to be written.
    serde_json::to_string(&problem).unwrap_or_default()
}

pub(super) fn read(bytes: &[u8]) -> Result<Fault, DocumentError> {
    let problem: ProblemDetails<'_> = serde_json::from_slice(bytes).map_err(|error| {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).max(1);
        let class = if error.is_data() { Problem::Invalid } else { Problem::Malformed };
        DocumentError::new(
            class,
            Position { line: count(error.line()), column: count(error.column()) },
            error.to_string(),
        )
    })?;
    let wrong = |member: &str| {
        DocumentError::invalid(
            Position::START,
            format!("the member `{member}` of the fault is not one of those expected"),
        )
    };
    let reason = match &problem.reason {
        None => None,
        Some(word) => match REASONS.iter().find(|(known, _)| known == word) {
            Some((_, reason)) => Some(*reason),
            None => return Err(wrong("reason")),
        },
    };
    let time = match &problem.time {
        None => None,
        Some(text) => Some(time::parse(text).ok_or_else(|| wrong("time"))?),
    };
    Ok(Fault {
        code: problem.code.into(),
        status: problem.status,
        request_id: problem.request_id.into(),
        retryable: problem.retryable,
        retry_after: problem.retry_after,
        recreate_session: problem.recreate_session,
        reason,
        time,
        message: problem.detail.into(),
        location: problem.location.map(|Location { line, column }| Position { line, column }),
    })
}

/// The words of a code: `SessionInUse` is "Session in use".
fn title(code: &str) -> String {
    let mut words = String::new();
    for character in code.chars() {
        if character.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
            words.push(character.to_ascii_lowercase());
        } else {
            words.push(character);
        }
    }
    words
}
