//! What the command sends its requests with.

use anyhow::Context;
use reqwest::Client;

/// A client without TLS, which the command does not speak: no certificates are read, and none have to be there.
pub(super) fn client() -> anyhow::Result<Client> {
    Client::builder().tls_certs_only([]).build().context("no request can be sent from here")
}
