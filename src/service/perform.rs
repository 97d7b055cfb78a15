//! `POST /services/{resource}`: performs a document.

use std::time::Instant;

use axum::Extension;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, TE, TRAILER};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Version};
use tracing::{Instrument, debug, field, info_span};
use uuid::Uuid;

use super::answer_body::answer_body;
use super::authentication::Caller;
use super::carrier::{Carrier, Telling, requirement, sequence};
use super::compression::compress;
use super::cross_site::check_post;
use super::entrance::{RequestId, still_known};
use super::headers::REQUEST_STATUS;
use super::media_type::{FaultFormat, charset_of_xml};
use super::prefer::{answered, mark_accepted};
use super::query::Parameters;
use super::refusal::Refusal;
use super::repetition::{Received, Replay, asked, fault_response, idempotency_key, recall};
use super::request_body::read_body;
use super::state::{ServedResource, ServiceState};
use crate::document::{PerformDocument, Status};
use crate::engine::{Answer, AnswerBody, PerformError, PerformRequest};
use crate::session::{Asked, Participant, RepeatName, SessionError, SessionInfo};

/// Performs the document of a POST. Everything that is logged meanwhile names the request.
pub(super) async fn perform(
    State(state): State<ServiceState>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    Extension(caller): Extension<Caller>,
    resource: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let span = info_span!("perform", %request_id, resource = field::Empty, session = field::Empty);
    let work = async {
        let begun = Instant::now();
        let (head, body) = request.into_parts();
        let response = match answer(&state, resource, &head, body, caller, request_id).await {
            Ok(response) => response,
            Err(refusal) => refusal.into_response(request_id, FaultFormat::wished_for(&head.headers)),
        };
        debug!(status = response.status().as_u16(), elapsed = ?begun.elapsed(), "answered");
        response
    };
    work.instrument(span).await
}

async fn answer(
    state: &ServiceState,
    resource: Result<Path<String>, PathRejection>,
    head: &Parts,
    body: Body,
    caller: Caller,
    request_id: Uuid,
) -> Result<Response, Refusal> {
    let resource = state.resource_at(&resource)?;
    tracing::Span::current().record("resource", &resource.name);
    if state.is_draining() {
        return Err(Refusal::of_session(&SessionError::Draining, request_id));
    }
    let carrier = resource.carrier();
    let (mut request, telling, asked) =
        read_request(state, (resource, &carrier), head, body, caller, request_id).await?;
    let is_raw = request.only.is_some();
    if let Some(asked) = asked {
        if is_raw && head.version < Version::HTTP_11 {
            // It would go on to its end, and nobody would be told.
            return Err(refused_version());
        }
        match recall(resource, asked, head, &request).await? {
            Received::New(recording) => request.recording = Some(recording),
            Received::Answered(kept) => {
                let replay = Replay { kept, is_raw, telling };
                return Ok(compress(&head.headers, replay.into_response(&carrier, state.clock.wall(), head)));
            }
        }
    }
    let answer = match resource.engine.perform(request).await {
        Ok(answer) => answer,
        Err(PerformError::Recorded(fault)) => return Ok(fault_response(*fault)),
        Err(error) => return Err(Refusal::of_perform(&error, request_id)),
    };
    if is_raw && head.version < Version::HTTP_11 && matches!(answer.body, AnswerBody::Stream(_)) {
        // It would end with the connection, whether it is whole or not.
        return Err(refused_version());
    }
    let told = Told { session: answer.session.clone(), accepted: answer.accepted, is_raw, telling, is_replayed: false };
    let mut response = to_response(answer, is_raw, head);
    told.write(&carrier, state.clock.wall(), response.headers_mut());
    Ok(compress(&head.headers, response))
}

fn refused_version() -> Refusal {
    let message = "HTTP/1.1 is needed for a raw answer of this length, or that may be sent again: over HTTP/1.0 its end can't \
                   be told";
    Refusal::new(505, "HttpVersionNotSupported", message)
}

/// The session that an answer tells in its head.
pub(super) struct Told {
    pub(super) session: SessionInfo,
    pub(super) accepted: bool,
    pub(super) is_raw: bool,
    pub(super) telling: Telling,
    pub(super) is_replayed: bool,
}

impl Told {
    pub(super) fn write(self, carrier: &Carrier, now: DateTime<Utc>, headers: &mut HeaderMap) {
        let Self { mut session, accepted, is_raw, telling, is_replayed } = self;
        // What goes on runs in a session that is still to be reached.
        session.ended_by_this &= !accepted;
        let telling = if accepted && session.implicit { telling.without_cookie() } else { telling };
        if is_raw || accepted || !session.implicit {
            carrier.describe(&session, telling, headers);
        }
        if is_replayed {
            // The session may have been used since: its cookie must not go before it.
            session.idle_expires = None;
        }
        carrier.give_cookie(&session, telling, now, headers);
    }
}

/// Reads a request, and how its answer tells the session. What its head can be refused for is found first; it is let in before
/// its body is read.
async fn read_request(
    state: &ServiceState,
    (resource, carrier): (&ServedResource, &Carrier),
    head: &Parts,
    body: Body,
    caller: Caller,
    request_id: Uuid,
) -> Result<(PerformRequest, Telling, Option<Asked>), Refusal> {
    check_post(head, carrier.origins())?;
    let charset = charset_of_xml(&head.headers)?;
    let key = idempotency_key(&head.headers)?;
    let only = Parameters::read(&head.uri, &["return"])?.get("return").map(str::to_owned);
    let carried = carrier.carried(head)?;
    let admitted = resource.engine.admit().map_err(Refusal::of_admission)?;
    let body = read_body(body, state.limits.document_bytes, state.body_timeout).await.map_err(Refusal::of_body)?;
    let caller = still_known(state, head, caller).await?;
    let document =
        PerformDocument::parse_with(&body, &state.limits, charset).map_err(|error| Refusal::of_document(&error))?;
    let session = requirement(&document, &carried, carrier)?;
    let telling = carrier.telling(head, &carried, &session);
    let role = caller.role.name();
    let participant = Participant { principal: caller.principal, request_id };
    let answered = answered(&head.headers);
    let conceal_id = telling.conceal_id;
    let name = match sequence(&document, &session, key.is_some())? {
        Some(number) => Some(RepeatName::Sequence(number)),
        None => key.map(RepeatName::Key),
    };
    let request =
        PerformRequest { admitted, document, session, participant, role, answered, only, conceal_id, recording: None };
    let asked = name.map(|name| asked(name, head, &body, charset, &request)).transpose()?;
    Ok((request, telling, asked))
}

/// The HTTP response for an answer, but for its session. Of a raw one the status stands in a trailer.
fn to_response(answer: Answer, is_raw: bool, head: &Parts) -> Response {
    let Answer { accepted, content_type, body, .. } = answer;
    response_of(HeaderValue::from_static(content_type), body, accepted, is_raw, head)
}

/// The same for an answer whose session is told elsewhere.
pub(super) fn response_of(
    content_type: HeaderValue,
    body: AnswerBody,
    accepted: bool,
    is_raw: bool,
    head: &Parts,
) -> Response {
    let trailers = is_raw && takes_trailers(head);
    let is_whole = matches!(body, AnswerBody::Whole(_));
    let mut response = Response::new(answer_body(body, trailers));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if trailers {
        headers.insert(TRAILER, HeaderValue::from_static(REQUEST_STATUS_NAME));
    } else if is_raw && is_whole {
        // A client that takes no trailers is told here, because it is known by now.
        headers.insert(REQUEST_STATUS, HeaderValue::from_static(Status::Completed.as_str()));
    }
    if accepted {
        mark_accepted(&mut response, head);
    }
    response
}

const REQUEST_STATUS_NAME: &str = "Rejoin-Request-Status";

/// HTTP/2 always carries trailers; of an HTTP/1.1 client they have to be asked for (RFC 9110, section 6.5.1).
fn takes_trailers(head: &Parts) -> bool {
    head.version == Version::HTTP_2
        || head
            .headers
            .get_all(TE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.split(',').any(|coding| coding.trim().eq_ignore_ascii_case("trailers")))
}
