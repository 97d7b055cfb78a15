//! `dataResource`: where data are, and who reaches them how.

mod folder;
mod login;
mod pool;
mod role_map;
mod tls;
mod web;

use std::time::Duration;

pub use folder::FolderConfiguration;
pub use login::{LoginConfiguration, PasswordSource};
pub use pool::PoolConfiguration;
pub use role_map::{MappedTo, RoleMapConfiguration, RoleMapEntry};
pub use tls::{TlsConfiguration, TlsModeConfiguration};
pub use web::{
    BudgetConfiguration, ClientPlaceConfiguration, CredentialMethodConfiguration, CredentialsConfiguration,
    GrantConfiguration, OAuthConfiguration, OriginConfiguration, PropertyConfiguration, TimeoutsConfiguration,
    WebConfiguration,
};

use super::{contradictory, read_unique_name};
use crate::document::writer::XmlWriter;
use crate::document::{DocumentError, Element, Located};

/// `<dataResource name uri user passwordFile passwordEnv>`, with `pool`, `statement`, `tls` and `roleMap` for a database, with `tls`
/// and what [`WebConfiguration`] says for an HTTP service, and with `folder` for a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataResourceConfiguration {
    /// The name by which an activity picks it; one without a name is the only one, or the default.
    pub name: Option<Located<String>>,
    /// Where the data is; the scheme says what serves it.
    pub uri: Located<String>,
    /// As whom the service connects, where no role map says otherwise.
    pub login: LoginConfiguration,
    /// `<pool>`: its connections; `None` leaves them to the database's kind.
    pub pool: Option<Located<PoolConfiguration>>,
    /// `<statement timeout>`: how long one statement may take.
    pub statement_timeout: Option<Duration>,
    /// `<tls>`: the protection of the connections.
    pub tls: Option<Located<TlsConfiguration>>,
    /// `<roleMap>`: which principal or role is which user of the database.
    pub role_map: Option<Located<RoleMapConfiguration>>,
    /// What is said of an HTTP service alone.
    pub web: WebConfiguration,
    /// `<folder>`: what may be done in a folder.
    pub folder: Option<Located<FolderConfiguration>>,
}

impl DataResourceConfiguration {
    /// A data resource of which nothing is said but where it is.
    #[must_use]
    pub fn at(uri: impl Into<String>) -> Self {
        Self {
            name: None,
            uri: Located::from(uri.into()),
            login: LoginConfiguration::default(),
            pool: None,
            statement_timeout: None,
            tls: None,
            role_map: None,
            web: WebConfiguration::default(),
            folder: None,
        }
    }

    pub(super) fn read(element: &Element, earlier: &[Self]) -> Result<Self, DocumentError> {
        let mut fields = element.fields();
        let names = earlier.iter().filter_map(|resource| Some(&resource.name.as_ref()?.value));
        let name = fields.attribute("name").map(|value| read_unique_name(&value, names)).transpose()?;
        let uri = fields.required_attribute("uri")?;
        let login = LoginConfiguration::read(&mut fields)?;
        let pool = fields.child("pool").map(PoolConfiguration::read).transpose()?;
        let statement_timeout = fields.child("statement").map(read_timeout).transpose()?;
        let tls = fields.child("tls").map(TlsConfiguration::read).transpose()?;
        let role_map = fields.child("roleMap").map(RoleMapConfiguration::read).transpose()?;
        let web = WebConfiguration::read(&mut fields)?;
        let folder = fields.child("folder").map(FolderConfiguration::read).transpose()?;
        fields.finish()?;
        if !is_uri(uri.as_str()) {
            // It is not repeated: there may be a password in it.
            let message = "the attribute `uri` of `dataResource` has to be a scheme, `:`, and where the data is, such as \
                           `sqlite:orders.db`";
            return Err(uri.error(message));
        }
        if name.is_none() && !earlier.is_empty() {
            let message = "only the first data resource may go without a `name`: nothing could pick this one";
            return Err(contradictory(element.position(), message));
        }
        Ok(Self { name, uri: uri.non_empty()?, login, pool, statement_timeout, tls, role_map, web, folder })
    }

    pub(super) fn write(&self, writer: &mut XmlWriter) {
        writer.start("dataResource");
        writer.optional("name", self.name.as_ref().map(|name| &name.value));
        writer.attribute("uri", &self.uri.value);
        self.login.write(writer);
        if let Some(pool) = &self.pool {
            pool.value.write("pool", writer);
        }
        if let Some(timeout) = self.statement_timeout {
            writer.start("statement");
            writer.attribute("timeout", milliseconds(timeout));
            writer.end();
        }
        if let Some(tls) = &self.tls {
            tls.value.write(writer);
        }
        if let Some(map) = &self.role_map {
            map.value.write(writer);
        }
        self.web.write(writer);
        if let Some(folder) = &self.folder {
            folder.value.write(writer);
        }
        writer.end();
    }
}

fn read_timeout(element: &Element) -> Result<Duration, DocumentError> {
    let mut fields = element.fields();
    let timeout = fields.required_attribute("timeout")?.duration()?;
    fields.finish()?;
    Ok(timeout)
}

fn milliseconds(duration: Duration) -> u128 {
    duration.as_millis()
}

/// A scheme as RFC 3986 has it, a colon, and something on one line.
fn is_uri(uri: &str) -> bool {
    uri.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
            && !rest.is_empty()
            && !rest.contains(['\n', '\r'])
    })
}
