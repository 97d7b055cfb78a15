//! What every request passes on its way in and out, whatever it asks for: it gets its id, its host is looked at, who sends it is
//! found out, what becomes of it is counted, and a panic on the way is an answer and not the end of the connection.

use std::panic::AssertUnwindSafe;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;
use http::header::{AUTHORIZATION, COOKIE, Entry};
use http::request::Parts;
use http::{HeaderValue, Method};
use uuid::Uuid;

use super::authentication::{Caller, LetIn};
use super::cross_site::check_host;
use super::door::Door;
use super::headers::REQUEST_ID;
use super::media_type::FaultFormat;
use super::refusal::Refusal;
use super::state::ServiceState;

/// The id of a request, for its handler.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestId(pub(super) Uuid);

/// Who sends a request, asked again when its body has come: that takes as long as the client likes, and who was let in may have
/// gone meanwhile.
///
/// # Errors
///
/// The caller is known no more.
pub(super) async fn still_known(state: &ServiceState, head: &Parts, caller: Caller) -> Result<Caller, Refusal> {
    if head.extensions.get::<LetIn>() == Some(&state.departures.now()) {
        return Ok(caller);
    }
    state.authenticator.authenticate(&head.headers).await.map_err(|error| Refusal::of_authentication(&error))
}

/// What stands at the entrance.
#[derive(Debug, Clone)]
pub(super) struct Entrance {
    pub(super) state: ServiceState,
    /// Whether the service listens on a loopback address.
    pub(super) is_loopback: bool,
}

/// Lets a request in, and its answer out.
pub(super) async fn pass(State(entrance): State<Entrance>, request: Request, next: Next) -> Response {
    let watch = entrance.state.request_metrics(request.uri().path()).begin(request.method());
    watch.answered(pass_unwatched(&entrance, request, next).await)
}

async fn pass_unwatched(entrance: &Entrance, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let format = FaultFormat::wished_for(&head.headers);
    let request_id = match entrance.state.new_request_id() {
        Ok(request_id) => request_id,
        Err(refusal) => return refusal.into_response(Uuid::nil(), format),
    };
    let door = Door::of(&entrance.state, &head);
    let answered = match admit(entrance, head, request_id).await {
        Ok(head) => match door.as_ref().and_then(|door| door.permission(&head)) {
            Some(permission) => permission,
            None => AssertUnwindSafe(next.run(Request::from_parts(head, body)))
                .catch_unwind()
                .await
                .map_err(|_| Refusal::internal(&"a handler panicked", request_id)),
        },
        Err(refusal) => Err(refusal),
    };
    let mut response = answered.unwrap_or_else(|refusal| refusal.into_response(request_id, format));
    if let Ok(value) = HeaderValue::from_str(&request_id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    if let Some(door) = door {
        door.leave(&mut response);
    }
    response
}

async fn admit(entrance: &Entrance, mut head: Parts, request_id: Uuid) -> Result<Parts, Refusal> {
    if entrance.is_loopback {
        check_host(&head)?;
    }
    if !is_open(&head) {
        head.extensions.insert(entrance.state.departures.now());
        let caller = entrance.state.authenticator.authenticate(&head.headers).await;
        head.extensions.insert(caller.map_err(|error| {
            tracing::debug!(%request_id, %error, "refused at the entrance");
            Refusal::of_authentication(&error)
        })?);
    }
    // Whoever shows the headers from here on, for a log or in an error, does not show these.
    for name in [AUTHORIZATION, COOKIE] {
        if let Entry::Occupied(mut values) = head.headers.entry(name) {
            values.iter_mut().for_each(|value| value.set_sensitive(true));
        }
    }
    head.extensions.insert(RequestId(request_id));
    Ok(head)
}

/// Whether anybody may ask, without saying who he is: for the health of the service, and whether a page may send a request.
fn is_open(head: &Parts) -> bool {
    head.method == Method::OPTIONS || head.uri.path().starts_with("/health/")
}
