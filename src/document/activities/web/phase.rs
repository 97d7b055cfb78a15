//! A request of several: what it asks for, and what its answer tells the requests after it.

use crate::document::activities::ElementWriter;
use crate::document::activities::shape::{AttributeShape, ChildShape, ValueShape};
use crate::document::{DocumentError, Element, Fields, Located};

/// A property of an ingestion, such as `ms.source.uri`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngestProperty {
    /// Its name.
    pub key: String,
    /// Its value, in the form that the name wants.
    pub value: String,
}

/// A request of several: properties, and what its answer tells the requests after it.
///
/// ```
/// use rejoin::document::activities::HttpPhase;
///
/// let create = HttpPhase::new("jobs").property("ms.http.request.method", "POST").variable("id", "job.id");
/// assert_eq!((create.properties.len(), create.variables.len()), (2, 1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HttpPhase {
    /// What is asked for and what answers mean; each stands over the one of the resource with its name.
    pub properties: Vec<Located<IngestProperty>>,
    /// What the answer tells; only of phases that have others after them.
    pub variables: Vec<HttpVariable>,
}

/// What an answer tells: a name for templates, and where its value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpVariable {
    /// The name.
    pub name: String,
    /// Where the value is.
    pub source: VariableSource,
    /// A regular expression, whose first group is the value, or all that it matches.
    pub pattern: Option<Located<String>>,
}

/// Where a value is in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableSource {
    /// At that path of its JSON, such as `job.id`.
    Path(Located<String>),
    /// In that header.
    Header(Located<String>),
}

pub(super) const PROPERTY: ChildShape = ChildShape::text(
    "property",
    ValueShape::Text,
    "a property and its value; it stands over the one of the resource with the same name",
)
.any_number()
.attributes(&[AttributeShape::new("key", ValueShape::Word, "").required()]);

pub(super) const VARIABLE: ChildShape =
    ChildShape::new("variable", "a name for templates, and where its value is in the answer").any_number().attributes(
        &[
            AttributeShape::new("name", ValueShape::Word, "").required(),
            AttributeShape::new("path", ValueShape::Word, "where it is in the JSON of the answer, such as `job.id`"),
            AttributeShape::new("header", ValueShape::Word, "or in which header"),
            AttributeShape::new(
                "match",
                ValueShape::Text,
                "a regular expression: its first group is the value, or all that it matches",
            ),
        ],
    );

impl HttpPhase {
    /// A request to that address (`ms.source.uri`).
    #[must_use]
    pub fn new(uri: impl Into<String>) -> Self {
        Self::default().property("ms.source.uri", uri)
    }

    /// The request with a property more.
    #[must_use]
    pub fn property(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.push(IngestProperty { key: key.into(), value: value.into() }.into());
        self
    }

    /// The request with a variable more, at a path of the JSON of its answer.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, path: impl Into<String>) -> Self {
        let source = VariableSource::Path(path.into().into());
        self.variables.push(HttpVariable { name: name.into(), source, pattern: None });
        self
    }

    /// Reads what is left of an element: properties and, of a phase that `tells` others something, variables.
    pub(super) fn read(mut fields: Fields<'_>, tells: bool) -> Result<Self, DocumentError> {
        let properties = IngestProperty::read_all(&mut fields)?;
        let variables = if tells { HttpVariable::read_all(&mut fields)? } else { Vec::new() };
        fields.finish()?;
        Ok(Self { properties, variables })
    }

    pub(super) fn write(&self, into: &mut ElementWriter) {
        IngestProperty::write_all(&self.properties, into);
        for variable in &self.variables {
            into.child("variable", |element| variable.write(element));
        }
    }
}

impl IngestProperty {
    pub(super) fn read_all(fields: &mut Fields<'_>) -> Result<Vec<Located<Self>>, DocumentError> {
        fields.children("property").into_iter().map(Self::read).collect()
    }

    fn read(element: &Element) -> Result<Located<Self>, DocumentError> {
        let mut fields = element.fields();
        let key = fields.required_attribute("key")?.one_word()?.value;
        fields.finish_attributes()?;
        let value = element.text()?.trim().to_owned();
        Ok(Located::new(Self { key, value }, element.position()))
    }

    pub(super) fn write_all(properties: &[Located<Self>], into: &mut ElementWriter) {
        for Located { value: property, .. } in properties {
            into.child("property", |element| {
                element.attribute("key", &property.key);
                element.text(&property.value);
            });
        }
    }
}

impl HttpVariable {
    /// Reads the `variable` children that come next.
    pub(crate) fn read_all(fields: &mut Fields<'_>) -> Result<Vec<Self>, DocumentError> {
        let mut variables: Vec<Self> = Vec::new();
        for element in fields.children("variable") {
            let variable = Self::read(element)?;
            if variables.iter().any(|other| other.name == variable.name) {
                let message = format!("contradictory names: there is another variable `{}`", variable.name);
                return Err(DocumentError::invalid(element.position(), message));
            }
            variables.push(variable);
        }
        Ok(variables)
    }

    fn read(element: &Element) -> Result<Self, DocumentError> {
        let mut fields = element.fields();
        let written = fields.required_attribute("name")?;
        let name = written.one_word()?.value;
        let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_.$-".contains(&byte);
        if !name.bytes().all(is_of_name) {
            return Err(written.error("expected a name of letters, digits, `_`, `.`, `$` and `-`"));
        }
        let (path, header) = (fields.attribute("path"), fields.attribute("header"));
        let pattern = fields.attribute("match");
        let pattern = pattern.map(|pattern| Located::new(pattern.as_str().to_owned(), pattern.position()));
        fields.finish()?;
        let source = match (path, header) {
            (Some(path), None) => VariableSource::Path(path.one_word()?),
            (None, Some(header)) => VariableSource::Header(header.one_word()?),
            _ => {
                let message =
                    "contradictory `variable`: expected `path` (into the JSON of the answer) or `header`, and not both";
                return Err(DocumentError::invalid(element.position(), message));
            }
        };
        Ok(Self { name, source, pattern })
    }

    fn write(&self, into: &mut ElementWriter) {
        into.attribute("name", &self.name);
        match &self.source {
            VariableSource::Path(path) => into.attribute("path", &path.value),
            VariableSource::Header(header) => into.attribute("header", &header.value),
        }
        into.optional("match", self.pattern.as_ref().map(|pattern| &pattern.value));
    }
}
