//! `/services/{resource}/sessions`: looking at sessions by their handles, and ending them.
//!
//! An operator sees and ends everybody's. A user who says who he is sees and ends his own; every other handle is unknown to
//! him. Users who don't say who they are share one principal, so they see nothing here: they would see each other.

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use futures_util::future::join_all;
use http::Uri;
use http::request::Parts;
use tracing::info;
use uuid::Uuid;

use super::authentication::{Caller, Role};
use super::compression::compress;
use super::cross_site::check_post;
use super::entrance::RequestId;
use super::media_type::FaultFormat;
use super::query::{Parameters, invalid};
use super::refusal::Refusal;
use super::session_status::{answer, answer_to_end, describe, summarize};
use super::state::{ServedResource, ServiceState};
use crate::document::{EndedSessions, SessionList};
use crate::session::{
    EndProgress, EndReason, Principal, SessionDescription, SessionError, SessionFilter, SessionHandle, SessionManager,
    SessionState, SessionStatus,
};

/// How many sessions a list shows, unless it is asked for another number.
const DEFAULT_LIMIT: usize = 100;

/// How many it shows at the most.
const MAXIMUM_LIMIT: usize = 1000;

/// So many sessions are looked up at once to be ended.
const BATCH: usize = 256;

/// `GET …/sessions`: a page of the list.
pub(super) async fn list(
    State(state): State<ServiceState>,
    Extension(request_id): Extension<RequestId>,
    Extension(caller): Extension<Caller>,
    resource: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let listed = async {
        let desk = Desk::open(state.resource_at(&resource)?, &caller, request_id)?;
        Ok(compress(&head.headers, answer(desk.list(&head.uri).await?.to_xml())))
    };
    respond(listed.await, &head, request_id)
}

/// `DELETE …/sessions`: ends those of an owner, those of a label, or all.
pub(super) async fn end_many(
    State(state): State<ServiceState>,
    Extension(request_id): Extension<RequestId>,
    Extension(caller): Extension<Caller>,
    resource: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let ended = async {
        check_post(&head, &[])?;
        let desk = Desk::open(state.resource_at(&resource)?, &caller, request_id)?;
        Ok(answer(desk.end_many(&head.uri).await?.to_xml()))
    };
    respond(ended.await, &head, request_id)
}

/// `GET …/sessions/{handle}`: how one session stands.
pub(super) async fn show(
    State(state): State<ServiceState>,
    Extension(request_id): Extension<RequestId>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let shown = async {
        let (resource, handle) = names(path);
        let desk = Desk::open(state.resource_at(&resource)?, &caller, request_id)?;
        Parameters::read(&head.uri, &[])?;
        Ok(answer(describe(&desk.inspect(&handle).await?).to_xml()))
    };
    respond(shown.await, &head, request_id)
}

/// `DELETE …/sessions/{handle}`: ends one session, whoever holds it.
pub(super) async fn end(
    State(state): State<ServiceState>,
    Extension(request_id): Extension<RequestId>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let ended = async {
        check_post(&head, &[])?;
        let (resource, handle) = names(path);
        let desk = Desk::open(state.resource_at(&resource)?, &caller, request_id)?;
        Parameters::read(&head.uri, &[])?;
        desk.end(&handle).await
    };
    respond(ended.await, &head, request_id)
}

fn respond(answer: Result<Response, Refusal>, head: &Parts, RequestId(request_id): RequestId) -> Response {
    answer.unwrap_or_else(|refusal| refusal.into_response(request_id, FaultFormat::wished_for(&head.headers)))
}

/// The resource and the handle that a path names. What is no UTF-8 names none.
fn names(path: Result<Path<(String, String)>, PathRejection>) -> (Result<Path<String>, PathRejection>, String) {
    match path {
        Ok(Path((resource, handle))) => (Ok(Path(resource)), handle),
        Err(rejection) => (Err(rejection), String::new()),
    }
}

/// Where somebody asks for sessions of a resource: it knows whose they may be.
struct Desk<'a> {
    sessions: &'a dyn SessionManager,
    resource: &'a str,
    caller: &'a Caller,
    request_id: Uuid,
}

impl<'a> Desk<'a> {
    /// # Errors
    ///
    /// 403 for users who don't say who they are.
    fn open(
        resource: &'a ServedResource,
        caller: &'a Caller,
        RequestId(request_id): RequestId,
    ) -> Result<Self, Refusal> {
        if caller.role < Role::Operator && caller.principal.id().is_none() {
            return Err(Refusal::new(403, "Forbidden", ANONYMOUS));
        }
        Ok(Self { sessions: &**resource.engine.sessions(), resource: &resource.name, caller, request_id })
    }

    /// Whose sessions the caller may see: everybody's, or those of one principal.
    fn scope(&self) -> Option<&Principal> {
        (self.caller.role < Role::Operator).then_some(&self.caller.principal)
    }

    async fn list(&self, uri: &Uri) -> Result<SessionList, Refusal> {
        let known = ["owner", "anonymous", "state", "label", "implicit", "after", "limit"];
        let parameters = Parameters::read(uri, &known)?;
        let number = format!("a whole number from 1 to {MAXIMUM_LIMIT}");
        let in_range = |limit: &usize| (1..=MAXIMUM_LIMIT).contains(limit);
        let limit = parameters.parse("limit", &number, |text| text.parse().ok().filter(in_range))?;
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        let filter = SessionFilter {
            owner: owner(&parameters)?,
            state: parameters.parse("state", "AVAILABLE, BUSY or CLOSING", state)?,
            label: parameters.get("label").map(str::to_owned),
            implicit: parameters.parse("implicit", "true or false", |text| text.parse().ok())?,
            after: parameters.parse("after", "the handle that `next` gave", handle)?,
            // One more tells whether there is a next page.
            limit: Some(limit + 1),
            handle: None,
        };
        let mut found = match self.within_scope(filter) {
            Some(filter) => self.list_by(&filter).await?,
            None => Vec::new(),
        };
        let next = (found.len() > limit).then(|| found[limit - 1].handle.to_string());
        found.truncate(limit);
        Ok(SessionList { next, sessions: found.iter().map(summarize).collect() })
    }

    async fn end_many(&self, uri: &Uri) -> Result<EndedSessions, Refusal> {
        let parameters = Parameters::read(uri, &["owner", "anonymous", "label", "all"])?;
        let all = parameters.parse("all", "true", |text| (text == "true").then_some(()))?;
        let criteria = ["owner", "anonymous", "label", "all"].iter().filter(|name| parameters.get(name).is_some());
        if criteria.count() != 1 {
            return Err(invalid(
                "say which sessions to end, by one of ?owner=, ?anonymous=true, ?label= and ?all=true",
            ));
        }
        let label = parameters.get("label").map(str::to_owned);
        let filter = SessionFilter { owner: owner(&parameters)?, label, ..SessionFilter::default() };
        let ended = match self.within_scope(filter) {
            Some(filter) => self.end_all(filter).await?,
            None => EndedSessions::default(),
        };
        let EndedSessions { closed, closing } = ended;
        info!(
            request_id = %self.request_id, resource = self.resource, by = %self.caller.principal, closed, closing,
            all = all.is_some(), "sessions were ended"
        );
        Ok(ended)
    }

    async fn list_by(&self, filter: &SessionFilter) -> Result<Vec<SessionStatus>, Refusal> {
        self.sessions.list(filter).await.map_err(|error| Refusal::of_session(&error, self.request_id))
    }

    async fn end_all(&self, mut filter: SessionFilter) -> Result<EndedSessions, Refusal> {
        filter.limit = Some(BATCH);
        let mut ended = EndedSessions::default();
        loop {
            let found = self.list_by(&filter).await?;
            // Side by side: where ends are written, they are written together.
            for ended_one in join_all(found.iter().map(|it| self.sessions.end(it.handle, self.reason()))).await {
                match ended_one {
                    Ok(EndProgress::Closed) => ended.closed += 1,
                    Ok(EndProgress::Closing) => ended.closing += 1,
                    // It ended by itself in between.
                    Err(SessionError::NotFound) => {}
                    Err(error) => return Err(Refusal::of_session(&error, self.request_id)),
                }
            }
            match found.last() {
                Some(last) if found.len() == BATCH => filter.after = Some(last.handle),
                _ => return Ok(ended),
            }
            tokio::task::yield_now().await;
        }
    }

    /// How a session stands that the caller may see. One that he may not see is unknown.
    async fn inspect(&self, name: &str) -> Result<SessionDescription, Refusal> {
        let found = match handle(name) {
            Some(handle) => self.sessions.inspect(handle).await,
            None => Err(SessionError::NotFound),
        };
        let visible = found.and_then(|description| match self.scope() {
            Some(owner) if *owner != description.status.owner => Err(SessionError::NotFound),
            _ => Ok(description),
        });
        visible.map_err(|error| Refusal::of_session(&error, self.request_id))
    }

    async fn end(&self, name: &str) -> Result<Response, Refusal> {
        let handle = self.inspect(name).await?.status.handle;
        let ended = self.sessions.end(handle, self.reason()).await;
        let progress = match ended {
            // It ended by itself in between.
            Err(SessionError::NotFound) => Ok(EndProgress::Closed),
            ended => ended,
        }
        .map_err(|error| Refusal::of_session(&error, self.request_id))?;
        info!(
            request_id = %self.request_id, resource = self.resource, by = %self.caller.principal, session = %handle,
            "a session was ended"
        );
        Ok(answer_to_end(self.sessions, handle, progress).await)
    }

    /// Why a session ends that the caller ends.
    fn reason(&self) -> EndReason {
        match self.caller.role {
            Role::User => EndReason::Terminated,
            Role::Operator => EndReason::Killed,
        }
    }

    /// What of the sessions that are asked for the caller may see; `None` is nothing.
    fn within_scope(&self, filter: SessionFilter) -> Option<SessionFilter> {
        let Some(scope) = self.scope() else { return Some(filter) };
        match &filter.owner {
            Some(owner) if owner != scope => None,
            _ => Some(SessionFilter { owner: Some(scope.clone()), ..filter }),
        }
    }
}

const ANONYMOUS: &str = "whose sessions are yours can't be told, because clients here don't say who they are: a list would \
    show those of others. Configure `authentication`, and give operators the role `operator`; where everybody who reaches \
    the service is an operator, `<authentication impl=\"none\" role=\"operator\"/>`";

/// `?owner=ID` or `?anonymous=true`.
fn owner(parameters: &Parameters) -> Result<Option<Principal>, Refusal> {
    let anonymous = parameters.parse("anonymous", "true", |text| (text == "true").then(Principal::anonymous))?;
    match (parameters.get("owner"), anonymous) {
        (Some(_), Some(_)) => Err(invalid("`owner` and `anonymous` exclude each other")),
        (Some(id), None) => Ok(Some(Principal::new(id))),
        (None, anonymous) => Ok(anonymous),
    }
}

fn state(text: &str) -> Option<SessionState> {
    SessionState::NAMES.into_iter().find(|(name, _)| *name == text).map(|(_, state)| state)
}

fn handle(text: &str) -> Option<SessionHandle> {
    Uuid::try_parse(text).ok().map(SessionHandle::new)
}
