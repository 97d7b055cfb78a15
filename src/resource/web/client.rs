//! The HTTP client of one origin.
//!
//! Each origin has its own: its names are checked by its own mark, and its connections are nobody else's.

use std::sync::Arc;

use reqwest::{Client, redirect};
use rustls::ClientConfig;

use super::names::{CheckedNames, NameResolver};
use super::{ConnectionSettings, OriginSettings, TimeoutSettings, WebError};

/// The most fields in the head of an answer.
pub(super) const HEADER_FIELDS: usize = 256;

/// The most bytes in the head of an answer, names and values together.
pub(super) const HEADER_BYTES: usize = 256 * 1024;

/// How the service names itself where a request does not.
const USER_AGENT: &str = concat!("rejoin/", env!("CARGO_PKG_VERSION"));

/// Makes the client of an origin. Proxies of the environment are not used, redirects not followed, nothing is unpacked.
pub(super) fn client(
    origin: &OriginSettings,
    resolver: Arc<dyn NameResolver>,
    tls: ClientConfig,
    (timeouts, connections): (&TimeoutSettings, &ConnectionSettings),
) -> Result<Client, WebError> {
    let names = CheckedNames { resolver, is_private_origin: origin.is_private };
    let builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .redirect(redirect::Policy::none())
        .referer(false)
        .user_agent(USER_AGENT)
        .dns_resolver(Arc::new(names))
        .connect_timeout(timeouts.connect)
        .pool_max_idle_per_host(connections.size)
        .pool_idle_timeout(connections.idle)
        .http1_max_headers(HEADER_FIELDS)
        .http2_max_header_list_size(HEADER_BYTES.try_into().unwrap_or(u32::MAX));
    builder.build().map_err(|error| WebError::Transport {
        message: format!("{}: there is no HTTP client: {error}", origin.origin),
        never_sent: true,
    })
}
