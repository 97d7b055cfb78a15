//! The way to one origin: whoever sends a request there waits for his turn here.

use std::sync::Arc;

use http::HeaderMap;
use hyper::ext::ReasonPhrase;
use reqwest::{Client, Response, Url};
use rustls::ClientConfig;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::body::{BodyWatch, watched};
use super::budget::Bucket;
use super::client::{HEADER_BYTES, client};
use super::fault::fault_of;
use super::names::NameResolver;
use super::{
    ConnectionSettings, Origin, OriginSettings, TimeoutSettings, WebBody, WebError, WebRequest, WebResponse,
    WebSettings,
};
use crate::session::{Clock, Moment};

/// Sends to one origin.
pub(super) struct Gate {
    origin: Origin,
    client: Client,
    timeouts: TimeoutSettings,
    connections: ConnectionSettings,
    /// One permit for each request under way, until its answer has been read.
    turns: Arc<Semaphore>,
    budget: Option<Bucket>,
    clock: Arc<dyn Clock>,
}

/// What gates are made of.
pub(super) struct GateParts<'a> {
    pub(super) web: &'a WebSettings,
    pub(super) resolver: &'a Arc<dyn NameResolver>,
    pub(super) tls: &'a ClientConfig,
    pub(super) clock: &'a Arc<dyn Clock>,
}

/// Until when an exchange has to be over, and what ends it before.
pub(super) struct Term<'a> {
    /// Set by the first request of the exchange.
    pub(super) deadline: Option<Moment>,
    pub(super) cancel: &'a CancellationToken,
}

impl Gate {
    pub(super) fn new(listed: &OriginSettings, parts: &GateParts<'_>) -> Result<Self, WebError> {
        let web = parts.web;
        let limits = (&web.timeouts, &web.connections);
        Ok(Self {
            origin: listed.origin.clone(),
            client: client(listed, Arc::clone(parts.resolver), parts.tls.clone(), limits)?,
            timeouts: web.timeouts,
            connections: web.connections,
            turns: Arc::new(Semaphore::new(web.connections.size)),
            budget: web.budget.as_ref().map(Bucket::new),
            clock: Arc::clone(parts.clock),
        })
    }

    /// Sends one request when its turn has come, and gives the answer when its head is there.
    pub(super) async fn exchange(
        &self,
        request: &WebRequest,
        url: &Url,
        term: &mut Term<'_>,
    ) -> Result<WebResponse, WebError> {
        if let Some(budget) = &self.budget {
            budget.take(&*self.clock, &self.origin).await?;
        }
        let turn = self.turn().await?;
        let now = self.clock.now();
        let deadline = *term.deadline.get_or_insert_with(|| now.after(self.timeouts.total));
        let head_until = now.after(self.timeouts.connect).after(self.timeouts.read);
        let mut sent = self.client.request(request.method.clone(), url.clone()).headers(request.headers.clone());
        if let Some(body) = &request.body {
            sent = sent.body(body.clone());
        }
        let answer = tokio::select! {
            biased;
            answer = sent.send() => answer.map_err(|error| fault_of(&self.origin, &error))?,
            () = self.clock.sleep_until(head_until.min(deadline)) => return Err(self.no_answer()),
        };
        self.response(answer, deadline, (term.cancel.clone(), turn))
    }

    /// Waits until one more request may be under way.
    async fn turn(&self) -> Result<OwnedSemaphorePermit, WebError> {
        let until = self.clock.now().after(self.connections.wait);
        let turn = tokio::select! {
            biased;
            turn = Arc::clone(&self.turns).acquire_owned() => turn.ok(),
            () = self.clock.sleep_until(until) => None,
        };
        turn.ok_or_else(|| WebError::Busy {
            message: format!(
                "{}: {} requests are under way, and none of them came to its end in {} s; try again later",
                self.origin,
                self.connections.size,
                self.connections.wait.as_secs_f64()
            ),
        })
    }

    fn no_answer(&self) -> WebError {
        let origin = &self.origin;
        WebError::TimedOut {
            message: format!("{origin}: the head of the answer did not come in the time that there is for it"),
        }
    }

    fn response(
        &self,
        mut answer: Response,
        deadline: Moment,
        (cancel, turn): (CancellationToken, OwnedSemaphorePermit),
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
            cancel,
            _turn: turn,
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
