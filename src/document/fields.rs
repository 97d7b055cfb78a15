use super::nearest::suggestion;
use super::{DocumentError, Element, Node, Value};

/// `xsi:schemaLocation` may stand on any element: what XML Schema says of it.
const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Reads an element field by field: attributes by name, children in the order of the schema. What was asked for is what is
/// allowed: [`Fields::finish`] refuses everything else and names the nearest field that the reader knows.
///
/// Children have to be in the namespace of their parent. An error about a child that is not expected is held back to
/// `finish`, except where a required one is missing. An element of which no child was asked for has to be empty.
///
/// ```
/// use rejoin::document::{Element, Limits};
///
/// let element = Element::parse(br#"<toFile overwrite="true"><path>out.csv</path></toFile>"#, &Limits::default())?;
/// let mut fields = element.fields();
/// let overwrite = fields.attribute("overwrite").map(|value| value.boolean()).transpose()?;
/// let path = fields.required_child("path")?.text()?;
/// fields.finish()?;
/// assert_eq!((overwrite, &*path), (Some(true), "out.csv"));
/// # Ok::<(), rejoin::document::DocumentError>(())
/// ```
#[derive(Debug)]
#[must_use = "finish() refuses what was not asked for"]
pub struct Fields<'a> {
    element: &'a Element,
    /// One bit for each attribute that was asked for: a start tag holds 64 at the most.
    taken: u64,
    /// The index of the next child that was not asked for yet.
    next: usize,
    attribute_names: Vec<&'static str>,
    child_names: Vec<&'static str>,
    /// Whether a child was asked for, be it there or not.
    holds_elements: bool,
}

impl<'a> Fields<'a> {
    pub(super) fn of(element: &'a Element) -> Self {
        Self { element, taken: 0, next: 0, attribute_names: Vec::new(), child_names: Vec::new(), holds_elements: false }
    }

    /// The element that is read.
    #[must_use]
    pub fn element(&self) -> &'a Element {
        self.element
    }

    /// The value of an attribute, if it is there.
    pub fn attribute(&mut self, name: &'static str) -> Option<Value<'a>> {
        self.attribute_names.push(name);
        let index = self
            .element
            .attributes
            .iter()
            .position(|attribute| attribute.name.namespace.is_none() && attribute.name.local == name)?;
        self.taken |= 1 << (index & 63);
        Some(Value::of_attribute(self.element.local_name(), &self.element.attributes[index]))
    }

    /// The value of an attribute that has to be there.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] at the element when it is missing; if an attribute of a name like it is there, at that one.
    pub fn required_attribute(&mut self, name: &'static str) -> Result<Value<'a>, DocumentError> {
        if let Some(value) = self.attribute(name) {
            return Ok(value);
        }
        self.refuse_misspelt_attribute(name)?;
        Err(DocumentError::invalid(
            self.element.position,
            format!("`{}` needs the attribute `{name}`", self.element.local_name()),
        ))
    }

    /// Takes all attributes that are in no namespace, whatever they are: for an element that is read again by somebody else.
    pub fn any_attributes(&mut self) {
        for (index, attribute) in self.element.attributes.iter().enumerate() {
            if attribute.name.namespace.is_none() {
                self.taken |= 1 << (index & 63);
            }
        }
    }

    /// The next child, if it has that name.
    pub fn child(&mut self, name: &'static str) -> Option<&'a Element> {
        self.child_names.push(name);
        self.holds_elements = true;
        let (index, child) = self.peek()?;
        if child.local_name() != name || child.name.namespace != self.element.name.namespace {
            return None;
        }
        self.next = index + 1;
        Some(child)
    }

    /// The next child, which has to have that name.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] at the child that stands there instead, or at the element when there is none.
    pub fn required_child(&mut self, name: &'static str) -> Result<&'a Element, DocumentError> {
        match self.child(name) {
            Some(child) => Ok(child),
            None => Err(self.missing(&[name])),
        }
    }

    /// The next children of that name, as many as there are.
    pub fn children(&mut self, name: &'static str) -> Vec<&'a Element> {
        std::iter::from_fn(|| self.child(name)).collect()
    }

    /// The next child, if it has one of those names.
    pub fn child_of(&mut self, names: &'static [&'static str]) -> Option<&'a Element> {
        names.iter().find_map(|name| self.child(name))
    }

    /// The next child, which has to have one of those names.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] at the child that stands there instead, or at the element when there is none.
    pub fn one_of(&mut self, names: &'static [&'static str]) -> Result<&'a Element, DocumentError> {
        match self.child_of(names) {
            Some(child) => Ok(child),
            None => Err(self.missing(names)),
        }
    }

    /// The next child, whatever it is: for content that is open to extension.
    pub fn any_child(&mut self) -> Option<&'a Element> {
        self.holds_elements = true;
        let (index, child) = self.peek()?;
        self.next = index + 1;
        Some(child)
    }

    /// Ends the reading.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] at the first attribute, child or text that nobody asked for.
    pub fn finish(self) -> Result<(), DocumentError> {
        self.finish_attributes()?;
        if let Some((_, child)) = self.peek() {
            return Err(self.unexpected(child, &self.child_names));
        }
        for node in &self.element.children {
            let Node::Text(text) = node else { continue };
            let name = self.element.local_name();
            if !text.is_blank() {
                return Err(DocumentError::invalid(text.position, format!("unexpected text in `{name}`")));
            }
            // As XML Schema has it: white space is nothing between elements, and something where there can't be any.
            if !self.holds_elements {
                let message = format!("`{name}` has to be empty: not even white space may stand in it");
                return Err(DocumentError::invalid(text.position, message));
            }
        }
        Ok(())
    }

    /// Ends the reading of an element that may hold text: only attributes are looked at.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] at the first attribute that nobody asked for.
    pub fn finish_attributes(&self) -> Result<(), DocumentError> {
        for (index, attribute) in self.element.attributes.iter().enumerate() {
            if self.taken & (1 << (index & 63)) != 0 {
                continue;
            }
            if attribute.name.namespace.as_deref() == Some(SCHEMA_INSTANCE)
                && matches!(&*attribute.name.local, "schemaLocation" | "noNamespaceSchemaLocation")
            {
                continue;
            }
            return Err(DocumentError::invalid(
                attribute.position,
                format!(
                    "unknown attribute `{}` on `{}`{}",
                    attribute.name.local,
                    self.element.local_name(),
                    suggestion(&attribute.name.local, &self.attribute_names)
                ),
            ));
        }
        Ok(())
    }

    fn peek(&self) -> Option<(usize, &'a Element)> {
        self.element.children.iter().enumerate().skip(self.next).find_map(|(index, node)| match node {
            Node::Element(child) => Some((index, child)),
            Node::Text(_) => None,
        })
    }

    fn refuse_misspelt_attribute(&self, name: &'static str) -> Result<(), DocumentError> {
        for attribute in &self.element.attributes {
            if attribute.name.namespace.is_none() && super::nearest(&attribute.name.local, [name]).is_some() {
                return Err(DocumentError::invalid(
                    attribute.position,
                    format!(
                        "unknown attribute `{}` on `{}`; did you mean `{name}`?",
                        attribute.name.local,
                        self.element.local_name()
                    ),
                ));
            }
        }
        Ok(())
    }

    fn missing(&self, names: &[&'static str]) -> DocumentError {
        match self.peek() {
            Some((_, child)) => self.unexpected(child, names),
            None => DocumentError::invalid(
                self.element.position,
                format!("`{}` is not complete{}", self.element.local_name(), suggestion("", names)),
            ),
        }
    }

    fn unexpected(&self, child: &Element, expected: &[&'static str]) -> DocumentError {
        let parent = self.element.local_name();
        let name = child.local_name();
        let message = if child.name.namespace != self.element.name.namespace {
            match child.name.namespace() {
                Some(namespace) => format!("unexpected element `{name}` of the namespace `{namespace}` in `{parent}`"),
                None => format!("unexpected element `{name}` without a namespace in `{parent}`"),
            }
        } else if expected.contains(&name) {
            format!("the element `{name}` stands at the wrong place in `{parent}`, or once too often")
        } else {
            format!("unexpected element `{name}` in `{parent}`{}", suggestion(name, expected))
        };
        DocumentError::invalid(child.position, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Limits;

    fn parse(document: &str) -> Element {
        Element::parse(document.as_bytes(), &Limits::default()).unwrap()
    }

    fn refused(outcome: Result<(), DocumentError>) -> String {
        outcome.unwrap_err().to_string()
    }

    #[test]
    fn what_was_not_asked_for_is_refused_where_it_stands() {
        let element = parse("<a x='1' y='2'><b/><c/></a>");
        let mut fields = element.fields();
        assert_eq!(fields.attribute("x").unwrap().as_str(), "1");
        assert_eq!(refused(fields.finish()), "1:10: unknown attribute `y` on `a`; expected `x`");
        let mut fields = element.fields();
        assert!(fields.attribute("x").is_some() && fields.attribute("y").is_some() && fields.child("b").is_some());
        assert_eq!(refused(fields.finish()), "1:20: unexpected element `c` in `a`; expected `b`");
    }

    #[test]
    fn the_nearest_name_is_said() {
        let element = parse("<a nmae='1'><expresion/></a>");
        let mut fields = element.fields();
        let error = fields.required_attribute("name").unwrap_err();
        assert_eq!(error.to_string(), "1:4: unknown attribute `nmae` on `a`; did you mean `name`?");
        let error = fields.required_child("expression").unwrap_err();
        assert_eq!(error.to_string(), "1:13: unexpected element `expresion` in `a`; did you mean `expression`?");
    }

    #[test]
    fn children_come_in_order_and_in_the_namespace_of_their_parent() {
        let element = parse("<a xmlns='urn:a'><c/><b/><b/><b xmlns='urn:b'/></a>");
        let mut fields = element.fields();
        assert!(fields.child("b").is_none());
        assert!(fields.child("c").is_some());
        assert_eq!(fields.children("b").len(), 2);
        let error = refused(fields.finish());
        assert_eq!(error, "1:30: unexpected element `b` of the namespace `urn:b` in `a`");
        let mut fields = element.fields();
        assert!(fields.child("b").is_none() && fields.child("c").is_some() && fields.child("c").is_none());
        assert!(refused(fields.finish()).contains("unexpected element `b` in `a`") || element.elements().count() == 4);
    }

    #[test]
    fn white_space_is_nothing_between_elements_and_something_elsewhere() {
        let element = parse("<a> <b/>\n</a>");
        let mut fields = element.fields();
        assert!(fields.child("b").is_some());
        assert_eq!(fields.finish(), Ok(()));
        let element = parse("<a>\n</a>");
        let mut fields = element.fields();
        assert!(fields.child("b").is_none());
        assert_eq!(fields.finish(), Ok(()));
        assert_eq!(
            refused(element.fields().finish()),
            "1:4: `a` has to be empty: not even white space may stand in it"
        );
        assert_eq!(parse("<a><!-- c --></a>").fields().finish(), Ok(()));
    }

    #[test]
    fn any_attributes_are_those_in_no_namespace() {
        let element = parse("<a x='1' y='2'/>");
        let mut fields = element.fields();
        fields.any_attributes();
        assert_eq!(fields.finish(), Ok(()));
        let element = parse("<a x='1' xmlns:b='urn:b' b:y='2'/>");
        let mut fields = element.fields();
        fields.any_attributes();
        assert!(refused(fields.finish()).starts_with("1:26: unknown attribute `y`"));
    }

    #[test]
    fn a_hint_at_a_schema_may_stand_anywhere() {
        let element = parse("<a xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:schemaLocation='u u.xsd'/>");
        assert_eq!(element.fields().finish(), Ok(()));
        let element = parse("<a xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:type='b'/>");
        assert!(element.fields().finish().is_err());
    }
}
