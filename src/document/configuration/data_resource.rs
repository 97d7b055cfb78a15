//! `dataResource`: where data are, and who reaches them how.

use std::time::Duration;

use super::{contradictory, read_unique_name};
use crate::document::writer::XmlWriter;
use crate::document::{DocumentError, Element, Fields, Located};

/// `<dataResource name uri user passwordFile passwordEnv><pool/><statement/><tls/><roleMap/></dataResource>`
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
}

/// `user`, and `passwordFile` or `passwordEnv`
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LoginConfiguration {
    /// The user of the database.
    pub user: Option<Located<String>>,
    /// Where the password is, which never stands in the document.
    pub password: Option<PasswordSource>,
}

/// Where a password is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordSource {
    /// `passwordFile`: a file, relative to this document.
    File(Located<String>),
    /// `passwordEnv`: an environment variable.
    Environment(Located<String>),
}

/// `<pool size wait idle/>`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PoolConfiguration {
    /// The most connections of one user.
    pub size: Option<u32>,
    /// How long a statement waits for one.
    pub wait: Option<Duration>,
    /// How long one stays open that nobody uses.
    pub idle: Option<Duration>,
}

/// `<tls mode authority/>`
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsConfiguration {
    /// Whether connections are encrypted.
    pub mode: TlsModeConfiguration,
    /// A file with the certificates that are trusted, relative to this document.
    pub authority: Option<Located<String>>,
}

/// `mode` of `<tls>`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TlsModeConfiguration {
    /// `automatic`: as `verify`, but without TLS to the machine itself.
    #[default]
    Automatic,
    /// `verify`: encrypted, to a server whose certificate is trusted and has its name.
    Verify,
    /// `off`: not encrypted.
    Off,
}

impl TlsModeConfiguration {
    const NAMED: [(&'static str, Self); 3] =
        [("automatic", Self::Automatic), ("verify", Self::Verify), ("off", Self::Off)];

    fn name(self) -> &'static str {
        Self::NAMED.into_iter().find_map(|(name, mode)| (mode == self).then_some(name)).unwrap_or("automatic")
    }
}

/// `<roleMap otherwise><map …/></roleMap>`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleMapConfiguration {
    /// Whether those whom no entry fits are the user of the data resource; otherwise they reach nothing.
    pub otherwise_default: bool,
    /// In their order.
    pub entries: Vec<RoleMapEntry>,
}

/// `<map principal|role user passwordFile passwordEnv/>`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleMapEntry {
    /// Whom it is about.
    pub who: MappedTo,
    /// Who he is in the database.
    pub login: LoginConfiguration,
}

/// Whom an entry of a role map is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MappedTo {
    /// The principal of that stable id.
    Principal(String),
    /// Everybody of that role: `user` or `operator`.
    Role(String),
}

/// The roles that a service knows.
const ROLES: [(&str, &str); 2] = [("user", "user"), ("operator", "operator")];

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
        Ok(Self { name, uri: uri.non_empty()?, login, pool, statement_timeout, tls, role_map })
    }

    pub(super) fn write(&self, writer: &mut XmlWriter) {
        writer.start("dataResource");
        writer.optional("name", self.name.as_ref().map(|name| &name.value));
        writer.attribute("uri", &self.uri.value);
        self.login.write(writer);
        if let Some(pool) = &self.pool {
            writer.start("pool");
            writer.optional("size", pool.value.size);
            writer.optional("wait", pool.value.wait.map(milliseconds));
            writer.optional("idle", pool.value.idle.map(milliseconds));
            writer.end();
        }
        if let Some(timeout) = self.statement_timeout {
            writer.start("statement");
            writer.attribute("timeout", milliseconds(timeout));
            writer.end();
        }
        if let Some(tls) = &self.tls {
            writer.start("tls");
            writer.attribute("mode", tls.value.mode.name());
            writer.optional("authority", tls.value.authority.as_ref().map(|file| &file.value));
            writer.end();
        }
        if let Some(map) = &self.role_map {
            map.value.write(writer);
        }
        writer.end();
    }
}

impl PasswordSource {
    fn read(fields: &mut Fields<'_>) -> Result<Option<Self>, DocumentError> {
        let file = fields.attribute("passwordFile").map(|value| value.non_empty()).transpose()?;
        let variable = fields.attribute("passwordEnv").map(|value| value.one_word()).transpose()?;
        match (file, variable) {
            (Some(_), Some(variable)) => {
                let message = "the password comes from `passwordFile` or from `passwordEnv`, not from both";
                Err(contradictory(variable.position, message))
            }
            (Some(file), None) => Ok(Some(Self::File(file))),
            (None, variable) => Ok(variable.map(Self::Environment)),
        }
    }
}

impl LoginConfiguration {
    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        let user = fields.attribute("user").map(|value| value.non_empty()).transpose()?;
        Ok(Self { user, password: PasswordSource::read(fields)? })
    }

    fn write(&self, writer: &mut XmlWriter) {
        writer.optional("user", self.user.as_ref().map(|user| &user.value));
        match &self.password {
            Some(PasswordSource::File(file)) => writer.attribute("passwordFile", &file.value),
            Some(PasswordSource::Environment(variable)) => writer.attribute("passwordEnv", &variable.value),
            None => {}
        }
    }
}

impl PoolConfiguration {
    fn read(element: &Element) -> Result<Located<Self>, DocumentError> {
        let mut fields = element.fields();
        let size = fields.attribute("size").map(|value| value.integer(1..=10_000)).transpose()?;
        let wait = fields.attribute("wait").map(|value| value.duration()).transpose()?;
        let idle = fields.attribute("idle").map(|value| value.duration()).transpose()?;
        fields.finish()?;
        Ok(Located::new(Self { size, wait, idle }, element.position()))
    }
}

fn read_timeout(element: &Element) -> Result<Duration, DocumentError> {
    let mut fields = element.fields();
    let timeout = fields.required_attribute("timeout")?.duration()?;
    fields.finish()?;
    Ok(timeout)
}

impl TlsConfiguration {
    fn read(element: &Element) -> Result<Located<Self>, DocumentError> {
        let mut fields = element.fields();
        let mode = fields.attribute("mode").map(|value| value.choice(&TlsModeConfiguration::NAMED)).transpose()?;
        let authority = fields.attribute("authority").map(|value| value.non_empty()).transpose()?;
        fields.finish()?;
        let mode = mode.unwrap_or_default();
        match authority {
            Some(file) if mode == TlsModeConfiguration::Off => Err(contradictory(
                file.position,
                "without TLS no certificate is checked: leave `authority` or the mode out",
            )),
            authority => Ok(Located::new(Self { mode, authority }, element.position())),
        }
    }
}

impl RoleMapConfiguration {
    fn read(element: &Element) -> Result<Located<Self>, DocumentError> {
        let mut fields = element.fields();
        let otherwise = fields.attribute("otherwise");
        let otherwise = otherwise.map(|value| value.choice(&[("deny", false), ("default", true)])).transpose()?;
        let mut entries = vec![RoleMapEntry::read(fields.required_child("map")?)?];
        while let Some(child) = fields.child("map") {
            entries.push(RoleMapEntry::read(child)?);
        }
        fields.finish()?;
        let map = Self { otherwise_default: otherwise.unwrap_or(false), entries };
        Ok(Located::new(map, element.position()))
    }

    fn write(&self, writer: &mut XmlWriter) {
        writer.start("roleMap");
        writer.attribute("otherwise", if self.otherwise_default { "default" } else { "deny" });
        for entry in &self.entries {
            writer.start("map");
            match &entry.who {
                MappedTo::Principal(id) => writer.attribute("principal", id),
                MappedTo::Role(role) => writer.attribute("role", role),
            }
            entry.login.write(writer);
            writer.end();
        }
        writer.end();
    }
}

impl RoleMapEntry {
    fn read(element: &Element) -> Result<Self, DocumentError> {
        let mut fields = element.fields();
        let principal = fields.attribute("principal");
        let role = fields.attribute("role");
        let who = match (principal, role) {
            (Some(id), None) => MappedTo::Principal(id.non_empty()?.value),
            (None, Some(role)) => MappedTo::Role(role.choice(&ROLES)?.to_owned()),
            (Some(id), Some(_)) => {
                return Err(contradictory(
                    id.position(),
                    "an entry is about a `principal` or about a `role`, not about both",
                ));
            }
            (None, None) => {
                let message = "an entry is about a `principal` or about a `role`, and this one names neither";
                return Err(contradictory(element.position(), message));
            }
        };
        let user = fields.required_attribute("user")?.non_empty()?;
        let password = PasswordSource::read(&mut fields)?;
        fields.finish()?;
        let login = LoginConfiguration { user: Some(user), password };
        Ok(Self { who, login })
    }
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
