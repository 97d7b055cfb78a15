//! The data of a result on its way into the document: sections of text and of base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, BytesMut};

use crate::document::Unwritable;
use crate::document::characters::forbidden;

/// A section holds about this much: a reader has to hold one in memory.
const SECTION_BYTES: usize = 128 * 1024;

const BEGIN: &[u8] = b"<![CDATA[";
const END: &[u8] = b"]]>";

/// CDATA that goes over block after block.
#[derive(Debug, Default, Clone)]
pub(super) struct Sections {
    /// How much is in the section that is open, if one is.
    open: Option<usize>,
    /// How many `]` the section ends with so far, two at the most: with a `>` they would end it.
    brackets: usize,
}

impl Sections {
    /// Writes a block of text.
    pub(super) fn text(&mut self, text: &str, out: &mut BytesMut) -> Result<(), Unwritable> {
        if let Some(index) = forbidden(text) {
            return Err(Unwritable::Character(text[index..].chars().next().unwrap_or_default()));
        }
        let mut rest = text;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.floor_char_boundary(SECTION_BYTES));
            self.piece(piece.as_bytes(), out);
            rest = after;
        }
        Ok(())
    }

    /// Writes text that XML can hold, as much as one section takes.
    fn piece(&mut self, piece: &[u8], out: &mut BytesMut) {
        out.reserve(piece.len() + BEGIN.len() + END.len());
        self.begin(out);
        self.open = self.open.map(|length| length + piece.len());
        let mut done = 0;
        if let Some(index) = self.end_across_blocks(piece) {
            out.put_slice(&piece[..index]);
            split(out);
            done = index;
        }
        let searched = done;
        for index in memchr::memmem::find_iter(&piece[searched..], END) {
            let greater = searched + index + 2;
            out.put_slice(&piece[done..greater]);
            split(out);
            done = greater;
        }
        out.put_slice(&piece[done..]);
        let trailing = piece.iter().rev().take(2).take_while(|byte| **byte == b']').count();
        self.brackets = if trailing == piece.len() { (self.brackets + trailing).min(2) } else { trailing };
    }

    /// Where in a block the `>` stands that makes a `]]>` with the end of the block before.
    fn end_across_blocks(&self, piece: &[u8]) -> Option<usize> {
        match piece {
            [b'>', ..] if self.brackets == 2 => Some(0),
            [b']', b'>', ..] if self.brackets >= 1 => Some(1),
            _ => None,
        }
    }

    /// Sees to it that a section is open that takes more.
    fn begin(&mut self, out: &mut BytesMut) {
        if self.open.is_some_and(|length| length < SECTION_BYTES) {
            return;
        }
        self.end(out);
        out.put_slice(BEGIN);
        self.open = Some(0);
    }

    /// Ends the section that is open, if one is.
    pub(super) fn end(&mut self, out: &mut BytesMut) {
        if self.open.take().is_some() {
            out.put_slice(END);
        }
        self.brackets = 0;
    }
}

/// Ends the section before a `>` and begins another.
fn split(out: &mut BytesMut) {
    out.put_slice(END);
    out.put_slice(BEGIN);
}

/// Base64 that goes over block after block.
#[derive(Debug, Default, Clone)]
pub(super) struct Base64 {
    sections: Sections,
    /// The bytes behind the last group of three.
    carried: [u8; 3],
    carried_length: usize,
}

impl Base64 {
    /// Writes a block of bytes.
    pub(super) fn bytes(&mut self, bytes: &[u8], out: &mut BytesMut) {
        /// As many bytes as fill a section: a multiple of three.
        const PIECE: usize = SECTION_BYTES / 4 * 3;

        let missing = (3 - self.carried_length) % 3;
        let (first, rest) = bytes.split_at(missing.min(bytes.len()));
        self.carry(first);
        if self.carried_length == 3 {
            self.encode(&self.carried.clone(), out);
            self.carried_length = 0;
        }
        let whole = rest.len() / 3 * 3;
        for piece in rest[..whole].chunks(PIECE) {
            self.encode(piece, out);
        }
        self.carry(&rest[whole..]);
    }

    fn carry(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.carried[self.carried_length] = *byte;
            self.carried_length += 1;
        }
    }

    /// Writes what is left, padded.
    pub(super) fn end(&mut self, out: &mut BytesMut) {
        let (carried, length) = (self.carried, self.carried_length);
        if length > 0 {
            self.encode(&carried[..length], out);
        }
        self.carried_length = 0;
        self.sections.end(out);
    }

    fn encode(&mut self, bytes: &[u8], out: &mut BytesMut) {
        let length = bytes.len().div_ceil(3) * 4;
        self.sections.begin(out);
        self.sections.open = self.sections.open.map(|open| open + length);
        let start = out.len();
        out.resize(start + length, 0);
        // The room is exactly what the encoding needs, so it does not fail.
        let written = STANDARD.encode_slice(bytes, &mut out[start..]).unwrap_or_default();
        out.truncate(start + written);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sections(blocks: &[&str]) -> String {
        let mut out = BytesMut::new();
        let mut sections = Sections::default();
        for block in blocks {
            sections.text(block, &mut out).unwrap();
        }
        sections.end(&mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn the_end_of_a_section_is_split_wherever_blocks_are_cut() {
        assert_eq!(sections(&["a]]>b"]), "<![CDATA[a]]]]><![CDATA[>b]]>");
        let text = "]]>x]]]>]>]]>>]]]]>>";
        let whole = sections(&[text]);
        for first in 0..text.len() {
            for second in first..text.len() {
                assert_eq!(sections(&[&text[..first], &text[first..second], &text[second..]]), whole);
            }
        }
        let one_by_one: Vec<&str> = text.split_inclusive(|_| true).collect();
        assert_eq!(sections(&one_by_one), whole);
        assert!(!whole.replace("]]]]><![CDATA[>", "").contains("]]>x"), "{whole}");
    }

    #[test]
    fn nothing_makes_no_section() {
        assert_eq!(sections(&[]), "");
        assert_eq!(sections(&["", ""]), "");
    }

    #[test]
    fn a_section_ends_when_it_is_large() {
        let text = "é".repeat(SECTION_BYTES);
        let written = sections(&[&text, "x"]);
        assert_eq!(written.matches("<![CDATA[").count(), 3);
        assert_eq!(written.replace("]]><![CDATA[", "").len(), text.len() + 1 + BEGIN.len() + END.len());
    }

    #[test]
    fn what_xml_cannot_hold_is_an_error() {
        let outcome = Sections::default().text("a\u{1}", &mut BytesMut::new());
        assert_eq!(outcome, Err(Unwritable::Character('\u{1}')));
    }

    #[test]
    fn base64_is_the_same_however_blocks_are_cut() {
        let bytes: Vec<u8> = (0..=255).collect();
        let expected = format!("<![CDATA[{}]]>", STANDARD.encode(&bytes));
        for size in [1, 2, 3, 4, 5, 7, 64, 256] {
            let mut out = BytesMut::new();
            let mut base64 = Base64::default();
            for block in bytes.chunks(size) {
                base64.bytes(block, &mut out);
                base64.bytes(&[], &mut out);
            }
            base64.end(&mut out);
            assert_eq!(out, expected.as_bytes(), "blocks of {size}");
        }
    }
}
