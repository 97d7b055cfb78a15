//! How sessions stand, as the documents that say it.

use axum::body::Body;
use axum::response::Response;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};

use super::routes::xml;
use crate::document::{
    AttributeStatus, AttributesStatus, GrantedTimeout, ProgressStatus, RequestStatus, SessionStatusDocument,
    StreamDescription,
};
use crate::session::{
    AttributeSummary, EndProgress, RequestSummary, SessionDescription, SessionHandle, SessionManager, SessionState,
    SessionStatus, StreamStatus,
};

/// A session document as an answer.
pub(super) fn answer(document: String) -> Response {
    let mut response = xml(document);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The answer to the end of a session: 204 when it is over, 202 with how it stands when a request holds it still.
pub(super) async fn answer_to_end(
    sessions: &dyn SessionManager,
    handle: SessionHandle,
    progress: EndProgress,
) -> Response {
    if progress == EndProgress::Closing
        && let Ok(description) = sessions.inspect(handle).await
        && description.status.state == SessionState::Closing
    {
        let mut response = answer(describe(&description).to_xml());
        *response.status_mut() = StatusCode::ACCEPTED;
        return response;
    }
    nothing_more()
}

/// 204: what was to be ended is over.
pub(super) fn nothing_more() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// How one session stands, with its attributes.
pub(super) fn describe(description: &SessionDescription) -> SessionStatusDocument {
    let mut document = summarize(&description.status);
    document.attributes.list = description.attributes.iter().map(attribute).collect();
    document.streams = description.streams.iter().map(stream).collect();
    if let Some(last) = &description.asynchronous {
        add_progress(&mut document.requests, last);
    }
    document
}

/// The same for a list: the attributes are counted.
pub(super) fn summarize(status: &SessionStatus) -> SessionStatusDocument {
    let timeout = match status.timeout {
        _ if status.implicit => None,
        Some(timeout) => Some(GrantedTimeout::After(timeout)),
        None => Some(GrantedTimeout::Unbounded),
    };
    SessionStatusDocument {
        handle: status.handle.to_string(),
        state: status.state,
        implicit: status.implicit,
        owner: status.owner.id().map(str::to_owned),
        label: status.label.as_deref().map(str::to_owned),
        created: status.created,
        released: status.released,
        timeout,
        idle_expires: status.idle_expires,
        lifetime_expires: status.lifetime_expires,
        fence: status.fence,
        waiters: status.waiters as u64,
        readers: status.readers as u64,
        attributes: AttributesStatus { count: status.attributes as u64, bytes: status.bytes, list: Vec::new() },
        streams: Vec::new(),
        requests: request(status).into_iter().collect(),
    }
}

/// The request that holds the session; not the one that it was handed to and that has not come for it yet.
fn request(status: &SessionStatus) -> Option<RequestStatus> {
    Some(RequestStatus { id: status.request?.to_string(), since: Some(status.held_since?), progress: None })
}

/// Adds the last asynchronous request, unless that is the one that holds the session: then it is said there.
fn add_progress(requests: &mut Vec<RequestStatus>, last: &RequestSummary) {
    let progress = ProgressStatus {
        status: last.status,
        started: last.started,
        ended: last.ended,
        results: last.results.iter().map(|result| (result.name.to_string(), result.status)).collect(),
        error: last.error.clone(),
    };
    let id = last.id.to_string();
    match requests.iter_mut().find(|request| request.id == id) {
        Some(request) => request.progress = Some(progress),
        None => requests.push(RequestStatus { id, since: None, progress: Some(progress) }),
    }
}

fn stream(stream: &StreamStatus) -> StreamDescription {
    StreamDescription {
        name: stream.name.to_string(),
        direction: stream.direction,
        state: stream.state,
        content_type: stream.content_type.map(str::to_owned),
    }
}

fn attribute(summary: &AttributeSummary) -> AttributeStatus {
    AttributeStatus {
        name: summary.name.to_string(),
        type_name: summary.type_name.to_owned(),
        bytes: summary.bytes,
        is_static: summary.is_static,
    }
}
