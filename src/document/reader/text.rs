//! Text and references: what may stand in them, and what they say.

use crate::document::characters::{GREATER, RETURN, SPECIAL, SUSPECT, forbidden, is_xml_character, kinds_in, kinds_of};

/// What is wrong at a byte of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) offset: usize,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(offset: usize, message: impl Into<String>) -> Self {
        Self { offset, message: message.into() }
    }
}

/// Refuses what XML can't hold.
pub(super) fn check_characters(text: &str) -> Result<(), Fault> {
    match forbidden(text) {
        None => Ok(()),
        Some(offset) => Err(Fault::new(offset, not_allowed(text[offset..].chars().next().unwrap_or_default()))),
    }
}

/// Refuses what can't stand between two tags as it is: `]]>`, and what XML can't hold. Answers whether there is a line end
/// in it that is not handed on as it is.
pub(super) fn check_text(text: &str) -> Result<bool, Fault> {
    let kinds = kinds_in(text);
    if kinds & SUSPECT != 0 {
        check_characters(text)?;
    }
    if kinds & GREATER != 0
        && let Some(offset) = memchr::memmem::find(text.as_bytes(), b"]]>")
    {
        return Err(Fault::new(offset, "`]]>` can't stand in text: write `]]&gt;`"));
    }
    Ok(kinds & RETURN != 0)
}

fn not_allowed(character: char) -> String {
    format!("the character U+{:04X} can't stand in XML", u32::from(character))
}

/// Appends text with its line ends as XML hands them on: `\r\n` and `\r` are `\n`.
pub(super) fn push_lines(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(index) = memchr::memchr(b'\r', rest.as_bytes()) {
        out.push_str(&rest[..index]);
        out.push('\n');
        rest = &rest[index + 1..];
        rest = rest.strip_prefix('\n').unwrap_or(rest);
    }
    out.push_str(rest);
}

/// The character that a reference stands for; `reference` is what stands between `&` and `;`.
pub(super) fn resolve(reference: &str) -> Result<char, String> {
    match reference {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => match reference.strip_prefix('#') {
            Some(number) => resolve_number(number),
            None => {
                Err("an entity that is not predefined is refused: only `&lt;`, `&gt;`, `&amp;`, `&quot;`, `&apos;` \
                         and character references are read"
                    .into())
            }
        },
    }
}

fn resolve_number(number: &str) -> Result<char, String> {
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| char::from(byte).is_digit(radix)) {
        return Err("a character reference has to be `&#` digits `;` or `&#x` hexadecimal digits `;`".into());
    }
    // Leading zeros may be many; what is too long without them is no character.
    let character = u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    match character {
        Some(character) if is_xml_character(character) => Ok(character),
        Some(character) => Err(not_allowed(character)),
        None => Err("the reference stands for no character".into()),
    }
}

/// Appends an attribute value, given as it stands between its quotes, normalised as XML says of an attribute without a
/// DTD: references are resolved and every white space character that stands there as itself becomes a space.
pub(super) fn push_attribute_value(raw: &str, out: &mut String) -> Result<(), Fault> {
    let mut done = 0;
    let bytes = raw.as_bytes();
    while let Some(found) = bytes[done..].iter().position(|byte| kinds_of(*byte) & SPECIAL != 0) {
        let at = done + found;
        out.push_str(&raw[done..at]);
        done = match bytes[at] {
            b'&' => {
                let end = memchr::memchr(b';', &bytes[at..]).ok_or_else(|| unfinished(at))?;
                let character = resolve(&raw[at + 1..at + end]).map_err(|message| Fault::new(at, message))?;
                out.push(character);
                at + end + 1
            }
            b'<' => return Err(Fault::new(at, "`<` can't stand in an attribute value: write `&lt;`")),
            b'\r' if bytes.get(at + 1) == Some(&b'\n') => at + 1,
            _ => {
                out.push(' ');
                at + 1
            }
        };
    }
    out.push_str(&raw[done..]);
    Ok(())
}

/// A `&` that begins no reference.
pub(super) fn unfinished(offset: usize) -> Fault {
    Fault::new(offset, "`&` has to begin a reference that ends with `;`: write `&amp;` for the character")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predefined_entities_and_character_references_are_resolved() {
        for (reference, character) in [
            ("lt", '<'),
            ("gt", '>'),
            ("amp", '&'),
            ("quot", '"'),
            ("apos", '\''),
            ("#65", 'A'),
            ("#x1F600", '😀'),
            ("#00000000000000000000065", 'A'),
            ("#xD", '\r'),
        ] {
            assert_eq!(resolve(reference), Ok(character), "{reference}");
        }
    }

    #[test]
    fn every_other_reference_is_refused() {
        for reference in [
            "",
            "nbsp",
            "LT",
            "#",
            "#x",
            "#X41",
            "#6a",
            "#-1",
            "#+65",
            "#0",
            "#8",
            "#xD800",
            "#xFFFE",
            "#x110000",
            "#99999999999999",
        ] {
            assert!(resolve(reference).is_err(), "{reference}");
        }
    }

    #[test]
    fn line_ends_are_handed_on_as_newlines() {
        let mut out = String::new();
        push_lines("a\r\nb\rc\r\r\n\nd\r", &mut out);
        assert_eq!(out, "a\nb\nc\n\n\nd\n");
    }

    #[test]
    fn attribute_values_are_normalised() {
        let mut out = String::new();
        push_attribute_value("a\tb\r\nc\rd\n &lt;&#10;&amp;lt;", &mut out).unwrap();
        assert_eq!(out, "a b c d  <\n&lt;");
    }

    #[test]
    fn a_bad_attribute_value_is_refused_where_it_is_bad() {
        for (raw, offset) in [("ab<c", 2), ("a &lt", 2), ("&", 0), ("a&x;", 1), ("a& b;", 1)] {
            assert_eq!(push_attribute_value(raw, &mut String::new()).unwrap_err().offset, offset, "{raw}");
        }
    }

    #[test]
    fn the_end_of_a_cdata_section_cannot_stand_in_text() {
        assert_eq!(check_text("ab]]>").unwrap_err().offset, 2);
        assert_eq!(check_text("ab]] > ]>"), Ok(false));
        assert_eq!(check_text("ab\u{1}").unwrap_err().offset, 2);
    }
}
