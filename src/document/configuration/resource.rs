//! The resource configuration document: the data behind one data service resource.

use super::{CONFIGURATION_NAMESPACE, contradictory, parse_root, read_documentation, read_location, read_unique_name};
use crate::document::writer::XmlWriter;
use crate::document::{DocumentError, Element, Limits, Located, Unwritable};

/// What a resource configuration document says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ResourceConfiguration {
    /// The texts of the `documentation` elements.
    pub documentation: Vec<String>,
    /// `<sessionConfiguration location>`, relative to this document; without one the defaults hold.
    pub session_configuration: Option<Located<String>>,
    /// `<activityConfiguration location>`, relative to this document; without one every activity that suits the data
    /// resource and touches nothing but it and the session.
    pub activity_configuration: Option<Located<String>>,
    /// `<dataResource>`: the first is the default. Without any, the resource transforms and moves data only.
    pub data_resources: Vec<DataResourceConfiguration>,
}

/// `<dataResource name uri passwordFile passwordEnv/>`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataResourceConfiguration {
    /// The name by which an activity picks it; one without a name is the only one, or the default.
    pub name: Option<Located<String>>,
    /// Where the data is; the scheme says what serves it.
    pub uri: Located<String>,
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

const ROOT: &str = "dataServiceResourceConfiguration";

impl ResourceConfiguration {
    /// Reads a resource configuration document.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] at the first thing that is wrong.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, DocumentError> {
        let root = parse_root(bytes, limits, ROOT)?;
        let mut fields = root.fields();
        let mut configuration = Self {
            documentation: read_documentation(&mut fields)?,
            session_configuration: read_location(&mut fields, "sessionConfiguration")?,
            activity_configuration: read_location(&mut fields, "activityConfiguration")?,
            data_resources: Vec::new(),
        };
        while let Some(element) = fields.child("dataResource") {
            let resource = read_data_resource(element, &configuration.data_resources)?;
            configuration.data_resources.push(resource);
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
        for documentation in &self.documentation {
            writer.text_element("documentation", documentation);
        }
        for (element, location) in [
            ("sessionConfiguration", &self.session_configuration),
            ("activityConfiguration", &self.activity_configuration),
        ] {
            if let Some(location) = location {
                writer.start(element);
                writer.attribute("location", &location.value);
                writer.end();
            }
        }
        for resource in &self.data_resources {
            writer.start("dataResource");
            writer.optional("name", resource.name.as_ref().map(|name| &name.value));
            writer.attribute("uri", &resource.uri.value);
            match &resource.password {
                Some(PasswordSource::File(file)) => writer.attribute("passwordFile", &file.value),
                Some(PasswordSource::Environment(variable)) => writer.attribute("passwordEnv", &variable.value),
                None => {}
            }
            writer.end();
        }
        writer.end();
        writer.finish()
    }
}

fn read_data_resource(
    element: &Element,
    earlier: &[DataResourceConfiguration],
) -> Result<DataResourceConfiguration, DocumentError> {
    let mut fields = element.fields();
    let names = earlier.iter().filter_map(|resource| Some(&resource.name.as_ref()?.value));
    let name = fields.attribute("name").map(|value| read_unique_name(&value, names)).transpose()?;
    let uri = fields.required_attribute("uri")?;
    let file = fields.attribute("passwordFile").map(|value| value.non_empty()).transpose()?;
    let variable = fields.attribute("passwordEnv").map(|value| value.one_word()).transpose()?;
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
    let password = match (file, variable) {
        (Some(_), Some(variable)) => {
            let message = "the password comes from `passwordFile` or from `passwordEnv`, not from both";
            return Err(contradictory(variable.position, message));
        }
        (Some(file), None) => Some(PasswordSource::File(file)),
        (None, Some(variable)) => Some(PasswordSource::Environment(variable)),
        (None, None) => None,
    };
    Ok(DataResourceConfiguration { name, uri: uri.non_empty()?, password })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(content: &str) -> Result<ResourceConfiguration, DocumentError> {
        let document = format!("<{ROOT} xmlns='{CONFIGURATION_NAMESPACE}'>\n{content}</{ROOT}>");
        ResourceConfiguration::parse(document.as_bytes(), &Limits::default())
    }

    #[test]
    fn a_document_that_was_written_reads_the_same() {
        assert_eq!(parse(""), Ok(ResourceConfiguration::default()));
        let configuration = parse(
            "<documentation>The order book</documentation><sessionConfiguration location='session.xml'/>
             <activityConfiguration location='activities.xml'/><dataResource uri='sqlite:orders.db'/>
             <dataResource name='ledger' uri='postgres://db/ledger?a=b&amp;c=d' passwordEnv='PW'/>
             <dataResource name='old' uri='mysql:x' passwordFile='a b.txt'/>",
        )
        .unwrap();
        assert_eq!(configuration.data_resources[1].uri.position.to_string(), "4:42");
        let written = configuration.to_xml().unwrap();
        assert_eq!(
            ResourceConfiguration::parse(written.as_bytes(), &Limits::default()),
            Ok(configuration),
            "{written}"
        );
    }

    #[test]
    fn what_is_wrong_is_refused_where_it_stands() {
        for (content, at) in [
            ("<dataResource/>", "2:1"),
            ("<dataResource uri=''/>", "2:15"),
            ("<dataResource uri='orders.db'/>", "2:15"),
            ("<dataResource uri='1a:x'/>", "2:15"),
            ("<dataResource uri='a:'/>", "2:15"),
            ("<dataResource uri='a:x&#10;y'/>", "2:15"),
            ("<dataResource uri='a:x' password='secret'/>", "2:25"),
            ("<dataResource uri='a:x'/><dataResource uri='a:y'/>", "2:26"),
            ("<dataResource name='n' uri='a:x'/><dataResource name='n' uri='a:y'/>", "2:49"),
            ("<dataResource uri='a:x' passwordFile='f' passwordEnv='E'/>", "2:42"),
            ("<activityConfiguration location='a'/><sessionConfiguration location='s'/>", "2:38"),
            ("<sessionConfiguration/>", "2:1"),
        ] {
            assert_eq!(parse(content).expect_err(content).position().to_string(), at, "{content}");
        }
    }

    #[test]
    fn a_password_in_the_document_is_not_repeated() {
        let error = parse("<dataResource uri='a:x' password='secret'/>").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
