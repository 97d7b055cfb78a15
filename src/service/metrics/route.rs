//! `GET /metrics`.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};

use super::text::{OPEN_METRICS, TEXT, to_text};
use crate::service::authentication::Caller;
use crate::service::entrance::RequestId;
use crate::service::media_type::FaultFormat;
use crate::service::refusal::Refusal;
use crate::service::state::ServiceState;

/// All metrics, in the text format of Prometheus or, for those who name it, that of `OpenMetrics`.
pub(in crate::service) async fn metrics(
    State(state): State<ServiceState>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Response {
    if caller.role < state.metrics_for {
        let message = "the metrics are for operators";
        return Refusal::new(403, "Forbidden", message).into_response(request_id, FaultFormat::wished_for(&headers));
    }
    match encoded(&state) {
        Ok(text) if takes_open_metrics(&headers) => answer(OPEN_METRICS, text),
        Ok(text) => answer(TEXT, to_text(&text)),
        Err(error) => {
            Refusal::internal(&error, request_id).into_response(request_id, FaultFormat::wished_for(&headers))
        }
    }
}

/// Everything as `OpenMetrics` text, with what is counted at this moment.
fn encoded(state: &ServiceState) -> Result<String, std::fmt::Error> {
    for resource in state.resources.values() {
        resource.session_metrics.show(resource.engine.sessions().statistics());
    }
    state.metrics.show_admission(state.admission.counts());
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &state.metrics.registry)?;
    Ok(text)
}

fn takes_open_metrics(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| range.trim().starts_with("application/openmetrics-text"))
}

fn answer(content_type: &'static str, text: String) -> Response {
    let mut response = Response::new(text.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
