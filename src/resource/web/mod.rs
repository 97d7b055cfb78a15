//! Other people's HTTP services.
//!
//! A [`WebResource`] sends requests to the origins that its operator has listed, and to no others: with his credentials, within
//! his limits. It knows nothing of what the requests are for.

mod address;
mod body;
mod budget;
mod check;
mod client;
mod credentials;
mod exchange;
mod factory;
mod fault;
mod gate;
mod http_resource;
mod names;
mod origin;
mod properties_file;
mod redirect;
mod request_headers;
mod setting_up;
mod settings;
#[cfg(test)]
mod tests;
mod tls;

use std::fmt;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

pub use check::{WebPart, WebProblem, problems};
pub use exchange::{WebBody, WebError, WebRequest, WebResponse};
pub use factory::HttpFactory;
pub use http_resource::HttpResource;
pub use names::{NameResolver, SystemResolver};
pub use origin::{Origin, resolve};
pub use redirect::crossing;
pub use settings::{
    BudgetSettings, ClientPlace, ConnectionSettings, CredentialMethod, CredentialSettings, Grant, OAuthSettings,
    OriginSettings, TimeoutSettings, WebSettings,
};

/// A property that holds for every ingestion over a resource, unless the activity says otherwise.
#[derive(Clone, PartialEq, Eq)]
pub struct DefaultProperty {
    /// Its name, such as `ms.http.request.headers`.
    pub key: Box<str>,
    /// Its value, as it was written.
    pub value: Box<str>,
    /// Where it was written: `FILE:LINE`.
    pub place: Box<str>,
}

impl fmt::Debug for DefaultProperty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its value may be a credential: `ms.authentication`.
        f.debug_struct("DefaultProperty").field("key", &self.key).field("place", &self.place).finish_non_exhaustive()
    }
}

/// An HTTP service that activities reach.
#[async_trait]
pub trait WebResource: Send + Sync {
    /// The properties that hold for every ingestion over it.
    fn defaults(&self) -> &[DefaultProperty];

    /// Where a request for this URI is sent: absolute, whether or not it was.
    ///
    /// # Errors
    ///
    /// [`WebError::Request`] when it is none.
    fn absolute(&self, uri: &str) -> Result<String, WebError>;

    /// Sends a request, and gives the answer as soon as its head is there, whatever its status.
    ///
    /// Redirects of GET and HEAD are followed, each to a listed origin only; credentials go to the origin that they are for.
    ///
    /// # Errors
    ///
    /// [`WebError`], by who is to blame.
    async fn send(&self, request: WebRequest, cancel: CancellationToken) -> Result<WebResponse, WebError>;
}
