//! Requests to a service that may be gone at any moment.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use rejoin::document::{Element, Fault, Limits};
use reqwest::{Client, Method};
use tokio::sync::watch;

use crate::home::{OPERATOR, USER};
use crate::layer::length_of;

/// How long a request may take; also how long a killed service may be away.
const PATIENCE: Duration = Duration::from_mins(1);

/// Whether there is a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It was killed, and the next does not serve yet.
    Down,
    /// It serves there; every one that was started has another number.
    Serving {
        /// Which one it is.
        number: u64,
        /// Where it serves.
        url: String,
    },
    /// There will be no other.
    Over,
}

/// What to send.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    /// The data service resource.
    pub(crate) resource: &'static str,
    /// What comes behind that.
    pub(crate) path: String,
    /// The session, where it travels in the header.
    pub(crate) session: Option<String>,
    /// The `Idempotency-Key`.
    pub(crate) key: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) by_operator: bool,
}

impl Ask {
    /// A perform document.
    pub(crate) fn perform(body: String) -> Self {
        Self { body: Some(body), ..Self::to(Method::POST, "") }
    }

    pub(crate) fn to(method: Method, path: &str) -> Self {
        Self {
            method,
            resource: "data",
            path: path.to_owned(),
            session: None,
            key: None,
            body: None,
            by_operator: false,
        }
    }

    pub(crate) fn of(self, resource: &'static str) -> Self {
        Self { resource, ..self }
    }

    pub(crate) fn in_session(self, id: &str) -> Self {
        Self { session: Some(id.to_owned()), ..self }
    }

    pub(crate) fn with_key(self, key: Option<String>) -> Self {
        Self { key, ..self }
    }

    pub(crate) fn by_operator(self) -> Self {
        Self { by_operator: true, ..self }
    }
}

/// An answer, whole.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
    /// How long the trace was when the last byte had come.
    pub(crate) at: u64,
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A request that came to its end and did all of its work.
    pub(crate) fn is_completed(&self) -> bool {
        self.status == 200 && self.text().contains("<request status=\"COMPLETED\"/>")
    }

    pub(crate) fn fault(&self) -> Result<Fault> {
        Fault::parse(&self.body, &Limits::default())
            .with_context(|| format!("no fault: {} {}", self.status, self.text()))
    }

    /// Whether it is a fault with that status and code.
    pub(crate) fn is_fault(&self, status: u16, code: &str) -> bool {
        self.status == status && self.fault().is_ok_and(|fault| fault.code == code)
    }

    /// The store could not do it.
    pub(crate) fn is_unavailable(&self) -> bool {
        self.is_fault(503, "StoreUnavailable")
    }

    /// The service is about to stop.
    pub(crate) fn is_draining(&self) -> bool {
        self.is_fault(503, "Draining")
    }

    pub(crate) fn document(&self) -> Result<Element> {
        Element::parse(&self.body, &Limits::default()).with_context(|| self.text())
    }

    /// The id in the session element of a response.
    pub(crate) fn session_id(&self) -> Result<String> {
        let document = self.document()?;
        let id = document.elements().find(|child| child.local_name() == "session").and_then(|it| it.attribute("id"));
        Ok(id.with_context(|| format!("no session in {}", self.text()))?.to_owned())
    }

    /// The data of an end-point of a response.
    pub(crate) fn data(&self, end_point: &str) -> Result<String> {
        let document = self.document()?;
        let result = document.elements().find(|child| child.attribute("name") == Some(end_point));
        Ok(result.with_context(|| format!("no `{end_point}` in {}", self.text()))?.text()?.into_owned())
    }
}

/// What became of a request.
#[derive(Debug)]
pub(crate) enum Exchange {
    Answered(Reply),
    /// It was sent, or begun to be, and no whole answer came.
    Lost,
    /// There was nobody to send it to.
    Over,
}

/// The way of one client to the service.
#[derive(Debug)]
pub(crate) struct Link {
    stage: watch::Receiver<Stage>,
    http: Client,
    /// Which service was last sent to.
    pub(crate) number: u64,
    trace: Option<PathBuf>,
}

impl Link {
    pub(crate) fn new(stage: watch::Receiver<Stage>, trace: Option<PathBuf>) -> Result<Self> {
        Ok(Self { stage, http: new_client()?, number: 0, trace })
    }

    /// Another connection to the same service.
    pub(crate) fn another(&self) -> Result<Self> {
        Self::new(self.stage.clone(), self.trace.clone())
    }

    /// How long the trace is by now.
    pub(crate) fn trace_length(&self) -> u64 {
        length_of(self.trace.as_deref())
    }

    /// Waits for a service, and answers which it is; `None` when there is none any more.
    pub(crate) async fn serving(&mut self) -> Result<Option<u64>> {
        Ok(self.place().await?.map(|(number, _)| number))
    }

    async fn place(&mut self) -> Result<Option<(u64, String)>> {
        let waited = tokio::time::timeout(PATIENCE, self.stage.wait_for(|stage| *stage != Stage::Down)).await;
        let Ok(stage) = waited else { bail!("no service came back within {PATIENCE:?}") };
        // Nobody is there any more who would start one.
        let Ok(stage) = stage else { return Ok(None) };
        Ok(match &*stage {
            Stage::Serving { number, url } => Some((*number, url.clone())),
            Stage::Down | Stage::Over => None,
        })
    }

    /// Sends a request, and waits for its whole answer.
    pub(crate) async fn send(&mut self, ask: &Ask) -> Result<Exchange> {
        let Some((number, url)) = self.place().await? else { return Ok(Exchange::Over) };
        if number != self.number {
            // No connection to one that is gone is tried again.
            (self.http, self.number) = (new_client()?, number);
        }
        let mut request = self.http.request(ask.method.clone(), format!("{url}/services/{}{}", ask.resource, ask.path));
        request = request.bearer_auth(if ask.by_operator { OPERATOR } else { USER });
        if let Some(session) = &ask.session {
            request = request.header("rejoin-session", session);
        }
        if let Some(key) = &ask.key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = &ask.body {
            request = request.header("content-type", "application/xml").body(body.clone());
        }
        if let Ok(reply) = self.exchange(request).await {
            return Ok(Exchange::Answered(reply));
        }
        self.wait_for_another(number, ask).await?;
        Ok(Exchange::Lost)
    }

    async fn exchange(&self, request: reqwest::RequestBuilder) -> reqwest::Result<Reply> {
        let response = request.timeout(PATIENCE).send().await?;
        let status = response.status().as_u16();
        let body = response.bytes().await?;
        Ok(Reply { status, body, at: self.trace_length() })
    }

    /// A connection that breaks is a service that was killed: anything else is a failure of its own.
    async fn wait_for_another(&mut self, number: u64, ask: &Ask) -> Result<()> {
        let is_other = |stage: &Stage| !matches!(stage, Stage::Serving { number: same, .. } if *same == number);
        match tokio::time::timeout(PATIENCE, self.stage.wait_for(is_other)).await {
            Ok(_) => Ok(()),
            Err(_) => bail!("a connection broke and nobody had killed the service: {} {}", ask.method, ask.path),
        }
    }
}

fn new_client() -> Result<Client> {
    Ok(Client::builder().no_proxy().build()?)
}
