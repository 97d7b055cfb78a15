//! The activity configuration document: which activities a data service resource offers.

use super::{CONFIGURATION_NAMESPACE, parse_root, read_documentation, read_location, read_unique_name};
use crate::document::writer::XmlWriter;
use crate::document::{DocumentError, Element, Limits, Located, Position, Unwritable};

/// What an activity configuration document says. The form is that of OGSA-DAI 2.2.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ActivityConfiguration {
    /// The texts of the `documentation` elements.
    pub documentation: Vec<String>,
    /// `<basePerformDocumentSchema location>`: kept, and of no effect here.
    pub base_schema: Option<Located<String>>,
    /// `activityMap/@schemaBase`: kept, and of no effect here.
    pub schema_base: Option<Located<String>>,
    /// `activityMap/@configBase`: what the `config` of an activity is relative to.
    pub config_base: Option<Located<String>>,
    /// The activities: no other may be used.
    pub activities: Vec<ConfiguredActivity>,
}

/// `<activity name implementation schema config>`
#[derive(Debug, Clone)]
pub struct ConfiguredActivity {
    /// The name of its element in a perform document, unique in the map.
    pub name: Located<String>,
    /// The implementation, where it is not the one of that name.
    pub implementation: Option<Located<String>>,
    /// The XML Schema of its element: kept, and of no effect here.
    pub schema: Option<Located<String>>,
    /// A file with its configuration.
    pub config: Option<Located<String>>,
    /// `<property key value/>`: its settings, with unique keys.
    pub properties: Vec<Property>,
    /// Where the element stands.
    pub position: Position,
}

/// `<property key value/>`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// What is set.
    pub key: Located<String>,
    /// What it is set to.
    pub value: Located<String>,
}

/// Where the element stands doesn't count.
impl PartialEq for ConfiguredActivity {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.implementation, &self.schema, &self.config, &self.properties)
            == (&other.name, &other.implementation, &other.schema, &other.config, &other.properties)
    }
}

const ROOT: &str = "activityConfiguration";

impl ActivityConfiguration {
    /// Reads an activity configuration document.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] at the first thing that is wrong.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, DocumentError> {
        let root = parse_root(bytes, limits, ROOT)?;
        let mut fields = root.fields();
        let documentation = read_documentation(&mut fields)?;
        let base_schema = read_location(&mut fields, "basePerformDocumentSchema")?;
        let map = fields.required_child("activityMap")?;
        fields.finish()?;

        let mut fields = map.fields();
        let schema_base = fields.attribute("schemaBase").map(|value| value.non_empty()).transpose()?;
        let config_base = fields.attribute("configBase").map(|value| value.non_empty()).transpose()?;
        let mut activities = Vec::new();
        while let Some(element) = fields.child("activity") {
            let activity = read_activity(element, &activities)?;
            activities.push(activity);
        }
        fields.finish()?;
        Ok(Self { documentation, base_schema, schema_base, config_base, activities })
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
        if let Some(location) = &self.base_schema {
            writer.start("basePerformDocumentSchema");
            writer.attribute("location", &location.value);
            writer.end();
        }
        writer.start("activityMap");
        writer.optional("schemaBase", self.schema_base.as_ref().map(|base| &base.value));
        writer.optional("configBase", self.config_base.as_ref().map(|base| &base.value));
        for activity in &self.activities {
            write_activity(activity, &mut writer);
        }
        writer.end();
        writer.end();
        writer.finish()
    }
}

fn read_activity(element: &Element, earlier: &[ConfiguredActivity]) -> Result<ConfiguredActivity, DocumentError> {
    let mut fields = element.fields();
    let name = read_unique_name(&fields.required_attribute("name")?, earlier.iter().map(|other| &other.name.value))?;
    let implementation = fields.attribute("implementation").map(|value| value.one_word()).transpose()?;
    let schema = fields.attribute("schema").map(|value| value.non_empty()).transpose()?;
    let config = fields.attribute("config").map(|value| value.non_empty()).transpose()?;
    let mut properties: Vec<Property> = Vec::new();
    while let Some(element) = fields.child("property") {
        let property = read_property(element)?;
        if properties.iter().any(|earlier| earlier.key == property.key) {
            let message = format!("the property `{}` is given twice", property.key.value);
            return Err(DocumentError::invalid(property.key.position, message));
        }
        properties.push(property);
    }
    fields.finish()?;
    Ok(ConfiguredActivity { name, implementation, schema, config, properties, position: element.position() })
}

fn read_property(element: &Element) -> Result<Property, DocumentError> {
    let mut fields = element.fields();
    let key = fields.required_attribute("key")?.one_word()?;
    let value = fields.required_attribute("value")?;
    fields.finish()?;
    Ok(Property { key, value: Located::new(value.as_str().into(), value.position()) })
}

fn write_activity(activity: &ConfiguredActivity, writer: &mut XmlWriter) {
    writer.start("activity");
    writer.attribute("name", &activity.name.value);
    writer.optional("implementation", activity.implementation.as_ref().map(|name| &name.value));
    writer.optional("schema", activity.schema.as_ref().map(|schema| &schema.value));
    writer.optional("config", activity.config.as_ref().map(|config| &config.value));
    for property in &activity.properties {
        writer.start("property");
        writer.attribute("key", &property.key.value);
        writer.attribute("value", &property.value.value);
        writer.end();
    }
    writer.end();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(content: &str) -> Result<ActivityConfiguration, DocumentError> {
        let document = format!("<{ROOT} xmlns='{CONFIGURATION_NAMESPACE}'>\n{content}</{ROOT}>");
        ActivityConfiguration::parse(document.as_bytes(), &Limits::default())
    }

    #[test]
    fn the_form_of_ogsa_dai_is_read_and_written() {
        let configuration = parse(
            "<documentation>Demo set</documentation><basePerformDocumentSchema location='http://h/perform.xsd'/>
             <activityMap schemaBase='http://h/s/' configBase='http://h/c/'>
             <activity name='sqlQueryStatement' implementation='uk.org.ogsadai.X' schema='q.xsd' config='q.xml'>
             <property key='maxRows' value='500'/><property key='empty' value=''/></activity><activity name='echo'/>
             </activityMap>",
        )
        .unwrap();
        assert_eq!(configuration.activities[0].properties[0].value.position.to_string(), "5:38");
        let written = configuration.to_xml().unwrap();
        assert_eq!(
            ActivityConfiguration::parse(written.as_bytes(), &Limits::default()),
            Ok(configuration),
            "{written}"
        );
        assert_eq!(parse("<activityMap/>"), Ok(ActivityConfiguration::default()));
    }

    #[test]
    fn what_is_wrong_is_refused_where_it_stands() {
        for (content, at) in [
            ("", "1:1"),
            ("<activityMap><activity/></activityMap>", "2:14"),
            ("<activityMap><activity name='a b'/></activityMap>", "2:24"),
            ("<activityMap><activity name='a'/><activity name='a'/></activityMap>", "2:44"),
            ("<activityMap><activity name='a'><property key='k'/></activity></activityMap>", "2:33"),
            ("<activityMap><activity name='a'><property key='' value=''/></activity></activityMap>", "2:43"),
            (
                "<activityMap><activity name='a'><property key='k' value='1'/><property key='k' value='2'/></activity></activityMap>",
                "2:72",
            ),
            ("<activityMap/><activityMap/>", "2:15"),
            ("<activityMap/><documentation/>", "2:15"),
        ] {
            assert_eq!(parse(content).expect_err(content).position().to_string(), at, "{content}");
        }
    }
}
