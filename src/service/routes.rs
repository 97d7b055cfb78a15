//! What is served where.

use std::fmt::Write;

use axum::Extension;
use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{delete, get, post};
use http::header::{CONTENT_TYPE, HeaderValue};

use super::entrance::{Entrance, RequestId, pass};
use super::media_type::FaultFormat;
use super::metrics::metrics;
use super::operators;
use super::own_session;
use super::perform::perform;
use super::properties;
use super::refusal::Refusal;
use super::state::ServiceState;
use super::streams::stream;
use crate::document::{self, SCHEMAS};

/// All routes, behind the entrance.
pub(super) fn router(state: ServiceState, is_loopback: bool) -> Router {
    let entrance = Entrance { state: state.clone(), is_loopback };
    Router::new()
        .route("/services", get(properties::list))
        .route("/services/{resource}", post(perform).get(properties::show))
        .route("/services/{resource}/session/request", delete(own_session::stop_request))
        .route("/services/{resource}/session/streams/{name}", get(stream).post(stream).put(stream).delete(stream))
        .route("/services/{resource}/session", get(own_session::show).delete(own_session::end))
        .route("/services/{resource}/sessions", get(operators::list).delete(operators::end_many))
        .route("/services/{resource}/sessions/{handle}", get(operators::show).delete(operators::end))
        .route("/schemas/{file}", get(schema))
        .route("/metrics", get(metrics))
        .route("/health/live", get(|| async { text(200, "live\n") }))
        .route("/health/ready", get(ready))
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(entrance, pass))
        .with_state(state)
}

/// Ready: not draining, and every data resource answers.
async fn ready(State(state): State<ServiceState>) -> Response {
    if state.is_draining() {
        return text(503, "draining\n");
    }
    let mut problems = String::new();
    for resource in state.resources.values() {
        for (name, data_resource) in resource.engine.catalogue().resources().iter() {
            if let Err(error) = data_resource.health().await {
                tracing::warn!(resource = %resource.name, data_resource = name, %error, "a data resource does not answer");
                // Writing to a string can't fail.
                let _ = match name {
                    "" => writeln!(problems, "the data resource of {} does not answer", resource.name),
                    name => writeln!(problems, "{}: the data resource `{name}` does not answer", resource.name),
                };
            }
        }
    }
    if problems.is_empty() { text(200, "ready\n") } else { text(503, problems) }
}

async fn schema(
    Extension(RequestId(request_id)): Extension<RequestId>,
    file: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    // A name that is no UTF-8 is the name of nothing.
    if let Some(schema) = file.ok().and_then(|Path(file)| document::schema(&file)) {
        xml(schema)
    } else {
        let known: Vec<&str> = SCHEMAS.iter().map(|(name, _)| *name).collect();
        let message = format!("there is no such schema; there are {}", known.join(", "));
        Refusal::new(404, "ResourceNotFound", message).into_response(request_id, FaultFormat::wished_for(&headers))
    }
}

async fn not_found(Extension(RequestId(request_id)): Extension<RequestId>, uri: Uri, headers: HeaderMap) -> Response {
    let message = format!("nothing is served at {}; GET /services lists the data service resources", uri.path());
    Refusal::new(404, "ResourceNotFound", message).into_response(request_id, FaultFormat::wished_for(&headers))
}

async fn wrong_method(Extension(RequestId(request_id)): Extension<RequestId>, headers: HeaderMap) -> Response {
    let message = "this method is not served here; a perform document is sent with POST /services/{resource}";
    Refusal::new(405, "MethodNotAllowed", message).into_response(request_id, FaultFormat::wished_for(&headers))
}

fn text(status: u16, body: impl Into<axum::body::Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

pub(super) fn xml(body: impl Into<axum::body::Body>) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}
