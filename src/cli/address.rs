//! The URL of a data service resource, as it is given on the command line.

use anyhow::{Context, ensure};
use reqwest::Url;

/// Reads the URL of a data service resource.
///
/// # Errors
///
/// When it is no URL, or not one of http: TLS is not spoken.
pub(super) fn of_resource(text: &str) -> anyhow::Result<Url> {
    let url = Url::parse(text).with_context(|| format!("`{text}` is no URL"))?;
    ensure!(url.scheme() == "http", "`{text}`: only http is spoken here; put a TLS proxy in front for https");
    Ok(url)
}
