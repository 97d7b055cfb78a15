//! Bytes to a perform document, in one pass.

use std::collections::HashSet;

use super::{PerformDocument, SessionElement, Step, TYPES_NAMESPACE, WrittenActivity};
use crate::document::reader::{TreeReader, XmlReader};
use crate::document::{DocumentError, Element, nearest, root};

/// What a child of a perform document may be beside activities.
const KNOWN: [&str; 4] = ["documentation", "session", "sequence", "flow"];

pub(super) struct PerformReader<'a> {
    reader: XmlReader<&'a [u8]>,
    trees: TreeReader,
    /// The names of the activities so far.
    names: HashSet<Box<str>>,
}

impl<'a> PerformReader<'a> {
    pub(super) fn new(reader: XmlReader<&'a [u8]>) -> Self {
        Self { reader, trees: TreeReader::default(), names: HashSet::new() }
    }

    pub(super) fn read(mut self) -> Result<PerformDocument, DocumentError> {
        let perform = self.reader.expect_root()?.to_element();
        root::check(&perform, "perform", TYPES_NAMESPACE)?;
        perform.fields().finish_attributes()?;
        let mut document = PerformDocument { documentation: Vec::new(), session: None, steps: Vec::new() };
        while let Some(child) = self.reader.next_child("perform", TYPES_NAMESPACE)? {
            match child.local_name() {
                "documentation" if document.session.is_none() && document.steps.is_empty() => {
                    let element = self.trees.read_content(child, &mut self.reader)?;
                    element.fields().finish_attributes()?;
                    document.documentation.push(element.text()?.into_owned());
                }
                "session" if document.session.is_none() && document.steps.is_empty() => {
                    let element = self.trees.read_content(child, &mut self.reader)?;
                    document.session = Some(SessionElement::read(&element)?);
                }
                "documentation" | "session" => return Err(misplaced(&child)),
                _ => document.steps.push(self.read_step(child)?),
            }
        }
        self.reader.expect_end()?;
        Ok(document)
    }

    fn read_step(&mut self, head: Element) -> Result<Step, DocumentError> {
        match head.local_name() {
            "sequence" => Ok(Step::Sequence(self.read_group(&head)?)),
            "flow" => Ok(Step::Flow(self.read_group(&head)?)),
            _ => Ok(Step::Activity(self.read_activity(head)?)),
        }
    }

    /// The steps of a sequence or a flow. It goes as deep as the limits let elements stand in each other.
    fn read_group(&mut self, head: &Element) -> Result<Vec<Step>, DocumentError> {
        head.fields().finish_attributes()?;
        let mut steps = Vec::new();
        while let Some(child) = self.reader.next_child(head.local_name(), TYPES_NAMESPACE)? {
            if matches!(child.local_name(), "documentation" | "session") {
                return Err(misplaced(&child));
            }
            steps.push(self.read_step(child)?);
        }
        Ok(steps)
    }

    fn read_activity(&mut self, head: Element) -> Result<WrittenActivity, DocumentError> {
        let Some(value) = head.attribute_value("name") else { return Err(nameless(&head)) };
        let name: Box<str> = value.name()?.into();
        if !self.names.insert(name.clone()) {
            return Err(value.error(format!("the name `{name}` is given twice: the names of activities are unique")));
        }
        let element = self.trees.read_content(head, &mut self.reader)?;
        Ok(WrittenActivity { name, element })
    }
}

/// An element that is taken for an activity and has no name; more likely than not it is misspelt.
fn nameless(element: &Element) -> DocumentError {
    let name = element.local_name();
    let message = match nearest(name, KNOWN) {
        Some(known) => format!("unknown element `{name}`; did you mean `{known}`?"),
        None => format!("`{name}` needs the attribute `name`: every activity has one, unique in the document"),
    };
    DocumentError::invalid(element.position(), message)
}

fn misplaced(child: &Element) -> DocumentError {
    let message = format!(
        "the element `{}` stands at the wrong place, or once too often: `perform` holds `documentation`, one `session`, \
         then activities, `sequence` and `flow`",
        child.local_name()
    );
    DocumentError::invalid(child.position(), message)
}
