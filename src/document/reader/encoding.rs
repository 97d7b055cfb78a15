//! Bytes to text: which encoding a document is in, and its characters.
//!
//! A byte order mark decides, then what HTTP says, then the XML declaration; so says RFC 7303. What is read is UTF-8 (with
//! US-ASCII, a part of it) and UTF-16; all else is refused.

use std::borrow::Cow;

use crate::document::{DocumentError, Position, Problem};

/// How the bytes of a document were read, as far as the encoding that its XML declaration names can contradict it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As UTF-8.
    Utf8,
    /// As UTF-16 with the low byte first, because a byte order mark says so.
    MarkedUtf16Le,
    /// As UTF-16 with the high byte first, because a byte order mark says so.
    MarkedUtf16Be,
    /// As UTF-16 without a mark, the low byte first.
    Utf16Le,
    /// As UTF-16 without a mark, the high byte first.
    Utf16Be,
    /// As HTTP says, whatever the declaration says.
    Told,
}

const REMEDY: &str = "send UTF-8 or UTF-16";

/// Why UTF-16 that nothing vouches for is refused.
pub(super) const NEEDS_DECLARATION: &str =
    "UTF-16 has to begin with a byte order mark, or with an XML declaration that says UTF-16LE or UTF-16BE";

impl Encoding {
    /// Whether the bytes were taken for UTF-16 for no other reason than that they look like an XML declaration in it.
    pub(super) fn needs_declaration(self) -> bool {
        matches!(self, Self::Utf16Le | Self::Utf16Be)
    }

    /// Checks the encoding that the XML declaration names. Answers whether the document has to be pure ASCII.
    pub(super) fn check_declared(self, name: &str) -> Result<bool, String> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        match self {
            Self::Told => Ok(false),
            Self::Utf8 if is("US-ASCII") || is("ASCII") => Ok(true),
            Self::Utf8 if is("UTF-8") || is("UTF8") => Ok(false),
            Self::MarkedUtf16Le | Self::MarkedUtf16Be if is("UTF-16") => Ok(false),
            Self::MarkedUtf16Le | Self::Utf16Le if is("UTF-16LE") => Ok(false),
            Self::MarkedUtf16Be | Self::Utf16Be if is("UTF-16BE") => Ok(false),
            Self::Utf16Le | Self::Utf16Be if is("UTF-16") => Err(NEEDS_DECLARATION.into()),
            _ if ["UTF-8", "UTF8", "UTF-16", "UTF-16LE", "UTF-16BE"].iter().any(|known| is(known)) => {
                Err(format!("the declaration says {name}, but the bytes are not: {REMEDY}"))
            }
            _ => Err(format!("the encoding `{name}` is not read: {REMEDY}")),
        }
    }
}

/// A whole document as UTF-8. `charset` is the parameter of the HTTP media type. What comes as UTF-8 is taken as it is:
/// whether it is any is found out token by token.
pub(super) fn decode<'a>(bytes: &'a [u8], charset: Option<&str>) -> Result<(Cow<'a, [u8]>, Encoding), DocumentError> {
    let told = charset.map(charset_encoding).transpose()?;
    if bytes.starts_with(&[0xFF, 0xFE, 0, 0]) || bytes.starts_with(&[0, 0, 0xFE, 0xFF]) {
        return Err(refused(Position::START, format!("UTF-32 is not read: {REMEDY}")));
    }
    if let Some(rest) = bytes.strip_prefix(&[0xFF, 0xFE]) {
        return utf16(rest, u16::from_le_bytes).map(|text| (text, declared(told, Encoding::MarkedUtf16Le)));
    }
    if let Some(rest) = bytes.strip_prefix(&[0xFE, 0xFF]) {
        return utf16(rest, u16::from_be_bytes).map(|text| (text, declared(told, Encoding::MarkedUtf16Be)));
    }
    let has_mark = bytes.starts_with(&[0xEF, 0xBB, 0xBF]);
    match told {
        Some(Charset::Utf16Le) if !has_mark => utf16(bytes, u16::from_le_bytes).map(|text| (text, Encoding::Told)),
        Some(Charset::Utf16Be) if !has_mark => utf16(bytes, u16::from_be_bytes).map(|text| (text, Encoding::Told)),
        Some(Charset::Utf16) if !has_mark => Err(refused(
            Position::START,
            "UTF-16 has to begin with a byte order mark, or HTTP has to say UTF-16LE or UTF-16BE",
        )),
        None if bytes.starts_with(b"<\0?\0") => utf16(bytes, u16::from_le_bytes).map(|text| (text, Encoding::Utf16Le)),
        None if bytes.starts_with(b"\0<\0?") => utf16(bytes, u16::from_be_bytes).map(|text| (text, Encoding::Utf16Be)),
        _ => {
            if told == Some(Charset::Ascii)
                && let Some(offset) = bytes.iter().position(|byte| !byte.is_ascii())
            {
                return Err(refused(
                    Position::START.after(&bytes[..offset]),
                    format!("this is not US-ASCII: {REMEDY}"),
                ));
            }
            Ok((Cow::Borrowed(bytes), declared(told, Encoding::Utf8)))
        }
    }
}

/// The encodings that HTTP may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Charset {
    Utf8,
    Ascii,
    Utf16,
    Utf16Le,
    Utf16Be,
}

fn charset_encoding(charset: &str) -> Result<Charset, DocumentError> {
    const KNOWN: [(&str, Charset); 7] = [
        ("utf-8", Charset::Utf8),
        ("utf8", Charset::Utf8),
        ("us-ascii", Charset::Ascii),
        ("ascii", Charset::Ascii),
        ("utf-16", Charset::Utf16),
        ("utf-16le", Charset::Utf16Le),
        ("utf-16be", Charset::Utf16Be),
    ];
    let name = charset.trim().trim_matches('"');
    match KNOWN.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)) {
        Some((_, charset)) => Ok(*charset),
        None => Err(refused(Position::START, format!("the charset of the request is not read: {REMEDY}"))),
    }
}

fn declared(told: Option<Charset>, found: Encoding) -> Encoding {
    if told.is_some() { Encoding::Told } else { found }
}

/// The error at a byte that is no UTF-8.
pub(super) fn not_utf8(position: Position) -> DocumentError {
    refused(position, format!("this is not UTF-8: {REMEDY}"))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'_, [u8]>, DocumentError> {
    let mut text = String::with_capacity(bytes.len() / 2);
    let (pairs, rest) = bytes.as_chunks::<2>();
    for character in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        match character {
            Ok(character) => text.push(character),
            Err(_) => {
                return Err(refused(
                    Position::START.after(text.as_bytes()),
                    "half of a UTF-16 surrogate pair is missing",
                ));
            }
        }
    }
    if !rest.is_empty() {
        return Err(refused(Position::START.after(text.as_bytes()), "the last UTF-16 character is cut in two"));
    }
    if text.starts_with('\u{FEFF}') {
        return Err(refused(Position::START, "a second byte order mark"));
    }
    Ok(Cow::Owned(text.into_bytes()))
}

fn refused(position: Position, message: impl Into<Box<str>>) -> DocumentError {
    DocumentError::new(Problem::Malformed, position, message)
}
