//! UTF-8 that comes in pieces.

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;

/// Checks UTF-8 that comes in pieces cut anywhere, and keeps the beginning of a character that the next piece completes.
#[derive(Debug, Default)]
pub(super) struct Utf8 {
    /// Three bytes at the most.
    rest: Bytes,
}

/// The bytes are not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotUtf8;

impl Utf8 {
    /// The text of one more piece, but for a character that it cuts; `None` when it completes none. What is refused changes
    /// nothing.
    pub(super) fn push(&mut self, piece: Bytes) -> Result<Option<ByteString>, NotUtf8> {
        let mut all = if self.rest.is_empty() {
            piece
        } else {
            let mut joined = BytesMut::with_capacity(self.rest.len() + piece.len());
            joined.extend_from_slice(&self.rest);
            joined.extend_from_slice(&piece);
            joined.freeze()
        };
        let valid = match std::str::from_utf8(&all) {
            Ok(_) => all.len(),
            Err(error) if error.error_len().is_some() => return Err(NotUtf8),
            Err(error) => error.valid_up_to(),
        };
        let rest = all.split_off(valid);
        let text = ByteString::try_from(all).map_err(|_| NotUtf8)?;
        // Of its own, so that it does not keep the piece.
        self.rest = Bytes::copy_from_slice(&rest);
        Ok((!text.is_empty()).then_some(text))
    }

    /// Whether the text may end here.
    pub(super) fn finish(&self) -> Result<(), NotUtf8> {
        if self.rest.is_empty() { Ok(()) } else { Err(NotUtf8) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_pieces(pieces: &[&[u8]]) -> Result<String, NotUtf8> {
        let mut utf8 = Utf8::default();
        let mut all = String::new();
        for piece in pieces {
            all.extend(utf8.push(Bytes::copy_from_slice(piece))?.iter().map(|text| &**text));
        }
        utf8.finish().map(|()| all)
    }

    #[test]
    fn a_character_may_be_cut_anywhere() {
        let text = "aé€𝄞z";
        for cut in 0..=text.len() {
            for second in cut..=text.len() {
                let bytes = text.as_bytes();
                let pieces = [&bytes[..cut], &bytes[cut..second], &bytes[second..]];
                assert_eq!(in_pieces(&pieces).as_deref(), Ok(text), "{cut} {second}");
            }
        }
    }

    #[test]
    fn what_is_no_text_is_refused_and_changes_nothing() {
        assert_eq!(in_pieces(&[b"a\xff"]), Err(NotUtf8));
        assert_eq!(in_pieces(&["é".as_bytes(), b"\xc3", b"a"]), Err(NotUtf8));
        assert_eq!(in_pieces(&[b"\xe2\x82"]), Err(NotUtf8));
        let mut utf8 = Utf8::default();
        assert_eq!(utf8.push(Bytes::from_static(b"\xc3")), Ok(None));
        assert_eq!(utf8.push(Bytes::from_static(b"a")), Err(NotUtf8));
        assert_eq!(utf8.push(Bytes::from_static(b"\xa9")), Ok(Some("é".into())));
    }
}
