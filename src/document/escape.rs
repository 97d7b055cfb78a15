//! Text as XML writes it.

use super::characters::is_xml_character;

/// Where a text is written, which decides what a reader would change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Between tags.
    Content,
    /// Between double quotes.
    Attribute,
}

/// Whether a byte may have to be escaped, wherever it stands.
const SUSPECTS: [bool; 256] = {
    let mut suspects = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        suspects[byte] = true;
        byte += 1;
    }
    suspects[b'&' as usize] = true;
    suspects[b'<' as usize] = true;
    suspects[b'>' as usize] = true;
    suspects[b'"' as usize] = true;
    suspects[0xEF] = true;
    suspects
};

/// Hands a text on in pieces with everything escaped that a reader would take for markup or change. A character that XML
/// has no way to write becomes U+FFFD; the first such is the answer.
pub(super) fn escape(text: &str, place: Place, mut push: impl FnMut(&str)) -> Option<char> {
    let Some(first) = text.bytes().position(|byte| SUSPECTS[usize::from(byte)]) else {
        push(text);
        return None;
    };
    let mut forbidden = None;
    let mut done = 0;
    for (index, byte) in text.bytes().enumerate().skip(first) {
        let replacement = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' if place == Place::Attribute => "&quot;",
            b'\r' => "&#13;",
            b'\n' if place == Place::Attribute => "&#10;",
            b'\t' if place == Place::Attribute => "&#9;",
            b'\n' | b'\t' => continue,
            // U+FFFE and U+FFFF begin with this byte, and what may be there too is let through.
            0..=0x1F | 0xEF => match text[index..].chars().next() {
                Some(character) if !is_xml_character(character) => {
                    forbidden.get_or_insert(character);
                    "\u{FFFD}"
                }
                _ => continue,
            },
            _ => continue,
        };
        push(&text[done..index]);
        push(replacement);
        done = index + if byte == 0xEF { 3 } else { 1 };
    }
    push(&text[done..]);
    forbidden
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str, place: Place) -> (String, Option<char>) {
        let mut out = String::new();
        let forbidden = escape(text, place, |piece| out.push_str(piece));
        (out, forbidden)
    }

    #[test]
    fn what_a_reader_would_change_is_escaped() {
        let text = "a&<>\"'\r\n\té\u{FEFF}";
        assert_eq!(escaped(text, Place::Content), ("a&amp;&lt;&gt;\"'&#13;\n\té\u{FEFF}".into(), None));
        assert_eq!(escaped(text, Place::Attribute), ("a&amp;&lt;&gt;&quot;'&#13;&#10;&#9;é\u{FEFF}".into(), None));
    }

    #[test]
    fn what_xml_cannot_hold_is_replaced_and_said() {
        assert_eq!(
            escaped("a\u{1}b\u{FFFF}c\0", Place::Content),
            ("a\u{FFFD}b\u{FFFD}c\u{FFFD}".into(), Some('\u{1}'))
        );
    }
}
