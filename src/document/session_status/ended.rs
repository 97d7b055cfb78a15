//! The answer to ending several sessions.

use super::reader::count;
use crate::document::writer::XmlWriter;
use crate::document::{DocumentError, Element, Limits, TYPES_NAMESPACE, root};

const ROOT: &str = "ended";

/// How many sessions were ended: `<ended closed closing/>`.
///
/// ```
/// use rejoin::document::{EndedSessions, Limits};
///
/// let ended = EndedSessions { closed: 3, closing: 1 };
/// assert_eq!(EndedSessions::parse(ended.to_xml().as_bytes(), &Limits::default()), Ok(ended));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EndedSessions {
    /// Those that are over.
    pub closed: u64,
    /// Those that a request holds still: it was told to stop.
    pub closing: u64,
}

impl EndedSessions {
    /// Reads the document.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] at the first thing that is wrong.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, DocumentError> {
        let element = Element::parse(bytes, limits)?;
        root::check(&element, ROOT, TYPES_NAMESPACE)?;
        let mut fields = element.fields();
        let ended = Self { closed: count(&mut fields, "closed")?, closing: count(&mut fields, "closing")? };
        fields.finish()?;
        Ok(ended)
    }

    /// Writes the document.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut writer = XmlWriter::new();
        writer.root(ROOT, TYPES_NAMESPACE);
        writer.attribute("closed", self.closed);
        writer.attribute("closing", self.closing);
        writer.end();
        writer.finish_lossy()
    }
}
