//! `POST /services/{resource}`: performs a document.

use axum::extract::{Path, Query, Request, State};
use axum::response::Response;
use chrono::SecondsFormat;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, TE, TRAILER};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Version};
use serde::Deserialize;
use uuid::Uuid;

use super::answer_body::answer_body;
use super::carrier::requirement;
use super::compression::compress;
use super::headers::{REQUEST_ID, REQUEST_STATUS, SESSION, SESSION_EXPIRES};
use super::media_type::charset_of_xml;
use super::refusal::Refusal;
use super::request_body::read_body;
use super::state::ServiceState;
use crate::document::{PerformDocument, Status};
use crate::engine::{Answer, AnswerBody, PerformRequest};
use crate::session::{Participant, Principal, SessionInfo};

/// What may stand behind the `?`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// The end-point whose bytes are the answer.
    #[serde(rename = "return")]
    only: Option<String>,
}

/// Performs the document of a POST.
pub(super) async fn perform(
    State(state): State<ServiceState>,
    Path(resource): Path<String>,
    request: Request,
) -> Response {
    let request_id = match state.new_request_id() {
        Ok(request_id) => request_id,
        Err(refusal) => return refusal.into_response(Uuid::nil(), request.headers()),
    };
    let (head, body) = request.into_parts();
    match read_request(&state, &resource, &head, body, request_id).await {
        Ok((request, engine)) => {
            let is_raw = request.only.is_some();
            match engine.perform(request).await {
                Ok(answer) => compress(&head.headers, to_response(answer, is_raw, &head, request_id)),
                Err(error) => Refusal::of_perform(&error, request_id).into_response(request_id, &head.headers),
            }
        }
        Err(refusal) => refusal.into_response(request_id, &head.headers),
    }
}

async fn read_request<'a>(
    state: &'a ServiceState,
    resource: &str,
    head: &Parts,
    body: axum::body::Body,
    request_id: Uuid,
) -> Result<(PerformRequest, &'a crate::engine::Engine), Refusal> {
    let resource = state.resource(resource)?;
    let charset = charset_of_xml(&head.headers)?;
    let Query(parameters) = Query::<Parameters>::try_from_uri(&head.uri).map_err(|error| {
        Refusal::new(400, "RequestInvalid", format!("{}; expected ?return=NAME", error.body_text()))
    })?;
    let body = read_body(body, state.limits.document_bytes, state.body_timeout).await.map_err(Refusal::of_body)?;
    let document =
        PerformDocument::parse_with(&body, &state.limits, charset).map_err(|error| Refusal::of_document(&error))?;
    let session = requirement(&document, &head.headers, &resource.session_header, resource.automatic)?;
    let participant = Participant { principal: Principal::anonymous(), request_id };
    Ok((PerformRequest { document, session, participant, only: parameters.only }, &resource.engine))
}

/// The HTTP response for an answer. Of a raw one the session stands in headers and the status in a trailer.
fn to_response(answer: Answer, is_raw: bool, head: &Parts, request_id: Uuid) -> Response {
    let Answer { session, content_type, body } = answer;
    let trailers = is_raw && takes_trailers(head);
    let is_whole = matches!(body, AnswerBody::Whole(_));
    let mut response = Response::new(answer_body(body, trailers));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    insert(headers, &REQUEST_ID, &request_id.to_string());
    if is_raw || !session.implicit {
        describe_session(headers, &session);
    }
    if trailers {
        headers.insert(TRAILER, HeaderValue::from_static(REQUEST_STATUS_NAME));
    } else if is_raw && is_whole {
        // A client that takes no trailers is told here, because it is known by now.
        headers.insert(REQUEST_STATUS, HeaderValue::from_static(Status::Completed.as_str()));
    }
    response
}

const REQUEST_STATUS_NAME: &str = "Rejoin-Request-Status";

fn describe_session(headers: &mut HeaderMap, session: &SessionInfo) {
    let mut id = HeaderValue::from_str(session.id.expose().as_str()).ok();
    if let Some(id) = &mut id {
        id.set_sensitive(true);
    }
    if let Some(id) = id {
        headers.insert(SESSION, id);
    }
    if let Some(expires) = session.idle_expires {
        insert(headers, &SESSION_EXPIRES, &expires.to_rfc3339_opts(SecondsFormat::Millis, true));
    }
}

fn insert(headers: &mut HeaderMap, name: &http::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

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
