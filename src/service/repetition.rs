//! Requests that a client may send again: the header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), and what
//! is answered to those that come again.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::carrier::{Carrier, Telling};
use super::headers::{IDEMPOTENCY_KEY, REPLAYED};
use super::listener::ClientAddress;
use super::media_type::FaultFormat;
use super::perform::{Told, response_of};
use super::refusal::{FaultCode, Refusal};
use super::state::ServedResource;
use crate::engine::{AnswerBody, Answered, PerformRequest, RecordedFault, Recording, TransactionOutcome};
use crate::session::{
    Asked, ClientNetwork, Fingerprint, IdempotencyKey, KeptAnswer, Recalled, RepeatName, SessionId, SessionRequirement,
    Unfinished,
};

/// A key that stands for itself, because all who are nobody in particular share their keys, has at least so many characters: who
/// guesses it gets the session that its request made.
const SHORTEST_ANONYMOUS_KEY: usize = 16;

/// After which time it is worth asking for the answer of a request that runs.
const LATER: Duration = Duration::from_secs(1);

/// How a repeatable request is received.
pub(super) enum Received {
    /// It runs, and its answer is recorded.
    New(Recording),
    /// It was answered.
    Answered(KeptAnswer),
}

/// The key of a request. The field is a string as RFC 9651 writes them (`"8e03978e"`), or the same without quotes.
///
/// # Errors
///
/// 400 `RequestInvalid` when it can't be read, or stands there twice.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Refusal> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(invalid("the header `Idempotency-Key` stands there twice"));
    }
    let key = value.to_str().ok().and_then(|value| read_key(value.trim()));
    match key.map(|key| IdempotencyKey::new(&key)) {
        Some(Ok(key)) => Ok(Some(key)),
        Some(Err(error)) => Err(invalid(format!("the header `Idempotency-Key`: {error}"))),
        None => Err(invalid(
            "the header `Idempotency-Key` holds one string, in quotes, or one word without: \"8e03978e-40d5-43e8-bc93-6894a57f9324\"",
        )),
    }
}

/// A string of RFC 9651, section 3.3.3, without parameters, or a word without quotes.
fn read_key(value: &str) -> Option<String> {
    let Some(quoted) = value.strip_prefix('"') else {
        let is_word = value.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\,;".contains(&byte));
        return is_word.then(|| value.to_owned());
    };
    let mut key = String::new();
    let mut characters = quoted.strip_suffix('"')?.chars();
    while let Some(character) = characters.next() {
        key.push(match character {
            '\\' => characters.next().filter(|escaped| matches!(escaped, '"' | '\\'))?,
            '"' => return None,
            other => other,
        });
    }
    Some(key)
}

/// What a request asks for that its client may send again.
///
/// # Errors
///
/// 400 `RequestInvalid` for a key that others may guess.
pub(super) fn asked(
    name: RepeatName,
    head: &Parts,
    body: &[u8],
    charset: Option<&str>,
    request: &PerformRequest,
) -> Result<Asked, Refusal> {
    let (session, rotated) = match &request.session {
        SessionRequirement::Join { id, rotate, .. } => (Some(id), rotate.then_some(id)),
        SessionRequirement::Terminate { id, .. } => (Some(id), None),
        // Whether the session that it names is there or not: the request is the same, and so is its answer.
        SessionRequirement::Implicit { .. }
        | SessionRequirement::Create { .. }
        | SessionRequirement::JoinOrCreate { .. } => (None, None),
    };
    if let (None, RepeatName::Key(key)) = (session, &name)
        && request.participant.principal.id().is_none()
        && key.length() < SHORTEST_ANONYMOUS_KEY
    {
        return Err(invalid(format!(
            "without a session and without a user the key has to be one that nobody guesses, because who sends it again gets \
             the answer: at least {SHORTEST_ANONYMOUS_KEY} characters, best a UUID"
        )));
    }
    let rotated = rotated.map(SessionId::expose);
    let fingerprint = Fingerprint::of(&[
        body,
        charset.unwrap_or_default().as_bytes(),
        if request.only.is_some() { b"return" } else { b"" },
        request.only.as_deref().unwrap_or_default().as_bytes(),
        if request.answered == Answered::AtOnce { b"respond-async" } else { b"" },
        if FaultFormat::wished_for(&head.headers) == FaultFormat::ProblemJson { b"problem+json" } else { b"" },
        if request.conceal_id { b"cookie" } else { b"" },
        // Of a new id only who came with the old one is told.
        rotated.as_ref().map_or("", |id| id.as_str()).as_bytes(),
    ]);
    let network = head.extensions.get().map(|ClientAddress(address)| ClientNetwork::from(*address));
    Ok(Asked { name, session: session.cloned(), fingerprint, network })
}

/// Asks what is known of a repeatable request of a resource.
///
/// # Errors
///
/// Why it is neither run nor answered.
pub(super) async fn recall(
    resource: &ServedResource,
    asked: Asked,
    head: &Parts,
    request: &PerformRequest,
) -> Result<Received, Refusal> {
    let who = &request.participant;
    let request_id = who.request_id;
    let is_numbered = matches!(asked.name, RepeatName::Sequence(_));
    let recalled = resource.engine.sessions().recall(asked, &who.principal).await;
    match recalled.map_err(|error| Refusal::of_session(&error, request_id))? {
        Recalled::New(repetition) => {
            let format = FaultFormat::wished_for(&head.headers);
            let faults = move |failure: &_| Refusal::of_perform(failure, request_id).into_recorded(request_id, format);
            Ok(Received::New(Recording::new(repetition, request_id.to_string(), faults)))
        }
        Recalled::Answered(kept) => {
            resource.request_metrics.repeated("answered");
            Ok(Received::Answered(kept))
        }
        Recalled::Unknown(unfinished) => match resource.engine.outcome(request, unfinished).await {
            TransactionOutcome::Answered(kept) => {
                resource.request_metrics.repeated("answered");
                Ok(Received::Answered(kept))
            }
            outcome => {
                resource.request_metrics.repeated("unknown");
                Err(refusal_of_outcome(&outcome, unfinished))
            }
        },
        refused => {
            resource.request_metrics.repeated(reason_of(&refused));
            Err(refusal_of(&refused, is_numbered))
        }
    }
}

/// Why a request is not run, for those who count.
fn reason_of(recalled: &Recalled) -> &'static str {
    match recalled {
        Recalled::New(_) | Recalled::Answered(_) => "answered",
        Recalled::InFlight => "running",
        Recalled::Reused => "reused",
        Recalled::Expected(_) => "number",
        Recalled::Unknown(_) => "unknown",
    }
}

fn refusal_of(recalled: &Recalled, is_numbered: bool) -> Refusal {
    match recalled {
        Recalled::Reused => {
            let message = if is_numbered {
                "the request with this `sequence` was another one: count on for a new request"
            } else {
                "this `Idempotency-Key` was given to another request: take a new key for a new request, and send the same \
                 document, with the same headers and parameters, to get its answer again"
            };
            Refusal::new(422, "IdempotencyKeyReused", message)
        }
        Recalled::Expected(number) => {
            let message = format!("the next `sequence` in this session is {number}: the request was not run");
            Refusal::new(409, "SessionConflict", message)
        }
        Recalled::Unknown(unfinished) => refusal_of_outcome(&TransactionOutcome::Unknown, *unfinished),
        Recalled::New(_) | Recalled::Answered(_) | Recalled::InFlight => {
            let message = "this request, or the one that it counts on from, is running: ask again for its answer";
            Refusal::new(409, "SessionConflict", message).retry_after(LATER)
        }
    }
}

/// What is told of a request that began, and was not answered before the process died.
fn refusal_of_outcome(outcome: &TransactionOutcome, unfinished: Unfinished) -> Refusal {
    let of =
        |code, what: String| Refusal::new(409, code, format!("the service stopped while it ran this request: {what}"));
    let what = match outcome {
        TransactionOutcome::Committed { transaction, is_all: true } => {
            let lost = "what it was to change in its session, and its results, are lost";
            return of("TransactionCommitted", format!("its transaction {transaction} is committed; {lost}"));
        }
        TransactionOutcome::RolledBack { transaction, is_all: true } => {
            let anew = "nothing of it holds: begin it anew, with another key or number";
            let what = format!("its transaction {transaction} is rolled back; {anew}");
            return of("TransactionRolledBack", what).retry_after(LATER);
        }
        TransactionOutcome::Committed { transaction, .. } => format!("its transaction {transaction} is committed; "),
        TransactionOutcome::RolledBack { transaction, .. } => format!("its transaction {transaction} is rolled back; "),
        TransactionOutcome::Answered(_) | TransactionOutcome::Unknown => match unfinished.transaction {
            Some(transaction) => format!("what becomes of its transaction {transaction}, its `state` tells later; "),
            None => String::new(),
        },
    };
    let unknown = "its session is unchanged, but what it did to data resources and beyond is not known, so it is not run again; \
                   look there, and send what is missing as a new request";
    of("OutcomeUnknown", format!("{what}{unknown}"))
}

/// The answer to a request that failed, as it is remembered.
pub(super) fn fault_response(fault: RecordedFault) -> Response {
    let RecordedFault { status, code, content_type, body } = fault;
    let mut response = plain(status, HeaderValue::from_static(content_type), body);
    response.extensions_mut().insert(FaultCode(code));
    response
}

fn plain(status: u16, content_type: HeaderValue, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An answer that is told again.
pub(super) struct Replay {
    pub(super) kept: KeptAnswer,
    pub(super) is_raw: bool,
    pub(super) telling: Telling,
}

impl Replay {
    /// The same answer as the first time, marked.
    pub(super) fn into_response(self, carrier: &Carrier, now: DateTime<Utc>, head: &Parts) -> Response {
        let Self { kept, is_raw, telling } = self;
        let KeptAnswer { status, content_type, body, accepted, session } = kept;
        let content_type = HeaderValue::from_str(&content_type)
            .unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream"));
        let mut response = match session {
            None => plain(status, content_type, body),
            Some(session) => {
                let session = session.into_info();
                let mut response = response_of(content_type, AnswerBody::Whole(body), accepted, is_raw, head);
                Told { session, accepted, is_raw, telling, is_replayed: true }.write(
                    carrier,
                    now,
                    response.headers_mut(),
                );
                response
            }
        };
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        response
    }
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "RequestInvalid", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(values: &[&str]) -> Result<Option<IdempotencyKey>, Refusal> {
        let values = values.iter().map(|value| (IDEMPOTENCY_KEY, HeaderValue::from_str(value).unwrap()));
        idempotency_key(&values.collect())
    }

    #[test]
    fn a_key_is_a_string_or_a_word() {
        for (value, expected) in [
            ("\"abc\"", "abc"),
            ("abc", "abc"),
            ("  \"a b\"  ", "a b"),
            ("8e03978e-40d5-43e8-bc93-6894a57f9324", "8e03978e-40d5-43e8-bc93-6894a57f9324"),
            (r#""a\"b\\c""#, r#"a"b\c"#),
            ("a/b:c=", "a/b:c="),
        ] {
            assert_eq!(key(&[value]), Ok(Some(IdempotencyKey::new(expected).unwrap())), "{value}");
        }
        assert_eq!(key(&[]), Ok(None));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let long = "x".repeat(256);
        for value in
            ["", "\"\"", "\"a", "a\"", "\"", "\"a\";b=1", "a, b", "a b", "\"a\\x\"", "\"a\\\"", "\"a\"b\"", &long]
        {
            assert!(key(&[value]).is_err(), "{value}");
        }
        assert!(key(&["a", "a"]).is_err());
    }
}
