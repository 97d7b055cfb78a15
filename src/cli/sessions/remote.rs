//! The routes of a resource's sessions, as the command uses them.

use anyhow::{Context, anyhow, ensure};
use reqwest::{Method, Response, StatusCode, Url};

use super::harmless::{harmless, harmless_lines};
use super::{ListArguments, Which};
use crate::cli::credentials::HOW_TO_SAY_WHO_YOU_ARE;
use crate::client::DataService;
use crate::document::{DocumentError, EndedSessions, Fault, Limits, SessionList, SessionState, SessionStatusDocument};

/// The sessions of one data service resource.
pub(super) struct Remote {
    service: DataService,
}

/// What came back.
pub(super) enum Answered {
    With(Answer),
    /// A fault. It has been told on standard error.
    Refused,
}

/// What the service answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) text: String,
}

impl Remote {
    pub(super) fn new(service: DataService) -> Self {
        Self { service }
    }

    /// A page of the list, after that handle.
    pub(super) async fn list(&self, wanted: &ListArguments, after: Option<&str>) -> anyhow::Result<Answered> {
        let state = wanted.state.map(|state| SessionState::from(state).name().to_owned());
        let parameters = [
            ("owner", wanted.owner.clone()),
            ("anonymous", wanted.anonymous.then(|| "true".to_owned())),
            ("state", state),
            ("label", wanted.label.clone()),
            ("limit", wanted.limit.map(|limit| limit.to_string())),
            ("after", after.map(str::to_owned)),
        ];
        self.send(Method::GET, with_query(self.path(None)?, parameters)).await
    }

    /// How one session stands.
    pub(super) async fn show(&self, handle: &str) -> anyhow::Result<Answered> {
        self.send(Method::GET, self.path(Some(handle))?).await
    }

    /// Ends one session.
    pub(super) async fn end(&self, handle: &str) -> anyhow::Result<Answered> {
        self.send(Method::DELETE, self.path(Some(handle))?).await
    }

    /// Ends those of an owner, those of a label, or all.
    pub(super) async fn end_many(&self, which: &Which) -> anyhow::Result<Answered> {
        let parameters = [
            ("owner", which.owner.clone()),
            ("anonymous", which.anonymous.then(|| "true".to_owned())),
            ("label", which.label.clone()),
            ("all", which.all.then(|| "true".to_owned())),
        ];
        self.send(Method::DELETE, with_query(self.path(None)?, parameters)).await
    }

    /// `…/sessions`, or that of one handle.
    fn path(&self, handle: Option<&str>) -> anyhow::Result<Url> {
        let mut url = self.service.address().clone();
        let mut segments =
            url.path_segments_mut().map_err(|()| anyhow!("`{}` is not the URL of a resource", self.service.url()))?;
        segments.pop_if_empty().push("sessions").extend(handle);
        drop(segments);
        Ok(url)
    }

    async fn send(&self, method: Method, url: Url) -> anyhow::Result<Answered> {
        let response = self.service.bare(method, url).send().await.context("the service does not answer")?;
        let status = response.status();
        let text = read(response).await?;
        if status.is_success() {
            return Ok(Answered::With(Answer { status, text }));
        }
        match Fault::parse(text.as_bytes(), &Limits::default()) {
            Ok(fault) => {
                let [message, code, request] =
                    [&fault.message, &fault.code, &fault.request_id].map(|text| harmless(text));
                eprintln!("rejoin: {message} ({code}, request {request})");
            }
            Err(_) => eprintln!("rejoin: the service answered {status}\n{}", harmless_lines(&text)),
        }
        if status == StatusCode::UNAUTHORIZED {
            eprintln!("rejoin: {HOW_TO_SAY_WHO_YOU_ARE}");
        }
        Ok(Answered::Refused)
    }
}

/// The whole answer, if it is no longer than a document may be.
async fn read(mut response: Response) -> anyhow::Result<String> {
    let most = Limits::default().document_bytes;
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.context("the answer broke off before its end")? {
        bytes.extend_from_slice(&chunk);
        ensure!(bytes.len() as u64 <= most, "the answer has more than {most} bytes; is this a data service?");
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The URL with those of the parameters that have a value.
fn with_query<const N: usize>(mut url: Url, parameters: [(&str, Option<String>); N]) -> Url {
    for (name, value) in parameters {
        if let Some(value) = value {
            url.query_pairs_mut().append_pair(name, &value);
        }
    }
    url
}

impl Answer {
    pub(super) fn list(&self) -> anyhow::Result<SessionList> {
        SessionList::parse(self.text.as_bytes(), &Limits::default()).map_err(|error| unreadable(&error))
    }

    pub(super) fn session(&self) -> anyhow::Result<SessionStatusDocument> {
        SessionStatusDocument::parse(self.text.as_bytes(), &Limits::default()).map_err(|error| unreadable(&error))
    }

    pub(super) fn ended(&self) -> anyhow::Result<EndedSessions> {
        EndedSessions::parse(self.text.as_bytes(), &Limits::default()).map_err(|error| unreadable(&error))
    }
}

fn unreadable(error: &DocumentError) -> anyhow::Error {
    let why = harmless(&error.to_string());
    anyhow!("the answer can't be read; is this the URL of a data service resource? --xml prints it: {why}")
}
