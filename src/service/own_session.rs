//! `GET` and `DELETE /services/{resource}/session`: the owner of a session looks at it and ends it.
//!
//! The session is the one that the carrier names, as on a perform request. Neither waits for the lock, so both work while a
//! request holds the session; neither counts as a visit, so the idle time runs on.

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use uuid::Uuid;

use super::authentication::Caller;
use super::carrier::{Carrier, FoundCookie};
use super::cross_site::check_post;
use super::entrance::RequestId;
use super::media_type::FaultFormat;
use super::query::Parameters;
use super::refusal::Refusal;
use super::session_status::{answer, answer_to_end, describe, nothing_more};
use super::state::ServiceState;
use crate::session::{EndReason, SessionError, SessionId, SessionManager};

/// How the session stands.
pub(super) async fn show(
    State(state): State<ServiceState>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    Extension(caller): Extension<Caller>,
    resource: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let shown = async {
        let resource = state.resource_at(&resource)?;
        let carrier = resource.carrier();
        let id = named_session(&head, &carrier)?;
        let described = resource.engine.sessions().describe(&id, &caller.principal).await;
        described.map_err(|error| Refusal::of_session(&error, request_id))
    };
    match shown.await {
        Ok(description) => answer(describe(&description).to_xml()),
        Err(refusal) => refusal.into_response(request_id, FaultFormat::wished_for(&head.headers)),
    }
}

/// Ends the session, whoever holds it.
pub(super) async fn end(
    State(state): State<ServiceState>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    Extension(caller): Extension<Caller>,
    resource: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let ended = end_named_session(&state, &resource, &head, &caller, request_id).await;
    ended.unwrap_or_else(|refusal| refusal.into_response(request_id, FaultFormat::wished_for(&head.headers)))
}

async fn end_named_session(
    state: &ServiceState,
    resource: &Result<Path<String>, PathRejection>,
    head: &Parts,
    caller: &Caller,
    request_id: Uuid,
) -> Result<Response, Refusal> {
    let resource = state.resource_at(resource)?;
    let carrier = resource.carrier();
    check_post(head, carrier.origins())?;
    Parameters::read(&head.uri, &[])?;
    let id = carried_session_for_change(head, &carrier)?;
    let mut response = end_session(&**resource.engine.sessions(), &id, caller, request_id).await?;
    if carrier.cookie().is_some_and(|cookie| matches!(cookie.find(&head.headers), FoundCookie::Id(_))) {
        carrier.take_cookie(response.headers_mut());
    }
    Ok(response)
}

async fn end_session(
    sessions: &dyn SessionManager,
    id: &SessionId,
    caller: &Caller,
    request_id: Uuid,
) -> Result<Response, Refusal> {
    let handle = match sessions.describe(id, &caller.principal).await {
        Ok(description) => description.status.handle,
        // Whoever wants it to be over has what he wants.
        Err(SessionError::Ended { .. }) => return Ok(nothing_more()),
        Err(error) => return Err(Refusal::of_session(&error, request_id)),
    };
    match sessions.end(handle, EndReason::Terminated).await {
        Ok(progress) => Ok(answer_to_end(sessions, handle, progress).await),
        // It ended in between.
        Err(SessionError::NotFound) => Ok(nothing_more()),
        Err(error) => Err(Refusal::of_session(&error, request_id)),
    }
}

/// Stops the request that holds the session; the session stays. 202 when a request was told, 204 when none holds it.
pub(super) async fn stop_request(
    State(state): State<ServiceState>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    Extension(caller): Extension<Caller>,
    resource: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let stopped = async {
        let resource = state.resource_at(&resource)?;
        let carrier = resource.carrier();
        check_post(&head, carrier.origins())?;
        Parameters::read(&head.uri, &[])?;
        let id = carried_session_for_change(&head, &carrier)?;
        let stopped = resource.engine.sessions().interrupt(&id, &caller.principal).await;
        stopped.map_err(|error| Refusal::of_session(&error, request_id))
    };
    match stopped.await {
        Ok(was_told) => {
            let mut response = nothing_more();
            if was_told {
                *response.status_mut() = StatusCode::ACCEPTED;
            }
            response
        }
        Err(refusal) => refusal.into_response(request_id, FaultFormat::wished_for(&head.headers)),
    }
}

/// The session that the carrier names, for a route without query parameters.
fn named_session(head: &Parts, carrier: &Carrier) -> Result<SessionId, Refusal> {
    Parameters::read(&head.uri, &[])?;
    there_has_to_be_one(carrier.carried_id(head)?, carrier)
}

/// The session that the carrier names, for a route that changes something whatever its method is.
pub(super) fn carried_session_for_change(head: &Parts, carrier: &Carrier) -> Result<SessionId, Refusal> {
    there_has_to_be_one(carrier.carried_id_for_change(head)?, carrier)
}

fn there_has_to_be_one(id: Option<SessionId>, carrier: &Carrier) -> Result<SessionId, Refusal> {
    id.ok_or_else(|| {
        let message = format!("which session? name its id in {}", carrier.places());
        Refusal::new(400, "SessionRequirementInvalid", message)
    })
}
