//! The error element of a response: why an activity or a request failed.

use crate::document::{DocumentError, Element, Fields, Position, TYPES_NAMESPACE};

/// `<error code kind><message>…</message><location line column/></error>`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseError {
    /// What happened, for programs: a name such as `SqlError`.
    pub code: String,
    /// Whose fault it is.
    pub kind: ErrorKind,
    /// What happened, for people. Of an error of the service, a reference and no detail.
    pub message: String,
    /// The place in the perform document, if it is there that something is wrong.
    pub location: Option<Position>,
}

/// Who has to do something about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The client: the request can't succeed as it is.
    Client,
    /// Whoever gives rights: the client may not do this.
    Authorization,
    /// The operator of the service.
    Server,
}

const KINDS: [(&str, ErrorKind); 3] =
    [("client", ErrorKind::Client), ("authorization", ErrorKind::Authorization), ("server", ErrorKind::Server)];

impl ErrorKind {
    /// The word that stands for it in a document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Authorization => "authorization",
            Self::Server => "server",
        }
    }
}

impl ResponseError {
    pub(in crate::document) fn read(element: &Element) -> Result<Self, DocumentError> {
        let mut fields = element.fields();
        let code = fields.required_attribute("code")?.name()?.to_owned();
        let kind = fields.required_attribute("kind")?.choice(&KINDS)?;
        let (message, location) = read_message(&mut fields)?;
        fields.finish()?;
        Ok(Self { code, kind, message, location })
    }

    pub(in crate::document) fn to_element(&self) -> Element {
        let element = Element::new("error", Some(TYPES_NAMESPACE))
            .with_attribute("code", &self.code)
            .with_attribute("kind", self.kind.as_str());
        with_message(element, &self.message, self.location)
    }
}

/// `<message>…</message><location line column/>`, the location optional: the content of an error and of a fault.
pub(in crate::document) fn read_message(fields: &mut Fields<'_>) -> Result<(String, Option<Position>), DocumentError> {
    let message = fields.required_child("message")?;
    message.fields().finish_attributes()?;
    let message = message.text()?.into_owned();
    let Some(location) = fields.child("location") else { return Ok((message, None)) };
    let mut fields = location.fields();
    let line = fields.required_attribute("line")?.integer(1..=u32::MAX)?;
    let column = fields.required_attribute("column")?.integer(1..=u32::MAX)?;
    fields.finish()?;
    Ok((message, Some(Position { line, column })))
}

/// The element with a message and a location in it.
pub(in crate::document) fn with_message(element: Element, message: &str, location: Option<Position>) -> Element {
    let element = element.with_child(Element::new("message", Some(TYPES_NAMESPACE)).with_text(message));
    match location {
        None => element,
        Some(Position { line, column }) => {
            let location = Element::new("location", Some(TYPES_NAMESPACE));
            element.with_child(location.with_attribute("line", line).with_attribute("column", column))
        }
    }
}
