//! Which characters XML allows, and where: the tables of XML 1.0 (fifth edition) and of Namespaces in XML 1.0.

/// Whether the text is an `xs:NCName`.
pub(super) fn is_ncname(text: &str) -> bool {
    !text.is_empty() && ncname_length(text) == text.len()
}

/// The number of bytes of the longest `NCName` that the text begins with.
pub(super) fn ncname_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    match bytes.first() {
        None => return 0,
        Some(first) if first.is_ascii() && kinds_of(*first) & NAME_START == 0 => return 0,
        Some(_) => {}
    }
    let ascii = bytes.iter().position(|byte| kinds_of(*byte) & NAME == 0).unwrap_or(bytes.len());
    if bytes.get(ascii).is_none_or(u8::is_ascii) {
        return ascii;
    }
    let mut allowed: fn(char) -> bool = is_name_start;
    for (index, character) in text.char_indices() {
        if !allowed(character) {
            return index;
        }
        allowed = is_name_character;
    }
    text.len()
}

/// A byte that begins a name, if it is ASCII.
const NAME_START: u8 = 1;
/// A byte that goes on with a name, if it is ASCII.
const NAME: u8 = 2;
/// A byte that an attribute value can't be taken over with as it stands: white space other than a space, `&` and `<`.
pub(super) const SPECIAL: u8 = 4;
/// A byte that XML can't hold, or that begins a character which it may not be able to hold.
pub(super) const SUSPECT: u8 = 8;
/// A carriage return.
pub(super) const RETURN: u8 = 16;
/// `>`
pub(super) const GREATER: u8 = 32;

static KINDS: [u8; 256] = kinds();

const fn kinds() -> [u8; 256] {
    let mut kinds = [0; 256];
    let mut byte: u8 = 0;
    loop {
        kinds[byte as usize] = match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => NAME_START | NAME,
            b'0'..=b'9' | b'-' | b'.' => NAME,
            b'\t' | b'\n' | b'&' | b'<' => SPECIAL,
            b'\r' => SPECIAL | RETURN,
            b'>' => GREATER,
            // U+FFFE and U+FFFF begin with the last of these.
            0..=0x1F | 0xEF => SUSPECT,
            _ => 0,
        };
        if byte == u8::MAX {
            return kinds;
        }
        byte += 1;
    }
}

/// What the readers want to know of a byte.
pub(super) fn kinds_of(byte: u8) -> u8 {
    KINDS[usize::from(byte)]
}

/// What kinds of bytes there are in a text.
pub(super) fn kinds_in(text: &str) -> u8 {
    text.bytes().fold(0, |kinds, byte| kinds | kinds_of(byte))
}

fn is_name_start(character: char) -> bool {
    matches!(character, 'A'..='Z' | 'a'..='z' | '_' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

fn is_name_character(character: char) -> bool {
    is_name_start(character)
        || matches!(character, '0'..='9' | '-' | '.' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// Whether XML can hold the character at all, as itself or as a reference.
pub(super) fn is_xml_character(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// White space as XML has it.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Whether the text is white space or nothing.
pub(super) fn is_blank(text: &str) -> bool {
    text.bytes().all(is_space)
}

/// The text without white space around it.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

/// The index of the first character that XML can't hold.
///
/// Nearly every text has none, so whole runs are looked at without a branch for each byte: what can't stand in XML is below
/// a space, or one of U+FFFE and U+FFFF, which begin with the byte EF.
pub(super) fn forbidden(text: &str) -> Option<usize> {
    const RUN: usize = 64;
    for (index, run) in text.as_bytes().chunks(RUN).enumerate() {
        // Numbers and no branches, so that it is done for many bytes at once.
        let suspicious = run.iter().fold(0, |found, byte| {
            let control = u8::from(*byte < b' ');
            let allowed = u8::from(*byte == b'\n') | u8::from(*byte == b'\t') | u8::from(*byte == b'\r');
            found | (control ^ allowed) | u8::from(*byte == 0xEF)
        });
        if suspicious != 0
            && let Some(found) = forbidden_from(text, index * RUN)
        {
            return Some(found);
        }
    }
    None
}

/// The same, one character after the other, from the first that begins in the run at `start` to the end of that run.
fn forbidden_from(text: &str, start: usize) -> Option<usize> {
    let start = (start..text.len()).find(|index| text.is_char_boundary(*index))?;
    text[start..]
        .char_indices()
        .take_while(|(index, _)| *index < 64)
        .find(|(_, character)| !is_xml_character(*character))
        .map(|(index, _)| start + index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_where_xml_says() {
        for (text, length) in [
            ("name", 4),
            ("a-b.c_d1", 8),
            ("a:b", 1),
            ("1a", 0),
            ("-a", 0),
            ("", 0),
            (" a", 0),
            ("größe>", 7),
            ("é", 2),
            ("a\u{B7}", 3),
            ("\u{B7}a", 0),
            ("a\u{D7}b", 1),
            ("名前=", 6),
        ] {
            assert_eq!(ncname_length(text), length, "{text}");
            assert_eq!(is_ncname(text), length == text.len() && length > 0, "{text}");
        }
    }

    #[test]
    fn what_xml_cannot_hold_is_found_wherever_it_stands() {
        for bad in ['\0', '\u{1}', '\u{B}', '\u{1F}', '\u{FFFE}', '\u{FFFF}'] {
            for before in [0, 1, 62, 63, 64, 65, 127, 200] {
                for filler in ["x", "é", "\u{FFFD}"] {
                    let text = format!("{}{bad}after", filler.repeat(before));
                    assert_eq!(forbidden(&text), Some(before * filler.len()), "{bad:?} after {before} of {filler}");
                }
            }
        }
    }

    #[test]
    fn what_xml_holds_is_let_through() {
        let text = "\t\r\n \u{7F}\u{85}\u{D7FF}\u{E000}\u{FEFF}\u{FFFD}\u{10000}\u{10FFFF}".repeat(40);
        assert_eq!(forbidden(&text), None);
    }
}
