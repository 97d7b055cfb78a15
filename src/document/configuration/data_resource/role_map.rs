//! Who is whom in a database.

use super::login::{LoginConfiguration, PasswordSource};
use crate::document::configuration::contradictory;
use crate::document::writer::XmlWriter;
use crate::document::{DocumentError, Element, Located};

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

impl RoleMapConfiguration {
    pub(super) fn read(element: &Element) -> Result<Located<Self>, DocumentError> {
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

    pub(super) fn write(&self, writer: &mut XmlWriter) {
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
