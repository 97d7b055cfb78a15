//! The configuration documents: of the service, of a data service resource, of its activities and of its sessions.

mod activity;
mod data_resource;
mod resource;
mod service;
mod session;

pub use activity::{ActivityConfiguration, ConfiguredActivity, Property};
pub use data_resource::{
    BudgetConfiguration, ClientPlaceConfiguration, CredentialMethodConfiguration, CredentialsConfiguration,
    DataResourceConfiguration, FolderConfiguration, GrantConfiguration, LoginConfiguration, MappedTo,
    OAuthConfiguration, OriginConfiguration, PasswordSource, PoolConfiguration, PropertyConfiguration,
    RoleMapConfiguration, RoleMapEntry, TimeoutsConfiguration, TlsConfiguration, TlsModeConfiguration,
    WebConfiguration,
};
pub use resource::ResourceConfiguration;
pub use service::{AuthenticationConfiguration, ResourceReference, ServiceConfiguration, ServiceLimits};
pub use session::{
    CarrierSettings, CookieSettings, DURABLE_FACTORY, JoinSettings, Origin, OriginError, ReplaySettings, SameSite,
    SessionConfiguration, SessionConfigurationPlaces, SessionLimits, StaticAttributeConfiguration, StoreSettings,
    TRANSIENT_FACTORY, TimeoutSettings,
};

use super::{DocumentError, Element, Fields, Limits, Located, Position, Value, root};

/// The namespace of the configuration documents.
pub const CONFIGURATION_NAMESPACE: &str = "http://ogsadai.org.uk/namespaces/2005/10/config";

/// Reads a configuration document as far as its root, which has to have that name.
fn parse_root(bytes: &[u8], limits: &Limits, name: &str) -> Result<Element, DocumentError> {
    let element = Element::parse(bytes, limits)?;
    root::check(&element, name, CONFIGURATION_NAMESPACE)?;
    Ok(element)
}

/// The texts of the `documentation` elements that come next.
fn read_documentation(fields: &mut Fields<'_>) -> Result<Vec<String>, DocumentError> {
    let elements = fields.children("documentation").into_iter();
    elements
        .map(|element| {
            element.fields().finish_attributes()?;
            Ok(element.text()?.into_owned())
        })
        .collect()
}

/// `<element location="…"/>`, if it comes next.
fn read_location(fields: &mut Fields<'_>, element: &'static str) -> Result<Option<Located<String>>, DocumentError> {
    let Some(element) = fields.child(element) else { return Ok(None) };
    let mut fields = element.fields();
    let location = fields.required_attribute("location")?.non_empty()?;
    fields.finish()?;
    Ok(Some(location))
}

/// A name in a list whose names are unique.
fn read_unique_name(
    value: &Value<'_>,
    mut earlier: impl Iterator<Item = impl AsRef<str>>,
) -> Result<Located<String>, DocumentError> {
    let name = value.name()?;
    if earlier.any(|earlier| earlier.as_ref() == name) {
        return Err(value.error(format!("the name `{name}` is given twice")));
    }
    Ok(Located::new(name.into(), value.position()))
}

/// An error about things that are right each and wrong together, which no XML Schema can say.
fn contradictory(position: Position, message: &str) -> DocumentError {
    DocumentError::invalid(position, format!("contradictory: {message}"))
}
