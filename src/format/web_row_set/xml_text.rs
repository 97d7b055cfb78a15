//! Text in XML.

/// Appends text as the content of an element; gives the first character that XML can't hold, if there is one, and then
/// appends nothing.
///
/// `>` is escaped as well, so that no `]]>` is ever written, and a carriage return, which a reader would otherwise turn
/// into a line feed.
#[inline]
pub(super) fn push_content(out: &mut String, text: &str) -> Result<(), char> {
    if text.bytes().fold(false, |found, byte| found | needs_care(byte)) {
        push_escaped(out, text)
    } else {
        out.push_str(text);
        Ok(())
    }
}

/// Whether a byte may have to be escaped or refused. (U+FFFE and U+FFFF begin with 0xEF.)
#[inline]
fn needs_care(byte: u8) -> bool {
    matches!(byte, 0..0x20 | b'&' | b'<' | b'>' | 0xEF)
}

fn push_escaped(out: &mut String, text: &str) -> Result<(), char> {
    let start = out.len();
    let mut copied = 0;
    for (index, byte) in text.bytes().enumerate() {
        if !needs_care(byte) {
            continue;
        }
        let escape = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'\r' => "&#13;",
            b'\t' | b'\n' => continue,
            _ => match text[index..].chars().next() {
                Some(character) if !is_xml(character) => {
                    out.truncate(start);
                    return Err(character);
                }
                _ => continue,
            },
        };
        out.push_str(&text[copied..index]);
        out.push_str(escape);
        copied = index + 1;
    }
    out.push_str(&text[copied..]);
    Ok(())
}

/// Whether a document may hold the character: `Char` of XML 1.0.
pub(super) fn is_xml(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(text: &str) -> Result<String, char> {
        let mut out = "before:".to_owned();
        push_content(&mut out, text)?;
        Ok(out.split_off(7))
    }

    #[test]
    fn what_would_be_markup_or_be_changed_by_a_reader_is_escaped() {
        assert_eq!(content("a & b < c > d"), Ok("a &amp; b &lt; c &gt; d".to_owned()));
        assert_eq!(content("]]>"), Ok("]]&gt;".to_owned()));
        assert_eq!(content("one\r\ntwo\t"), Ok("one&#13;\ntwo\t".to_owned()));
        assert_eq!(content("\"it's\" ﬀ 𝄞 \u{7f}"), Ok("\"it's\" ﬀ 𝄞 \u{7f}".to_owned()));
        assert_eq!(content("\u{FEFF}&\u{EFFF}"), Ok("\u{FEFF}&amp;\u{EFFF}".to_owned()));
        assert_eq!(content(""), Ok(String::new()));
    }

    #[test]
    fn what_no_document_can_hold_is_refused() {
        for character in ['\0', '\u{1}', '\u{b}', '\u{c}', '\u{1f}', '\u{FFFE}', '\u{FFFF}'] {
            assert_eq!(content(&format!("some & {character}")), Err(character));
        }
    }

    #[test]
    fn refused_text_leaves_nothing_behind() {
        let mut out = "before".to_owned();
        assert!(push_content(&mut out, "&&&\u{1}").is_err());
        assert_eq!(out, "before");
    }
}
