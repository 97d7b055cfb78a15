//! How values are written into a URI.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use super::pool::Piece;
use crate::ingest::Json;
use crate::ingest::settings::{Template, TemplatePart, UriEncoding};

/// What HTML forms escape: all but letters, digits and `*-._`.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');

/// The same without the space, which becomes `+`.
const FORM_BUT_SPACE: &AsciiSet = &FORM.remove(b' ');

/// What can't stand in a URI at all, whatever it means there.
const FORBIDDEN: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

/// The same, and what would cut the URI off.
const FORBIDDEN_IN_VALUES: &AsciiSet = &FORBIDDEN.add(b'#');

/// Adds a name or a value as HTML forms do.
pub(super) fn push_form(out: &mut String, text: &str) {
    for piece in utf8_percent_encode(text, FORM_BUT_SPACE) {
        out.push_str(&piece.replace(' ', "+"));
    }
}

/// Adds `name=value` to a form or a query, behind what is there.
pub(super) fn push_pair(out: &mut String, name: &str, value: &str) {
    if !out.is_empty() {
        out.push('&');
    }
    push_form(out, name);
    out.push('=');
    push_form(out, value);
}

/// Adds a piece of a template to the URI that is made of it.
///
/// A variable at the very beginning is an address, and stands as it is. In a path a space is `%20`, because `+` is a plus there;
/// behind the `?` it is `+`.
pub(super) fn push_piece(uri: &mut String, piece: &Piece<'_>, encoding: UriEncoding) {
    match (piece, encoding) {
        (Piece::Text(text), _) => uri.extend(utf8_percent_encode(text, FORBIDDEN)),
        (Piece::Value(value), _) if uri.is_empty() => uri.extend(utf8_percent_encode(value, FORBIDDEN)),
        (Piece::Value(value), UriEncoding::None) => uri.extend(utf8_percent_encode(value, FORBIDDEN_IN_VALUES)),
        (Piece::Value(value), UriEncoding::Form) if uri.contains('?') => push_form(uri, value),
        (Piece::Value(value), UriEncoding::Form) => uri.extend(utf8_percent_encode(value, FORM)),
    }
}

/// All ways in which a request may write a text, or its answer repeat it: as it is, in a path, in a query, where nothing is encoded
/// that need not be, with small letters, in JSON.
pub(crate) fn spellings(text: &str) -> [String; 7] {
    let encoded = |set| utf8_percent_encode(text, set).to_string();
    let mut form = String::new();
    push_form(&mut form, text);
    let json = Json::text(text).to_string();
    let json = json.get(1..json.len() - 1).unwrap_or_default().to_owned();
    [
        text.to_owned(),
        encoded(FORM),
        in_small_letters(&form),
        form,
        encoded(FORBIDDEN),
        encoded(FORBIDDEN_IN_VALUES),
        json,
    ]
}

/// An encoded text with the small letters of the numbers of its bytes.
fn in_small_letters(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (number, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        text.push('%');
        text.push_str(&number.to_ascii_lowercase());
        text.push_str(rest);
    }
    text
}

/// Whether values have made segments of the path that lead up or nowhere, `..` and `.`, where the template has none (RFC 3986,
/// section 5.2.4): `/jobs/{{id}}/results` is not `/results`, whatever the id. What begins with a variable is an address as it is.
pub(super) fn climbs(template: &Template, filled: &str) -> bool {
    if matches!(template.parts().first(), Some(TemplatePart::Variable(_))) {
        return false;
    }
    let written: String = template
        .parts()
        .iter()
        .map(|part| match part {
            TemplatePart::Text(text) => text,
            TemplatePart::Variable(_) => "-",
        })
        .collect();
    dots(filled) > dots(&written)
}

/// How many segments of a path are dots, percent-encoded or not.
fn dots(uri: &str) -> usize {
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    let is_dots = |segment: &&str| matches!(&*segment.to_ascii_lowercase().replace("%2e", "."), "." | "..");
    path.split(['/', '\\']).filter(is_dots).count()
}

/// A URI with more behind its query. A fragment is left out: it is never sent.
pub(super) fn with_query(uri: String, query: &str) -> String {
    let mut uri = match uri.split_once('#') {
        Some((before, _)) => before.to_owned(),
        None => uri,
    };
    if !query.is_empty() {
        uri.push(match uri.find('?') {
            None => '?',
            Some(at) if at + 1 == uri.len() || uri.ends_with('&') => return uri + query,
            Some(_) => '&',
        });
        uri.push_str(query);
    }
    uri
}
