//! The XML declaration, processing instructions and comments: read for what is wrong with them, and passed over.

use super::encoding::{Encoding, NEEDS_DECLARATION};
use super::text::{Fault, check_characters};
use crate::document::characters::{is_space, ncname_length, trim};

/// Checks the content of `<?xml … ?>`, without `<?` and `?>`, and that the encoding it names is the one that is read.
/// Answers whether the document has to be pure ASCII.
pub(super) fn check_declaration(content: &str, encoding: Encoding) -> Result<bool, Fault> {
    let mut rest = Declaration { whole: content, rest: &content["xml".len()..] };
    match rest.attribute("version")? {
        Some(version) if is_version(version) => {}
        Some(_) => return Err(rest.fault("the version has to be `1.0`")),
        None => return Err(rest.fault("the XML declaration has to begin with `version=\"1.0\"`")),
    }
    let mut ascii = false;
    if let Some(name) = rest.attribute("encoding")? {
        if !is_encoding_name(name) {
            return Err(rest.fault("the name of the encoding is none"));
        }
        ascii = encoding.check_declared(name).map_err(|message| rest.fault(message))?;
    } else if encoding.needs_declaration() {
        return Err(rest.fault(NEEDS_DECLARATION));
    }
    if let Some(standalone) = rest.attribute("standalone")?
        && !matches!(standalone, "yes" | "no")
    {
        return Err(rest.fault("`standalone` has to be `yes` or `no`"));
    }
    if !trim(rest.rest).is_empty() {
        return Err(rest.fault(
            "unexpected content of the XML declaration: it holds `version`, `encoding` and `standalone`, in that order",
        ));
    }
    Ok(ascii)
}

/// `1.` and digits, as the fifth edition has it.
fn is_version(version: &str) -> bool {
    version.strip_prefix("1.").is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_encoding_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// What is left of an XML declaration.
struct Declaration<'a> {
    whole: &'a str,
    rest: &'a str,
}

impl<'a> Declaration<'a> {
    /// The value of the next attribute, if it has that name.
    fn attribute(&mut self, name: &str) -> Result<Option<&'a str>, Fault> {
        let begun = trim_start(self.rest);
        let Some(after) = begun.strip_prefix(name) else { return Ok(None) };
        if begun.len() == self.rest.len() {
            return Err(self.fault("expected white space"));
        }
        let Some(value) = trim_start(after).strip_prefix('=') else { return Err(self.fault("expected `=`")) };
        let value = trim_start(value);
        let quoted = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.split_once(*quote));
        let Some((value, rest)) = quoted else { return Err(self.fault("expected a value in quotes")) };
        self.rest = rest;
        Ok(Some(value))
    }

    fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new(self.whole.len() - self.rest.len(), message)
    }
}

fn trim_start(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\r', '\n'])
}

/// Checks the content of a processing instruction, without `<?` and `?>`.
pub(super) fn check_instruction(content: &str) -> Result<(), Fault> {
    let length = ncname_length(content);
    let target = &content[..length];
    if target.eq_ignore_ascii_case("xml") {
        return Err(Fault::new(0, "an XML declaration can stand only at the very beginning of the document"));
    }
    if length == 0 || content.as_bytes().get(length).is_some_and(|byte| !is_space(*byte)) {
        return Err(Fault::new(length, "a processing instruction has to begin with a name without a colon"));
    }
    check_characters(content)
}

/// Checks the content of a comment, without `<!--` and `-->`.
pub(super) fn check_comment(content: &str) -> Result<(), Fault> {
    if let Some(offset) = memchr::memmem::find(content.as_bytes(), b"--") {
        return Err(Fault::new(offset, "`--` can't stand in a comment"));
    }
    if content.ends_with('-') {
        return Err(Fault::new(content.len() - 1, "a comment can't end with `-`"));
    }
    check_characters(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_declarations_are_read_as_xml_has_them() {
        for content in [
            "xml version=\"1.0\"",
            "xml version='1.0' encoding='UTF-8' ",
            "xml\n version = \"1.5\"\tencoding=\"utf-8\" standalone='no'",
            "xml version='1.0' standalone=\"yes\"",
        ] {
            assert_eq!(check_declaration(content, Encoding::Utf8), Ok(false), "{content}");
        }
        assert_eq!(check_declaration("xml version='1.0' encoding='US-ASCII'", Encoding::Utf8), Ok(true));
    }

    #[test]
    fn other_xml_declarations_are_refused() {
        for content in [
            "xml",
            "xml ",
            "xml encoding='UTF-8'",
            "xml version='2.0'",
            "xml version='1.'",
            "xml version='1.0",
            "xml version=1.0",
            "xml version='1.0\"",
            "xml version='1.0'encoding='UTF-8'",
            "xml version='1.0' encoding=''",
            "xml version='1.0' encoding='-'",
            "xml version='1.0' encoding='ISO-8859-1'",
            "xml version='1.0' encoding='UTF-16'",
            "xml version='1.0' standalone='maybe'",
            "xml version='1.0' standalone='yes' encoding='UTF-8'",
            "xml version='1.0' version='1.0'",
            "xml version='1.0' x",
        ] {
            assert!(check_declaration(content, Encoding::Utf8).is_err(), "{content}");
        }
    }

    #[test]
    fn instructions_need_a_name_that_is_not_xml() {
        for (content, good) in [
            ("target", true),
            ("xml-stylesheet href='a'", true),
            ("t ?", true),
            ("", false),
            (" t", false),
            ("xml x", false),
            ("XmL", false),
            ("a:b", false),
            ("a+b", false),
            ("t \u{1}", false),
        ] {
            assert_eq!(check_instruction(content).is_ok(), good, "{content}");
        }
    }

    #[test]
    fn comments_hold_no_two_hyphens() {
        for (content, good) in
            [("", true), (" a - b ", true), ("a--b", false), ("a-", false), ("-", false), ("\0", false)]
        {
            assert_eq!(check_comment(content).is_ok(), good, "{content}");
        }
    }
}
