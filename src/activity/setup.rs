use std::collections::BTreeMap;
use std::sync::Arc;

use super::ports::{Boundary, DeclaredInput, DeclaredOutput, TransactionPart};
use super::{Database, FileFolder, InputPort, OutputPort, PortType, Ports, WebSource};
use crate::block::StreamType;
use crate::document::activities::{FromStream, StreamKind, ToStream, expect_no_content_beside_from};
use crate::document::{DocumentError, Element, Fields, Located, Position, Value, nearest};
use crate::resource::{DataResource, DataResources};

/// The `property` elements of an activity in the activity configuration document.
pub type Properties = BTreeMap<String, String>;

/// What [`Activity::parse`](super::Activity::parse) is given beside its element: declares streams, finds the data resource.
#[derive(Debug)]
pub struct Setup<'a> {
    resources: &'a DataResources,
    properties: &'a Properties,
    ports: Ports,
}

impl<'a> Setup<'a> {
    pub(crate) fn new(resources: &'a DataResources, properties: &'a Properties) -> Self {
        Self { resources, properties, ports: Ports::default() }
    }

    pub(crate) fn into_ports(self) -> Ports {
        self.ports
    }

    /// The configured properties of this activity.
    #[must_use]
    pub fn properties(&self) -> &Properties {
        self.properties
    }

    /// Reads the next child, `<child from="…"/>`, and declares the input that it names.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when another child stands there or its `from` is missing.
    pub fn input(
        &mut self,
        fields: &mut Fields<'_>,
        child: &'static str,
        accepts: StreamType,
    ) -> Result<InputPort, DocumentError> {
        self.input_of(fields.required_child(child)?, accepts)
    }

    /// Declares the input that `<child from="…"/>` names, where the child has been found already.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when `from` is missing or not a name, or when the child holds anything else.
    pub fn input_of(&mut self, child: &Element, accepts: StreamType) -> Result<InputPort, DocumentError> {
        let mut fields = child.fields();
        let from = fields.required_attribute("from")?;
        fields.finish()?;
        self.input_from(&from, accepts)
    }

    /// Declares the input of which `from` is the stream.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when it is not a name.
    pub fn input_from(&mut self, from: &Value<'_>, accepts: StreamType) -> Result<InputPort, DocumentError> {
        let stream = from.name()?;
        self.ports.inputs.push(DeclaredInput { stream: stream.into(), accepts, position: from.position() });
        Ok(InputPort(self.ports.inputs.len() - 1))
    }

    /// Declares an input that has been read.
    pub fn reads<K: StreamKind>(&mut self, stream: &FromStream<K>) -> InputPort {
        let Located { value: name, position } = stream.name().clone();
        self.ports.inputs.push(DeclaredInput { stream: name, accepts: K::TYPE, position });
        InputPort(self.ports.inputs.len() - 1)
    }

    /// Checks an element whose `from` has been read: what comes from a stream is not given in the document as well.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when it holds anything but white space.
    pub fn refuse_content_beside_from(&self, element: &Element) -> Result<(), DocumentError> {
        expect_no_content_beside_from(element)
    }

    /// Reads the next child, `<child name="…"/>`, and declares the output that it names.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when another child stands there or its `name` is missing.
    pub fn output(
        &mut self,
        fields: &mut Fields<'_>,
        child: &'static str,
        stream_type: StreamType,
    ) -> Result<OutputPort, DocumentError> {
        self.output_of(fields.required_child(child)?, PortType::Is(stream_type), None)
    }

    /// Reads `<child name="…"/>` if it is there. An output that is not named is not asked for.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when the child is there without its `name`.
    pub fn optional_output(
        &mut self,
        fields: &mut Fields<'_>,
        child: &'static str,
        stream_type: StreamType,
    ) -> Result<OutputPort, DocumentError> {
        match fields.child(child) {
            Some(child) => self.output_of(child, PortType::Is(stream_type), None),
            None => Ok(OutputPort(None)),
        }
    }

    /// Declares the output that `<child name="…"/>` names, with its media type.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when `name` is missing or not a name, or when the child holds anything else.
    pub fn output_of(
        &mut self,
        child: &Element,
        port_type: PortType,
        content_type: Option<&'static str>,
    ) -> Result<OutputPort, DocumentError> {
        let mut fields = child.fields();
        let name = fields.required_attribute("name")?;
        fields.finish()?;
        let name = Located::new(name.name()?.into(), name.position());
        Ok(self.declare_output(Some(&name), port_type, content_type))
    }

    /// Declares an output that has been read, with its media type where that is more than "text" or "bytes". One that was not
    /// named is not asked for.
    pub fn writes<K: StreamKind>(&mut self, stream: &ToStream<K>, content_type: Option<&'static str>) -> OutputPort {
        self.declare_output(stream.name(), PortType::Is(K::TYPE), content_type)
    }

    /// Declares an output that has been read, and that has the type of an input, which passes through.
    pub fn passes_on<K: StreamKind>(&mut self, input: InputPort, stream: &ToStream<K>) -> OutputPort {
        self.declare_output(stream.name(), PortType::SameAs(input), None)
    }

    fn declare_output(
        &mut self,
        name: Option<&Located<Box<str>>>,
        port_type: PortType,
        content_type: Option<&'static str>,
    ) -> OutputPort {
        let Some(Located { value: stream, position }) = name.cloned() else { return OutputPort::NOWHERE };
        self.ports.outputs.push(DeclaredOutput { stream, port_type, content_type, position, in_session: false });
        OutputPort(Some(self.ports.outputs.len() - 1))
    }

    /// Declares the output that is a stream of the session, by the name of the activity that `element` is. The request is
    /// answered at once, so that a client can read it while the request runs.
    pub fn session_output(&mut self, element: &Element, port_type: PortType) -> OutputPort {
        let name = element.attribute_value("name").map(|name| name.as_str().trim().into()).unwrap_or_default();
        self.ports.outputs.push(DeclaredOutput {
            stream: name,
            port_type,
            content_type: None,
            position: element.position(),
            in_session: true,
        });
        OutputPort(Some(self.ports.outputs.len() - 1))
    }

    /// Declares that the activity takes in the stream of the session that has its name ([`ActivityContext::session_input`]). The
    /// request is answered at once, so that a client can write it while the request runs.
    ///
    /// [`ActivityContext::session_input`]: super::ActivityContext::session_input
    pub fn session_input(&mut self) {
        self.ports.session_input = true;
    }

    /// Declares that the activity works on a database by something that the session holds: a cursor.
    pub fn runs_statements(&mut self) {
        self.ports.part = TransactionPart::Statements;
    }

    /// Declares that the activity begins or ends what the statements of others are part of: a transaction. Then it has to stand
    /// in a `sequence` with every activity of its request that works on a relational data resource.
    pub fn parts_statements(&mut self) {
        self.is_boundary(Boundary::Unknown);
    }

    /// The same, and what it does.
    pub(crate) fn is_boundary(&mut self, boundary: Boundary) {
        self.ports.part = TransactionPart::Boundary(boundary);
    }

    /// Declares that this one changes nothing but the session, by what its element asks for, where others of its kind change
    /// more ([`Activity::EFFECTS`](super::Activity::EFFECTS)).
    pub fn stays_in_session(&mut self) {
        self.ports.stays_in_session = true;
    }

    /// The relational data resource that the element names with `resource`, or else the first one of the data service resource
    /// that is relational.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when there is none of that name, none at all, or when it is not relational.
    pub fn relational(&mut self, fields: &mut Fields<'_>) -> Result<Database, DocumentError> {
        self.relational_of(fields.element(), named_resource(fields)?.as_ref())
    }

    /// [`Setup::relational`], where the attribute has been read.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when there is none of that name, none at all, or when it is not relational.
    pub fn relational_of(
        &mut self,
        element: &Element,
        name: Option<&Located<String>>,
    ) -> Result<Database, DocumentError> {
        self.ports.part = TransactionPart::Statements;
        let suits = |resource: &dyn DataResource| resource.as_relational().is_some();
        let (name, resource) = self.resource_of(element, name, "a relational data resource", suits)?;
        Ok(Database::new(name, resource))
    }

    /// The HTTP service that the element names with `resource`, or else the first one of the data service resource.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when there is none of that name, none at all, or when it is none.
    pub fn web(&mut self, fields: &mut Fields<'_>) -> Result<WebSource, DocumentError> {
        self.web_of(fields.element(), named_resource(fields)?.as_ref())
    }

    /// [`Setup::web`], where the attribute has been read.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when there is none of that name, none at all, or when it is none.
    pub fn web_of(&mut self, element: &Element, name: Option<&Located<String>>) -> Result<WebSource, DocumentError> {
        let suits = |resource: &dyn DataResource| resource.as_web().is_some();
        let (name, resource) = self.resource_of(element, name, "a data resource that is an HTTP service", suits)?;
        Ok(WebSource::new(name, resource))
    }

    /// The folder of that name, or else the first one of the data service resource, to put files into. `position` is where it is
    /// asked for.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when there is none of that name, none at all, when it is none, or when its operator lets nobody put files
    /// there.
    pub fn writable_folder(&mut self, name: Option<&str>, position: Position) -> Result<FileFolder, DocumentError> {
        let refused = |problem: String| DocumentError::invalid(position, problem);
        let mut known = self.resources.iter();
        let (found, resource) = match name {
            Some(name) => known.find(|(known, _)| *known == name).ok_or_else(|| refused(self.unknown(name)))?,
            None => known.find(|(_, resource)| resource.as_files().is_some()).ok_or_else(|| {
                let problem = "files need a folder, and this data service resource has none: its operator would have to add one, \
                               as `<dataResource name=\"inbox\" uri=\"file:inbox/\"><folder write=\"true\"/></dataResource>`";
                refused(problem.to_owned())
            })?,
        };
        let Some(folder) = resource.as_files() else {
            return Err(refused(format!("the data resource `{found}` is no folder (`file:`)")));
        };
        if !folder.settings().is_writable {
            let problem =
                "nothing may be put into the folder: its operator would have to add `<folder write=\"true\"/>`";
            return Err(refused(format!("the data resource `{found}`: {problem}")));
        }
        Ok(FileFolder::new(found, folder))
    }

    /// The data resource that the element names, or else the first one that suits it.
    fn resource_of(
        &self,
        element: &Element,
        name: Option<&Located<String>>,
        what: &str,
        suits: impl Fn(&dyn DataResource) -> bool,
    ) -> Result<(&'a str, &'a Arc<dyn DataResource>), DocumentError> {
        let resources = self.resources;
        let wrong = |position, more: &str| {
            DocumentError::invalid(position, format!("`{}` needs {what}{more}", element.local_name()))
        };
        match name {
            Some(name) => {
                let found = resources.iter().find(|(known, _)| *known == name.value);
                let found = found.ok_or_else(|| self.no_such_resource(name))?;
                if suits(&**found.1) { Ok(found) } else { Err(wrong(name.position, "")) }
            }
            None => resources.iter().find(|(_, resource)| suits(&***resource)).ok_or_else(|| {
                let more = ", and this data service resource has none: add a `dataResource` to its configuration";
                wrong(element.position(), more)
            }),
        }
    }

    fn no_such_resource(&self, name: &Located<String>) -> DocumentError {
        DocumentError::invalid(name.position, self.unknown(&name.value))
    }

    fn unknown(&self, wanted: &str) -> String {
        let hint = nearest(wanted, self.resources.names())
            .filter(|known| !known.is_empty())
            .map(|known| format!("; did you mean `{known}`?"))
            .unwrap_or_default();
        format!("this data service resource has no data resource `{wanted}`{hint}")
    }
}

/// The attribute `resource`.
fn named_resource(fields: &mut Fields<'_>) -> Result<Option<Located<String>>, DocumentError> {
    let name = fields.attribute("resource");
    name.map(|name| Ok(Located::new(name.name()?.to_owned(), name.position()))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Limits;
    use crate::resource::{ResourceRegistry, ResourceSettings};

    fn resources(all: &[(&str, &str)]) -> DataResources {
        let mut resources = DataResources::default();
        for (name, uri) in all {
            resources.add(*name, ResourceRegistry::with_defaults().open(&ResourceSettings::new(*uri, ".")).unwrap());
        }
        resources
    }

    /// The names of the relational resource and of the HTTP service of an element, or what is wrong.
    fn found(resources: &DataResources, element: &str) -> (Result<String, String>, Result<String, String>) {
        let element = Element::parse(element.as_bytes(), &Limits::default()).unwrap();
        let properties = Properties::new();
        let mut setup = Setup::new(resources, &properties);
        let relational = setup.relational(&mut element.fields()).map(|database| database.name().to_owned());
        let web = setup.web(&mut element.fields()).map(|source| source.name().to_owned());
        (relational.map_err(|error| error.to_string()), web.map_err(|error| error.to_string()))
    }

    #[test]
    fn an_activity_that_names_no_data_resource_gets_the_first_of_its_kind() {
        let both = [("api", "http://a.example"), ("orders", "sqlite::memory:"), ("more", "http://b.example")];
        let (relational, web) = found(&resources(&both), "<a/>");
        assert_eq!((relational.unwrap(), web.unwrap()), ("orders".to_owned(), "api".to_owned()));
        let (relational, web) = found(&resources(&both), "<a resource='more'/>");
        assert_eq!(
            (relational.unwrap_err(), web.unwrap()),
            ("1:4: `a` needs a relational data resource".into(), "more".into())
        );
    }

    #[test]
    fn a_folder_has_to_be_there_and_to_be_granted() {
        let all = resources(&[("orders", "sqlite::memory:"), ("inbox", "file:inbox/")]);
        let properties = Properties::new();
        let found = |all: &DataResources, name| {
            let folder = Setup::new(all, &properties).writable_folder(name, Position::START);
            folder.map(|folder| folder.name().to_owned()).map_err(|error| error.to_string())
        };
        assert!(found(&resources(&[]), None).unwrap_err().contains("this data service resource has none"));
        assert!(found(&all, Some("orders")).unwrap_err().contains("`orders` is no folder"));
        assert!(found(&all, Some("inbax")).unwrap_err().contains("did you mean `inbox`?"));
        assert!(found(&all, None).unwrap_err().contains("would have to add `<folder write=\"true\"/>`"));
    }

    #[test]
    fn a_data_resource_that_is_not_there_is_asked_for() {
        let (relational, web) = found(&resources(&[("api", "http://a.example")]), "<a/>");
        assert!(relational.unwrap_err().contains("has none: add a `dataResource`"));
        assert_eq!(web.unwrap(), "api");
        let (_, web) = found(&resources(&[]), "<a/>");
        assert!(web.unwrap_err().starts_with("1:1: `a` needs a data resource that is an HTTP service, and"));
        let (_, web) = found(&resources(&[("api", "http://a.example")]), "<a resource='apj'/>");
        assert!(web.unwrap_err().contains("did you mean `api`?"));
    }
}
