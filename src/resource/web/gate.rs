//! The way to one origin.

use std::sync::Arc;

use http::HeaderMap;
use hyper::ext::ReasonPhrase;
use reqwest::{Client, Response, Url};
use rustls::ClientConfig;
use tokio_util::sync::CancellationToken;

use super::body::{BodyWatch, watched};
use super::client::{HEADER_BYTES, client};
use super::fault::fault_of;
use super::names::NameResolver;
use super::{Origin, OriginSettings, TimeoutSettings, WebBody, WebError, WebRequest, WebResponse, WebSettings};
use crate::session::{Clock, Moment};

/// Sends to one origin.
pub(super) struct Gate {
    origin: Origin,
    client: Client,
    timeouts: TimeoutSettings,
    clock: Arc<dyn Clock>,
}

/// What gates are made of.
pub(super) struct GateParts<'a> {
    pub(super) web: &'a WebSettings,
    pub(super) resolver: &'a Arc<dyn NameResolver>,
    pub(super) tls: &'a ClientConfig,
    pub(super) clock: &'a Arc<dyn Clock>,
}

impl Gate {
    pub(super) fn new(listed: &OriginSettings, parts: &GateParts<'_>) -> Result<Self, WebError> {
        let limits = (&parts.web.timeouts, &parts.web.connections);
        let client = client(listed, Arc::clone(parts.resolver), parts.tls.clone(), limits)?;
        Ok(Self { origin: listed.origin.clone(), client, timeouts: parts.web.timeouts, clock: Arc::clone(parts.clock) })
    }

    /// Sends one request, and gives the answer when its head is there.
    pub(super) async fn exchange(
        &self,
        request: &WebRequest,
        url: Url,
        cancel: &CancellationToken,
    ) -> Result<WebResponse, WebError> {
        let mut sent = self.client.request(request.method.clone(), url).headers(request.headers.clone());
        if let Some(body) = &request.body {
            sent = sent.body(body.clone());
        }
        let deadline = self.clock.now().after(self.timeouts.total);
        let answer = sent.send().await.map_err(|error| fault_of(&self.origin, &error))?;
        self.response(answer, (deadline, cancel))
    }

    fn response(
        &self,
        mut answer: Response,
        (deadline, cancel): (Moment, &CancellationToken),
    ) -> Result<WebResponse, WebError> {
        let headers = std::mem::take(answer.headers_mut());
        self.check_head(&headers)?;
        let status = answer.status();
        let phrase = answer.extensions().get::<ReasonPhrase>().map(|phrase| String::from_utf8_lossy(phrase.as_bytes()));
        let reason = phrase.unwrap_or_else(|| status.canonical_reason().unwrap_or_default().into()).into_owned();
        let uri = answer.url().to_string();
        let watch = BodyWatch {
            origin: self.origin.clone(),
            clock: Arc::clone(&self.clock),
            idle: self.timeouts.read,
            deadline,
            cancel: cancel.clone(),
        };
        let body = WebBody::new(watched(Box::pin(answer.bytes_stream()), watch));
        Ok(WebResponse { status, reason, headers, uri, body })
    }

    fn check_head(&self, headers: &HeaderMap) -> Result<(), WebError> {
        let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if bytes <= HEADER_BYTES {
            return Ok(());
        }
        let origin = &self.origin;
        let message = format!("{origin}: the head of the answer has {bytes} bytes; at most {HEADER_BYTES} are taken");
        Err(WebError::Malformed { message })
    }
}
