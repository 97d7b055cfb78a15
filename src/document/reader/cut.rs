//! Where a token ends: the grammar of XML as far as it says that. What a token is worth is found out afterwards.

use quick_xml::parser::{ElementParser, Parser, PiParser};

/// What a token is, by its first characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// `<a …>` or `<a …/>`
    StartTag,
    /// `</a>`
    EndTag,
    /// `<!--…-->`
    Comment,
    /// `<![CDATA[…]]>`
    Cdata,
    /// `<?…?>`
    Instruction,
    /// `&…;`
    Reference,
    /// What stands between the others.
    Text,
    /// `<!DOCTYPE`: it is refused, so nobody looks for its end.
    Dtd,
    /// `<!` and something that XML does not know.
    Unknown,
}

impl TokenKind {
    /// What it is called in an error.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::StartTag | Self::EndTag => "a tag",
            Self::Comment => "a comment",
            Self::Cdata => "a CDATA section",
            Self::Instruction => "a processing instruction",
            Self::Reference => "a reference",
            Self::Text | Self::Dtd | Self::Unknown => "a text",
        }
    }
}

pub(super) const CDATA: &[u8] = b"<![CDATA[";
const COMMENT: &[u8] = b"<!--";
const DOCTYPE: &[u8] = b"<!DOCTYPE";

/// Looks for the end of one token in bytes that may come piece by piece. No byte is looked at twice.
#[derive(Debug)]
pub(super) struct Cutter {
    kind: Option<TokenKind>,
    /// How many bytes were looked at.
    seen: usize,
    element: ElementParser,
    instruction: PiParser,
}

impl Cutter {
    pub(super) fn new() -> Self {
        Self { kind: None, seen: 0, element: ElementParser::default(), instruction: PiParser::default() }
    }

    /// What the token is, as far as its beginning was there.
    pub(super) fn kind(&self) -> Option<TokenKind> {
        self.kind
    }

    /// The length of the token, if it ends in these bytes. They begin with the token, and with what was given here before.
    pub(super) fn cut(&mut self, bytes: &[u8]) -> Option<usize> {
        let kind = match self.kind {
            Some(kind) => kind,
            None => self.begin(bytes)?,
        };
        let rest = &bytes[self.seen..];
        let end = match kind {
            TokenKind::StartTag => self.element.feed(rest),
            TokenKind::EndTag => memchr::memchr(b'>', rest),
            TokenKind::Instruction => self.instruction.feed(rest),
            TokenKind::Comment => self.end_of_three(bytes, COMMENT.len(), *b"-->"),
            TokenKind::Cdata => self.end_of_three(bytes, CDATA.len(), *b"]]>"),
            TokenKind::Reference => memchr::memchr3(b';', b'&', b'<', rest),
            TokenKind::Text => {
                return memchr::memchr2(b'<', b'&', rest).map(|end| self.seen + end).or_else(|| self.all(bytes));
            }
            // It is refused for its first characters; those behind may be cut in the middle.
            TokenKind::Dtd | TokenKind::Unknown => return Some("<!".len()),
        };
        end.map(|end| self.seen + end + 1).or_else(|| self.all(bytes))
    }

    /// Notes that all bytes were looked at, in vain.
    fn all(&mut self, bytes: &[u8]) -> Option<usize> {
        self.seen = bytes.len();
        None
    }

    /// Finds out what the token is.
    fn begin(&mut self, bytes: &[u8]) -> Option<TokenKind> {
        let (kind, opening) = match bytes {
            [] | [b'<'] => return None,
            [b'<', b'/', ..] => (TokenKind::EndTag, 2),
            [b'<', b'?', ..] => (TokenKind::Instruction, 2),
            [b'<', b'!', ..] => declaration(bytes)?,
            [b'<', ..] => (TokenKind::StartTag, 1),
            [b'&', ..] => (TokenKind::Reference, 1),
            _ => (TokenKind::Text, 0),
        };
        self.kind = Some(kind);
        self.seen = opening;
        self.kind
    }

    /// Where the `>` of an end of three characters stands, behind what was looked at. The two before it may have been looked
    /// at. (The parser of `quick-xml` for comments loses count of hyphens where a comment is cut.)
    fn end_of_three(&self, bytes: &[u8], opening: usize, end: [u8; 3]) -> Option<usize> {
        let from = (self.seen - 2).max(opening);
        let found = memchr::memmem::find(bytes.get(from..)?, &end)?;
        Some(from + found + 2 - self.seen)
    }
}

/// What begins with `<!`, and the length of that beginning.
fn declaration(bytes: &[u8]) -> Option<(TokenKind, usize)> {
    if bytes.starts_with(CDATA) {
        return Some((TokenKind::Cdata, CDATA.len()));
    }
    if bytes.starts_with(COMMENT) {
        return Some((TokenKind::Comment, COMMENT.len()));
    }
    let same_so_far = |name: &[u8]| bytes.iter().zip(name).all(|(byte, of_name)| byte.eq_ignore_ascii_case(of_name));
    if bytes.len() < DOCTYPE.len() && [CDATA, COMMENT, DOCTYPE].into_iter().any(same_so_far) {
        return None;
    }
    Some((if same_so_far(DOCTYPE) { TokenKind::Dtd } else { TokenKind::Unknown }, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_end_where_xml_says() {
        use TokenKind::{Cdata, Comment, EndTag, Instruction, Reference, StartTag, Text};

        for (text, kind, length) in [
            ("<a>x", StartTag, 3),
            ("<a b='>' c=\"/>\"/>x", StartTag, 17),
            ("</a >x", EndTag, 5),
            ("<?a?b>?>x", Instruction, 8),
            ("<?>?>", Instruction, 5),
            ("<!-- > - -- -->x", Comment, 15),
            ("<!---->x", Comment, 7),
            ("<!--->-->x", Comment, 9),
            ("<!-- - -> ->-->x", Comment, 15),
            ("<![CDATA[]]>x", Cdata, 12),
            ("<![CDATA[]]]]>x", Cdata, 14),
            ("&amp;x", Reference, 5),
            ("& <", Reference, 3),
            ("x]]> <", Text, 5),
            ("x&", Text, 1),
        ] {
            for first in 0..length {
                let mut cutter = Cutter::new();
                let early = cutter.cut(&text.as_bytes()[..first]);
                assert!(early.is_none(), "{text}");
                assert_eq!(
                    (cutter.cut(text.as_bytes()), cutter.kind()),
                    (Some(length), Some(kind)),
                    "{text} after {first}"
                );
            }
        }
    }

    #[test]
    fn a_dtd_is_known_by_its_name_alone() {
        let kind = |text: &str| {
            let mut cutter = Cutter::new();
            cutter.cut(text.as_bytes());
            cutter.kind()
        };
        assert_eq!(kind("<!DOCTYPE a ["), Some(TokenKind::Dtd));
        assert_eq!(kind("<!doctype"), Some(TokenKind::Dtd));
        for few in ["<", "<!", "<!D", "<!DOCTYP", "<!-", "<![CDATA"] {
            assert_eq!(kind(few), None, "{few}");
        }
        for unknown in ["<!ELEMENT", "<![IGNORE[", "<!>", "<!DOX"] {
            assert_eq!(kind(unknown), Some(TokenKind::Unknown), "{unknown}");
        }
    }
}
