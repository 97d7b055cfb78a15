use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use http::{StatusCode, header};
use reqwest::Url;
use tokio_util::sync::CancellationToken;

use super::credentials::Credentials;
use super::gate::{Gate, Term};
use super::names::{NameResolver, SystemResolver};
use super::origin::join;
use super::redirect::{Trail, crossing, target};
use super::request_headers::prepare;
use super::setting_up::set_up;
use super::{DefaultProperty, Origin, WebError, WebRequest, WebResource, WebResponse};
use crate::resource::{DataResource, Product, ResourceError, ResourceSettings};

/// An HTTP service, reached as its operator has said.
pub struct HttpResource {
    pub(super) base: Url,
    pub(super) gates: BTreeMap<Origin, Arc<Gate>>,
    pub(super) credentials: BTreeMap<Origin, Credentials>,
    pub(super) defaults: Vec<DefaultProperty>,
}

impl HttpResource {
    /// Opens the service that settings describe. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Configuration`] when the settings contradict each other, or what they name can't be read.
    pub fn open(settings: &ResourceSettings) -> Result<Self, ResourceError> {
        Self::open_with(settings, &(Arc::new(SystemResolver) as _))
    }

    pub(super) fn open_with(
        settings: &ResourceSettings,
        resolver: &Arc<dyn NameResolver>,
    ) -> Result<Self, ResourceError> {
        set_up(settings, resolver).map_err(|message| ResourceError::Configuration { message })
    }

    /// Sends a request and follows where it leads.
    async fn follow(&self, mut request: WebRequest, cancel: &CancellationToken) -> Result<WebResponse, WebError> {
        prepare(&mut request.headers)?;
        let mut url = join(&self.base, &request.uri)?;
        let mut trail = Trail::default();
        let mut term = Term { deadline: None, cancel };
        loop {
            trail.step(&url)?;
            let sent = self.exchange(&request, &url, &mut term).await;
            let answer = sent.map_err(|error| trail.explained(error))?;
            let Some(next) = target(&request.method, answer.status, &answer.headers, &url)? else { return Ok(answer) };
            if Origin::of_url(&next) != Origin::of_url(&url) {
                request.headers = crossing(&request.headers);
            }
            url = next;
        }
    }

    /// Sends one request with the credentials of where it goes. One that is refused for them is sent once more with new ones.
    async fn exchange(&self, request: &WebRequest, url: &Url, term: &mut Term<'_>) -> Result<WebResponse, WebError> {
        let origin = Origin::of_url(url);
        let gate = self.gate(&origin)?;
        let credentials = self.credentials.get(&origin);
        let Some(credentials) = credentials.filter(|_| !request.headers.contains_key(header::AUTHORIZATION)) else {
            return gate.exchange(request, url, term).await;
        };
        let mut authorized = request.clone();
        let pass = credentials.pass().await?;
        authorized.headers.insert(header::AUTHORIZATION, pass.header.clone());
        let answer = gate.exchange(&authorized, url, term).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let other = match credentials {
            Credentials::Fixed(fixed) => match fixed.instead_of(&pass).await? {
                Some(other) => {
                    // Its turn is given back: the second request needs one as well.
                    drop(answer);
                    other
                }
                None => return Ok(answer),
            },
            Credentials::Token(source) => {
                // The token may have to be asked for at the same origin, too.
                drop(answer);
                source.instead_of(&pass).await?
            }
        };
        authorized.headers.insert(header::AUTHORIZATION, other.header);
        gate.exchange(&authorized, url, term).await
    }

    /// The way to an origin, if it is listed.
    fn gate(&self, origin: &Origin) -> Result<&Gate, WebError> {
        self.gates.get(origin).map(|gate| &**gate).ok_or_else(|| WebError::NotAllowed {
            message: format!(
                "`{origin}` is not reachable: the operator of the data resource would have to list it, as `<origin \
                 uri=\"{origin}\"/>`"
            ),
        })
    }
}

#[async_trait]
impl DataResource for HttpResource {
    fn product(&self) -> Product {
        Product { name: "HTTP".into(), version: "1.1, 2".into() }
    }

    /// Nothing is sent: a request to somebody else's service costs him, and may cost its sender.
    async fn health(&self) -> Result<(), ResourceError> {
        Ok(())
    }

    fn as_web(&self) -> Option<&dyn WebResource> {
        Some(self)
    }
}

#[async_trait]
impl WebResource for HttpResource {
    fn defaults(&self) -> &[DefaultProperty] {
        &self.defaults
    }

    fn absolute(&self, uri: &str) -> Result<String, WebError> {
        join(&self.base, uri).map(Into::into)
    }

    async fn send(&self, request: WebRequest, cancel: CancellationToken) -> Result<WebResponse, WebError> {
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(WebError::Cancelled),
            answer = self.follow(request, &cancel) => answer,
        }
    }
}

impl fmt::Debug for HttpResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResource").field("origins", &self.gates.keys()).finish_non_exhaustive()
    }
}
