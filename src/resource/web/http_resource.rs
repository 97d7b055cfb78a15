use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::Url;
use tokio_util::sync::CancellationToken;

use super::gate::{Gate, GateParts};
use super::names::{NameResolver, SystemResolver};
use super::origin::{join, parse};
use super::tls::{Trust, client_config};
use super::{DefaultProperty, Origin, OriginSettings, WebError, WebRequest, WebResource, WebResponse};
use crate::resource::{DataResource, Product, ResourceError, ResourceSettings};

/// An HTTP service, reached as its operator has said.
pub struct HttpResource {
    base: Url,
    gates: BTreeMap<Origin, Gate>,
    defaults: Vec<DefaultProperty>,
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
        let refused = |message: String| ResourceError::Configuration { message };
        let base = parse(&settings.uri).map_err(|error| refused(format!("the URI of the data resource: {error}")))?;
        let origins = origins(&Origin::of_url(&base), &settings.web.origins);
        let trust = match &settings.access.tls.authority {
            _ if origins.iter().all(|listed| !listed.origin.is_https()) => Trust::Nobody,
            Some(path) => Trust::File(path),
            None => Trust::System,
        };
        let tls = client_config(&trust).map_err(refused)?;
        let mut gates = BTreeMap::new();
        for listed in origins {
            let parts = GateParts { web: &settings.web, resolver, tls: &tls, clock: &settings.clock };
            let gate = Gate::new(&listed, &parts).map_err(|error| refused(error.to_string()))?;
            gates.insert(listed.origin, gate);
        }
        Ok(Self { base, gates, defaults: settings.web.properties.clone() })
    }

    async fn exchange(&self, request: WebRequest, cancel: &CancellationToken) -> Result<WebResponse, WebError> {
        let url = join(&self.base, &request.uri)?;
        self.gate(&url)?.exchange(&request, url, cancel).await
    }

    /// The way to where a URL leads, if it is listed.
    fn gate(&self, url: &Url) -> Result<&Gate, WebError> {
        let origin = Origin::of_url(url);
        self.gates.get(&origin).ok_or_else(|| WebError::NotAllowed {
            message: format!(
                "`{origin}` is not reachable: the operator of the data resource would have to list it, as `<origin \
                 uri=\"{origin}\"/>`"
            ),
        })
    }
}

/// Everything that is reachable: the origin of the resource, and the listed ones.
fn origins(own: &Origin, listed: &[OriginSettings]) -> Vec<OriginSettings> {
    let mut origins = listed.to_vec();
    if origins.iter().all(|listed| listed.origin != *own) {
        origins.push(OriginSettings { origin: own.clone(), is_private: false });
    }
    origins
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

    async fn send(&self, request: WebRequest, cancel: CancellationToken) -> Result<WebResponse, WebError> {
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(WebError::Cancelled),
            answer = self.exchange(request, &cancel) => answer,
        }
    }
}

impl fmt::Debug for HttpResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResource").field("origins", &self.gates.keys()).finish_non_exhaustive()
    }
}
