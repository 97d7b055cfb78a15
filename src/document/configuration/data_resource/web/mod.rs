//! What is said of an HTTP service.

mod credentials;
mod limits;

pub use credentials::{
    ClientPlaceConfiguration, CredentialMethodConfiguration, CredentialsConfiguration, GrantConfiguration,
    OAuthConfiguration,
};
pub use limits::{BudgetConfiguration, TimeoutsConfiguration};

use super::{PasswordSource, PoolConfiguration, milliseconds};
use crate::document::writer::XmlWriter;
use crate::document::{DocumentError, Element, Fields, Located, Position};

/// `<origin/> <credentials/> <connections/> <timeouts/> <budget/> <properties/> <property/>`, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebConfiguration {
    /// What is reachable beside the origin of the resource.
    pub origins: Vec<OriginConfiguration>,
    /// Who the service is to which origin.
    pub credentials: Vec<Located<CredentialsConfiguration>>,
    /// How many requests are sent at the same time.
    pub connections: Option<Located<PoolConfiguration>>,
    /// How long things may take.
    pub timeouts: Option<Located<TimeoutsConfiguration>>,
    /// How many requests are sent in a time.
    pub budget: Option<Located<BudgetConfiguration>>,
    /// `<properties location>`: files of properties, relative to this document.
    pub property_files: Vec<Located<String>>,
    /// Properties, which stand over those of the files.
    pub properties: Vec<PropertyConfiguration>,
}

/// `<origin uri private/>`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginConfiguration {
    /// A scheme, a host, and a port if it isn't the usual one.
    pub uri: Located<String>,
    /// Whether it may be on a private network or on the service's own machine.
    pub is_private: bool,
}

/// `<property key>value</property>`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyConfiguration {
    /// Its name, once in a resource.
    pub key: Located<String>,
    /// Its value, without white space around it.
    pub value: String,
}

impl WebConfiguration {
    /// Where the first thing stands that is said here, and what it is.
    #[must_use]
    pub fn first(&self) -> Option<(&'static str, Position)> {
        let said = [
            self.origins.first().map(|origin| ("origin", origin.uri.position)),
            self.credentials.first().map(|credentials| ("credentials", credentials.position)),
            self.connections.as_ref().map(|connections| ("connections", connections.position)),
            self.timeouts.as_ref().map(|timeouts| ("timeouts", timeouts.position)),
            self.budget.as_ref().map(|budget| ("budget", budget.position)),
            self.property_files.first().map(|file| ("properties", file.position)),
            self.properties.first().map(|property| ("property", property.key.position)),
        ];
        said.into_iter().flatten().next()
    }

    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        let origins = fields.children("origin").into_iter().map(OriginConfiguration::read).collect::<Result<_, _>>()?;
        let credentials = fields.children("credentials").into_iter().map(CredentialsConfiguration::read);
        let credentials = credentials.collect::<Result<_, _>>()?;
        let connections = fields.child("connections").map(PoolConfiguration::read).transpose()?;
        let timeouts = fields.child("timeouts").map(TimeoutsConfiguration::read).transpose()?;
        let budget = fields.child("budget").map(BudgetConfiguration::read).transpose()?;
        let property_files = fields.children("properties").into_iter().map(read_location).collect::<Result<_, _>>()?;
        let mut properties: Vec<PropertyConfiguration> = Vec::new();
        while let Some(element) = fields.child("property") {
            properties.push(PropertyConfiguration::read(element, &properties)?);
        }
        Ok(Self { origins, credentials, connections, timeouts, budget, property_files, properties })
    }

    pub(super) fn write(&self, writer: &mut XmlWriter) {
        for origin in &self.origins {
            writer.start("origin");
            writer.attribute("uri", &origin.uri.value);
            writer.attribute("private", origin.is_private);
            writer.end();
        }
        for credentials in &self.credentials {
            credentials.value.write(writer);
        }
        if let Some(connections) = &self.connections {
            connections.value.write("connections", writer);
        }
        if let Some(timeouts) = &self.timeouts {
            timeouts.value.write(writer);
        }
        if let Some(budget) = &self.budget {
            budget.value.write(writer);
        }
        for file in &self.property_files {
            writer.start("properties");
            writer.attribute("location", &file.value);
            writer.end();
        }
        for property in &self.properties {
            writer.start("property");
            writer.attribute("key", &property.key.value);
            writer.text(&property.value);
            writer.end();
        }
    }
}

impl OriginConfiguration {
    fn read(element: &Element) -> Result<Self, DocumentError> {
        let mut fields = element.fields();
        let uri = fields.required_attribute("uri")?.one_word()?;
        let is_private = fields.attribute("private").map(|value| value.boolean()).transpose()?.unwrap_or(false);
        fields.finish()?;
        Ok(Self { uri, is_private })
    }
}

impl PropertyConfiguration {
    fn read(element: &Element, earlier: &[Self]) -> Result<Self, DocumentError> {
        let mut fields = element.fields();
        let value = fields.required_attribute("key")?;
        let key = value.one_word()?;
        fields.finish_attributes()?;
        if earlier.iter().any(|earlier| earlier.key == key) {
            return Err(value.error(format!("the property `{}` is given twice", key.value)));
        }
        let value = element.text()?;
        Ok(Self { key, value: value.trim().to_owned() })
    }
}

fn read_location(element: &Element) -> Result<Located<String>, DocumentError> {
    let mut fields = element.fields();
    let location = fields.required_attribute("location")?.non_empty()?;
    fields.finish()?;
    Ok(location)
}
