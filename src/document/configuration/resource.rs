//! The resource configuration document: the data behind one data service resource.

use super::{CONFIGURATION_NAMESPACE, DataResourceConfiguration, parse_root, read_documentation, read_location};
use crate::document::writer::XmlWriter;
use crate::document::{DocumentError, Limits, Located, Unwritable};

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
            let resource = DataResourceConfiguration::read(element, &configuration.data_resources)?;
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
            resource.write(&mut writer);
        }
        writer.end();
        writer.finish()
    }
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
             <dataResource name='old' uri='mysql:x' user='shop' passwordFile='a b.txt'>
               <pool size='4' wait='PT2S' idle='PT1M'/><statement timeout='PT30S'/><tls mode='verify' authority='ca.pem'/>
               <roleMap otherwise='default'>
                 <map principal='ada' user='ada_db' passwordEnv='ADA'/><map role='operator' user='dba'/>
               </roleMap>
             </dataResource>",
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
    fn an_http_service_that_was_written_reads_the_same() {
        let configuration = parse(
            "<dataResource uri='https://api.example.com/v1/'><tls authority='ca.pem'/>
               <origin uri='https://login.example.com'/><origin uri='http://127.0.0.1:8090' private='true'/>
               <credentials><clientCredentials tokenUri='https://login.example.com/token' client='rejoin' passwordFile='s'
                 clientIn='form' scope='a b' margin='0'><parameter name='audience' value=''/></clientCredentials></credentials>
               <credentials origin='http://127.0.0.1:8090'>
                 <refreshToken tokenUri='/t' client='c' tokenFile='r' keep='true'/></credentials>
               <credentials origin='https://a.example'><basic user='u' passwordEnv='P'/></credentials>
               <credentials origin='https://b.example'><bearer tokenEnv='T'/></credentials>
               <connections size='4' wait='PT2S' idle='PT1M'/><timeouts connect='PT1S' read='PT2S' total='PT3S'/>
               <budget requests='10' per='PT1S' burst='20' wait='PT1M'/>
               <properties location='salesforce.pull'/><properties location='more.pull'/>
               <property key='ms.call.interval.millis'> 5000 </property><property key='ms.x'><![CDATA[{\"a\": 1}]]></property>
             </dataResource><dataResource name='bare' uri='http://a.example'/>
             <dataResource name='inbox' uri='file:inbox/'><folder write='true' create='true' fileBytes='5' unfinished='P1D'/></dataResource>",
        )
        .unwrap();
        let web = &configuration.data_resources[0].web;
        assert_eq!((web.origins.len(), web.credentials.len(), web.property_files.len()), (2, 4, 2));
        assert_eq!((&*web.properties[0].value, &*web.properties[1].value), ("5000", "{\"a\": 1}"));
        assert_eq!(configuration.data_resources[1].web, crate::document::WebConfiguration::default());
        let folder = configuration.data_resources[2].folder.as_ref().map(|folder| folder.value);
        assert!(folder.is_some_and(|folder| folder.write && folder.create && folder.file_bytes == Some(5)));
        let written = configuration.to_xml().unwrap();
        assert_eq!(
            ResourceConfiguration::parse(written.as_bytes(), &Limits::default()),
            Ok(configuration),
            "{written}"
        );
    }

    #[test]
    fn what_is_wrong_with_an_http_service_is_refused_where_it_stands() {
        let oauth = "tokenUri='/t' client='c'";
        for (content, at) in [
            ("<folder write='maybe'/>".to_owned(), "2:33"),
            ("<folder fileBytes='0'/>".to_owned(), "2:33"),
            ("<folder/><folder/>".to_owned(), "2:34"),
            ("<origin/>".to_owned(), "2:25"),
            ("<origin uri='a b'/>".to_owned(), "2:33"),
            ("<origin uri='https://a' private='maybe'/>".to_owned(), "2:49"),
            ("<origin uri='https://a'/><tls/>".to_owned(), "2:50"),
            ("<credentials/>".to_owned(), "2:25"),
            ("<credentials><basic user='u'/></credentials>".to_owned(), "2:38"),
            ("<credentials><basic passwordFile='f'/></credentials>".to_owned(), "2:38"),
            ("<credentials><bearer tokenFile='f' tokenEnv='E'/></credentials>".to_owned(), "2:60"),
            ("<credentials><bearer tokenFile='f'/><bearer tokenFile='f'/></credentials>".to_owned(), "2:61"),
            (format!("<credentials><clientCredentials {oauth}/></credentials>"), "2:38"),
            (format!("<credentials><clientCredentials {oauth} passwordEnv='P' keep='1'/></credentials>"), "2:98"),
            (format!("<credentials><refreshToken {oauth}/></credentials>"), "2:38"),
            (format!("<credentials><refreshToken {oauth} tokenEnv='T' keep='true'/></credentials>"), "2:90"),
            ("<connections size='0'/>".to_owned(), "2:38"),
            ("<budget requests='1'/>".to_owned(), "2:25"),
            ("<budget requests='1' per='PT0S'/>".to_owned(), "2:46"),
            ("<property>x</property>".to_owned(), "2:25"),
            ("<property key='a'/><property key='a'/>".to_owned(), "2:54"),
            ("<property key='a'><b/></property>".to_owned(), "2:43"),
        ] {
            let document = format!("<dataResource uri='a:x'>{content}</dataResource>");
            assert_eq!(parse(&document).expect_err(&content).position().to_string(), at, "{content}");
        }
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
            ("<dataResource uri='a:x'><pool size='0'/></dataResource>", "2:31"),
            ("<dataResource uri='a:x'><tls mode='maybe'/></dataResource>", "2:30"),
            ("<dataResource uri='a:x'><tls mode='off' authority='f'/></dataResource>", "2:41"),
            ("<dataResource uri='a:x'><roleMap/></dataResource>", "2:25"),
            ("<dataResource uri='a:x'><roleMap><map user='u'/></roleMap></dataResource>", "2:34"),
            (
                "<dataResource uri='a:x'><roleMap><map role='user' principal='p' user='u'/></roleMap></dataResource>",
                "2:51",
            ),
            ("<dataResource uri='a:x'><roleMap><map role='king' user='u'/></roleMap></dataResource>", "2:39"),
            ("<dataResource uri='a:x'><roleMap><map role='user'/></roleMap></dataResource>", "2:34"),
            ("<dataResource uri='a:x'><statement timeout='0'/></dataResource>", "2:36"),
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
