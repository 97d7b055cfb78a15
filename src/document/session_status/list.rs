//! A page of a list of sessions.

use super::{SessionStatusDocument, reader, writer};
use crate::document::writer::XmlWriter;
use crate::document::{DocumentError, Element, Limits, TYPES_NAMESPACE, root};

const ROOT: &str = "sessions";

/// Some sessions, in the order in which they were created, without lists of their attributes: `<sessions count next>`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionList {
    /// After which handle the next page begins (`?after=`); `None` when there is nothing more.
    pub next: Option<String>,
    /// The sessions of this page.
    pub sessions: Vec<SessionStatusDocument>,
}

impl SessionList {
    /// Reads a list of sessions.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] at the first thing that is wrong.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, DocumentError> {
        let element = Element::parse(bytes, limits)?;
        root::check(&element, ROOT, TYPES_NAMESPACE)?;
        let mut fields = element.fields();
        let promised = fields.required_attribute("count")?;
        let count = promised.integer(0..=u64::MAX)?;
        let next = fields.attribute("next").map(|value| value.one_word()).transpose()?.map(|word| word.value);
        let children = fields.children("sessionStatus");
        let sessions: Vec<_> = children.into_iter().map(reader::read).collect::<Result<_, _>>()?;
        fields.finish()?;
        if count != sessions.len() as u64 {
            return Err(
                promised.error(format!("contradictory: {count} sessions are announced, {} follow", sessions.len()))
            );
        }
        Ok(Self { next, sessions })
    }

    /// Writes the list. A character that XML has no way to write becomes U+FFFD.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut writer = XmlWriter::new();
        writer.root(ROOT, TYPES_NAMESPACE);
        writer.attribute("count", self.sessions.len());
        writer.optional("next", self.next.as_deref());
        for session in &self.sessions {
            writer.start(super::ROOT);
            writer::content(&mut writer, session);
            writer.end();
        }
        writer.end();
        writer.finish_lossy()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{busy, idle};
    use super::*;

    #[test]
    fn a_list_is_read_as_it_was_written() {
        for list in [SessionList::default(), SessionList { next: Some("0193".into()), sessions: vec![idle(), busy()] }]
        {
            assert_eq!(SessionList::parse(list.to_xml().as_bytes(), &Limits::default()), Ok(list));
        }
    }

    #[test]
    fn a_list_that_lacks_a_session_is_refused() {
        let list = SessionList { next: None, sessions: vec![idle()] };
        let short = list.to_xml().replacen("count=\"1\"", "count=\"2\"", 1);
        let error = SessionList::parse(short.as_bytes(), &Limits::default()).unwrap_err();
        assert!(error.to_string().ends_with("contradictory: 2 sessions are announced, 1 follow"), "{error}");
    }
}
