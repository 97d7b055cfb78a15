//! The service configuration document: where the service listens, what it bounds, and which resources it offers.

use std::time::Duration;

use super::{CONFIGURATION_NAMESPACE, parse_root, read_unique_name};
use crate::document::writer::XmlWriter;
use crate::document::{DocumentError, Element, Limits, Located, Unwritable, Value, duration};

/// What `service.xml` says.
///
/// ```
/// use rejoin::document::{Limits, ServiceConfiguration};
///
/// let configuration = ServiceConfiguration::parse(
///     br#"<dataServiceConfiguration xmlns="http://ogsadai.org.uk/namespaces/2005/10/config">
///           <listen address="127.0.0.1:8080"/>
///           <dataServiceResource name="orders" location="orders/resource.xml"/>
///         </dataServiceConfiguration>"#,
///     &Limits::default(),
/// )?;
/// assert_eq!(configuration.resources[0].name.value, "orders");
/// # Ok::<(), rejoin::document::DocumentError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceConfiguration {
    /// `<listen address>`: host and port, such as `127.0.0.1:8080` or `[::1]:0`. Port 0 is any that is free.
    pub listen: Located<String>,
    /// `<limits>`
    pub limits: ServiceLimits,
    /// `<authentication impl>`
    pub authentication: AuthenticationConfiguration,
    /// `<dataServiceResource>`: one at least, with unique names.
    pub resources: Vec<ResourceReference>,
}

/// `<limits>`: how much one request may be, and how many requests there may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceLimits {
    /// `documentBytes`, `depth`, `elements` and `attributes`: the bounds of a perform document.
    pub documents: Limits,
    /// `concurrentRequests`: how many requests run at the same time.
    pub concurrent_requests: u32,
    /// `queuedRequests`: how many more may wait for their turn.
    pub queued_requests: u32,
    /// `bodyTimeout`: how long a client may take to send a request.
    pub body_timeout: Duration,
}

/// `<authentication impl>…</authentication>`: who finds out on whose behalf a request comes.
#[derive(Debug, Clone, PartialEq)]
pub struct AuthenticationConfiguration {
    /// The implementation; `none` lets everybody in.
    pub implementation: Located<String>,
    /// The whole element: the implementation reads its content.
    pub element: Element,
}

/// `<dataServiceResource name location/>`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceReference {
    /// The name under which the resource is reached.
    pub name: Located<String>,
    /// Where its configuration document is, relative to this one.
    pub location: Located<String>,
}

const ROOT: &str = "dataServiceConfiguration";

impl Default for ServiceLimits {
    fn default() -> Self {
        Self {
            documents: Limits::default(),
            concurrent_requests: 64,
            queued_requests: 256,
            body_timeout: Duration::from_secs(30),
        }
    }
}

impl Default for AuthenticationConfiguration {
    fn default() -> Self {
        let element = Element::new("authentication", Some(CONFIGURATION_NAMESPACE)).with_attribute("impl", "none");
        Self { implementation: "none".to_owned().into(), element }
    }
}

impl AuthenticationConfiguration {
    /// What an `authentication` element says. Its attribute `impl` is read; the rest is left to the implementation.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] where `impl` is missing or empty.
    pub fn of(element: Element) -> Result<Self, DocumentError> {
        let mut fields = element.fields();
        let implementation = fields.required_attribute("impl")?.one_word()?;
        fields.any_attributes();
        fields.finish_attributes()?;
        Ok(Self { implementation, element })
    }
}

/// What holds where the document says nothing; it has no resources.
impl Default for ServiceConfiguration {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned().into(),
            limits: ServiceLimits::default(),
            authentication: AuthenticationConfiguration::default(),
            resources: Vec::new(),
        }
    }
}

impl ServiceConfiguration {
    /// Reads a service configuration document.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] at the first thing that is wrong.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, DocumentError> {
        let root = parse_root(bytes, limits, ROOT)?;
        let mut fields = root.fields();
        let mut configuration = Self::default();
        if let Some(listen) = fields.child("listen") {
            let mut fields = listen.fields();
            configuration.listen = read_address(&fields.required_attribute("address")?)?;
            fields.finish()?;
        }
        if let Some(limits) = fields.child("limits") {
            configuration.limits = read_limits(limits)?;
        }
        if let Some(authentication) = fields.child("authentication") {
            configuration.authentication = AuthenticationConfiguration::of(authentication.clone())?;
        }
        let mut next = Some(fields.required_child("dataServiceResource")?);
        while let Some(resource) = next {
            configuration.resources.push(read_resource(resource, &configuration.resources)?);
            next = fields.child("dataServiceResource");
        }
        fields.finish()?;
        Ok(configuration)
    }

    /// Writes the document.
    ///
    /// # Errors
    ///
    /// [`Unwritable`] when a value holds a character that XML has no way to write.
    pub fn to_xml(&self) -> Result<String, Unwritable> {
        let mut writer = XmlWriter::new();
        writer.root(ROOT, CONFIGURATION_NAMESPACE);
        writer.start("listen");
        writer.attribute("address", &self.listen.value);
        writer.end();
        let limits = &self.limits;
        writer.start("limits");
        writer.attribute("documentBytes", limits.documents.document_bytes);
        writer.attribute("depth", limits.documents.depth);
        writer.attribute("elements", limits.documents.elements);
        writer.attribute("attributes", limits.documents.attributes);
        writer.attribute("concurrentRequests", limits.concurrent_requests);
        writer.attribute("queuedRequests", limits.queued_requests);
        writer.attribute("bodyTimeout", duration::write(limits.body_timeout));
        writer.end();
        writer.element(&self.authentication.element);
        for resource in &self.resources {
            writer.start("dataServiceResource");
            writer.attribute("name", &resource.name.value);
            writer.attribute("location", &resource.location.value);
            writer.end();
        }
        writer.end();
        writer.finish()
    }
}

fn read_limits(element: &Element) -> Result<ServiceLimits, DocumentError> {
    let mut limits = ServiceLimits::default();
    let mut fields = element.fields();
    if let Some(value) = fields.attribute("documentBytes") {
        limits.documents.document_bytes = value.integer(1..=u64::MAX)?;
        // No text is longer than the document that it stands in.
        limits.documents.text_bytes = limits.documents.document_bytes;
    }
    if let Some(value) = fields.attribute("depth") {
        limits.documents.depth = value.integer(1..=Limits::MOST_DEPTH)?;
    }
    if let Some(value) = fields.attribute("elements") {
        limits.documents.elements = value.integer(1..=u32::MAX)?;
    }
    if let Some(value) = fields.attribute("attributes") {
        limits.documents.attributes = value.integer(1..=Limits::MOST_ATTRIBUTES)?;
    }
    if let Some(value) = fields.attribute("concurrentRequests") {
        limits.concurrent_requests = value.integer(1..=u32::MAX)?;
    }
    if let Some(value) = fields.attribute("queuedRequests") {
        limits.queued_requests = value.integer(0..=u32::MAX)?;
    }
    if let Some(value) = fields.attribute("bodyTimeout") {
        limits.body_timeout = value.duration()?;
    }
    fields.finish()?;
    Ok(limits)
}

fn read_resource(element: &Element, earlier: &[ResourceReference]) -> Result<ResourceReference, DocumentError> {
    let mut fields = element.fields();
    let name = read_unique_name(&fields.required_attribute("name")?, earlier.iter().map(|other| &other.name.value))?;
    let location = fields.required_attribute("location")?.non_empty()?;
    fields.finish()?;
    Ok(ResourceReference { name, location })
}

/// A host (a name, an IPv4 address, or an IPv6 address in brackets) and a port.
fn read_address(value: &Value<'_>) -> Result<Located<String>, DocumentError> {
    let address = value.one_word()?;
    if is_address(&address.value) { Ok(address) } else { Err(value.expected("`host:port`, such as `127.0.0.1:8080`")) }
}

fn is_address(address: &str) -> bool {
    let Some((host, port)) = address.rsplit_once(':') else { return false };
    let host_is_good = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|inner| {
            !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'))
        }),
        None => !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)),
    };
    host_is_good && port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(content: &str) -> Result<ServiceConfiguration, DocumentError> {
        let document = format!("<{ROOT} xmlns='{CONFIGURATION_NAMESPACE}'>\n{content}</{ROOT}>");
        ServiceConfiguration::parse(document.as_bytes(), &Limits::default())
    }

    const RESOURCE: &str = "<dataServiceResource name='a' location='a.xml'/>";

    #[test]
    fn everything_but_the_resources_has_a_default() {
        let configuration = parse(RESOURCE).unwrap();
        assert_eq!(
            configuration,
            ServiceConfiguration { resources: configuration.resources.clone(), ..Default::default() }
        );
        assert_eq!(configuration.resources[0].location.position.to_string(), "2:31");
        assert_eq!(parse("").unwrap_err().position().to_string(), "1:1");
    }

    #[test]
    fn a_document_that_was_written_reads_the_same() {
        let configuration = parse(&format!(
            "<listen address=' [::1]:0 '/><limits documentBytes='1000' depth='5' elements='9' attributes='64'
             concurrentRequests='1' queuedRequests='0' bodyTimeout='PT1M'/>
             <authentication impl='x.Y' realm='z'><users xmlns='urn:u'>a</users></authentication>{RESOURCE}"
        ))
        .unwrap();
        assert_eq!(configuration.listen.value, "[::1]:0");
        assert_eq!(configuration.limits.documents.text_bytes, 1000);
        assert_eq!(configuration.limits.body_timeout, Duration::from_mins(1));
        let written = configuration.to_xml().unwrap();
        assert_eq!(ServiceConfiguration::parse(written.as_bytes(), &Limits::default()), Ok(configuration), "{written}");
    }

    #[test]
    fn addresses_are_a_host_and_a_port() {
        for (address, good) in [
            ("localhost:65535", true),
            ("0.0.0.0:0", true),
            ("[fe80::1]:80", true),
            ("a_b-c.example:080", true),
            ("localhost", false),
            (":80", false),
            ("localhost:", false),
            ("localhost:65536", false),
            ("localhost:000080", false),
            ("localhost:+80", false),
            ("::1:80", false),
            ("[]:80", false),
            ("[::1:80", false),
            ("a b:80", false),
        ] {
            assert_eq!(parse(&format!("<listen address='{address}'/>{RESOURCE}")).is_ok(), good, "{address}");
        }
    }

    #[test]
    fn what_is_wrong_is_refused_where_it_stands() {
        for (content, at) in [
            (format!("{RESOURCE}{RESOURCE}"), "2:70"),
            (format!("<limits depth='257'/>{RESOURCE}"), "2:9"),
            (format!("<limits attributes='65'/>{RESOURCE}"), "2:9"),
            (format!("<limits bodyTimeout='0'/>{RESOURCE}"), "2:9"),
            (format!("<limits documentBtes='1'/>{RESOURCE}"), "2:9"),
            (format!("<authentication impl=''/>{RESOURCE}"), "2:17"),
            (format!("{RESOURCE}<listen address='a:1'/>"), "2:49"),
            (format!("<authentication role='user'/>{RESOURCE}"), "2:1"),
            (format!("<authentication impl='none' xmlns:x='urn:x' x:role='user'/>{RESOURCE}"), "2:45"),
            ("<dataServiceResource name='a'/>".into(), "2:1"),
            ("<dataServiceResource name='a' location=''/>".into(), "2:31"),
        ] {
            assert_eq!(parse(&content).expect_err(&content).position().to_string(), at, "{content}");
        }
    }
}
