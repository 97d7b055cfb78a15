//! The data service resource that a command is given the URL of.

use super::credentials::CredentialOptions;
use crate::client::{DataService, DataServiceBuilder};

/// The resource at that URL, as whoever the options say.
///
/// # Errors
///
/// When it is no URL of a resource, or who sends the requests can't be found out.
pub(super) fn at(url: &str, credentials: &CredentialOptions) -> anyhow::Result<DataService> {
    let mut builder = DataServiceBuilder::at(url);
    if let Some(credentials) = credentials.find()? {
        builder = builder.credentials(credentials);
    }
    Ok(builder.build()?)
}
