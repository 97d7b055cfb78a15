//! The data service resource that a command is given the URL of.

use anyhow::bail;
use reqwest::Url;

use super::credentials::CredentialOptions;
use crate::client::{DataService, DataServiceBuilder};

/// The resource at that URL, as whoever the options say.
///
/// # Errors
///
/// When it is no URL of a resource, or who sends the requests can't be found out.
pub(super) fn at(url: &str, credentials: &CredentialOptions) -> anyhow::Result<DataService> {
    if let Ok(parsed) = Url::parse(url) {
        if parsed.query().is_some() {
            bail!("the URL ends at its `?`: an output is named by --return, a session by --session");
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            bail!("no name and no password in the URL, where others may see them: say who you are by --user");
        }
    }
    let mut builder = DataServiceBuilder::at(url);
    if let Some(credentials) = credentials.find()? {
        builder = builder.credentials(credentials);
    }
    Ok(builder.build()?)
}
