//! Elements with everything in them, from the events of the reader.

use std::io::BufRead;

use super::{PIECE_BYTES, XmlEvent, XmlReader, malformed, too_large};
use crate::document::element::{Element, Node, Text};
use crate::document::{DocumentError, Position, vocabulary};

/// Builds elements. One builder serves a whole document: what it needs on the way is allocated once.
#[derive(Debug)]
pub(in crate::document) struct TreeReader {
    /// The elements that are open, without their children, and how many nodes stood in `nodes` when they were opened.
    open: Vec<(Element, usize)>,
    /// The children of all elements that are open, one after the other.
    nodes: Vec<Node>,
    /// A text whose end was not seen yet, and where it begins.
    text: String,
    text_position: Option<Position>,
}

impl Default for TreeReader {
    fn default() -> Self {
        // As much as an activity needs.
        Self { open: Vec::with_capacity(4), nodes: Vec::with_capacity(8), text: String::new(), text_position: None }
    }
}

impl TreeReader {
    /// Reads from the beginning of a document to the end of its root.
    pub(in crate::document) fn read_root<R: BufRead>(
        &mut self,
        reader: &mut XmlReader<R>,
    ) -> Result<Element, DocumentError> {
        let root = reader.expect_root()?.to_element();
        self.read_content(root, reader)
    }

    /// Reads what an element holds whose start tag was just read, and its end.
    pub(in crate::document) fn read_content<R: BufRead>(
        &mut self,
        element: Element,
        reader: &mut XmlReader<R>,
    ) -> Result<Element, DocumentError> {
        self.open.push((element, 0));
        loop {
            match reader.next()? {
                XmlEvent::Text(_) => self.take_text(reader)?,
                XmlEvent::Start(tag) => {
                    self.end_text();
                    self.open.push((tag.to_element(), self.nodes.len()));
                }
                XmlEvent::End => {
                    self.end_text();
                    if let Some((mut element, first)) = self.open.pop() {
                        element.children = self.nodes.drain(first..).collect();
                        if self.open.is_empty() {
                            return Ok(element);
                        }
                        self.nodes.push(Node::Element(element));
                    }
                }
                XmlEvent::Eof => return Err(malformed(reader.position(), "the document ends in an element")),
            }
        }
    }

    /// Takes over the text that the reader is at: all of it, or a piece.
    fn take_text<R: BufRead>(&mut self, reader: &XmlReader<R>) -> Result<(), DocumentError> {
        let (text, longest) = (reader.text(), reader.limits.text_bytes);
        let position = *self.text_position.get_or_insert(reader.position());
        if (self.text.len() + text.len()) as u64 > longest {
            return Err(too_large(position, format!("a text longer than {longest} bytes")));
        }
        if self.text.is_empty() && text.len() < PIECE_BYTES {
            self.text_position = None;
            self.nodes.push(Node::Text(Text { text: vocabulary::text(text), position }));
        } else {
            self.text.push_str(text);
        }
        Ok(())
    }

    /// Ends the text that came in pieces, if one did.
    fn end_text(&mut self) {
        if let Some(position) = self.text_position.take() {
            self.nodes.push(Node::Text(Text { text: std::mem::take(&mut self.text).into(), position }));
        }
    }
}
