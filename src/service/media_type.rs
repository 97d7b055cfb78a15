//! What a client sends, and what it wants back.

use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE};

use super::refusal::Refusal;

/// The charset that the client names for its XML, if it names one.
///
/// # Errors
///
/// 415 for a body that is not XML. Form types are refused on purpose: a page of another origin can send those unasked.
pub(super) fn charset_of_xml(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(None) };
    let value = value.to_str().unwrap_or_default();
    let mut parts = value.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
    let is_xml = matches!(media_type.as_str(), "application/xml" | "text/xml")
        || (media_type.starts_with("application/") && media_type.ends_with("+xml"));
    if !is_xml {
        return Err(Refusal::new(
            415,
            "UnsupportedMediaType",
            format!("a perform document is sent with `Content-Type: application/xml`, not `{media_type}`"),
        ));
    }
    Ok(parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    }))
}

/// Whether the client would rather have its faults as JSON (RFC 9457) than as XML.
pub(super) fn prefers_problem_json(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|item| item.split(';').next())
        .any(|media_type| matches!(media_type.trim(), "application/problem+json" | "application/json"))
}
