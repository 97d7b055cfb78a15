//! What a client sends, and what it wants back.

use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE, ORIGIN};

use super::refusal::Refusal;
use crate::session::InputForm;

/// The charset that the client names for its XML, if it names one.
///
/// # Errors
///
/// 415 for a body that is not XML. Form types are refused on purpose: a page of another origin can send those unasked. So it
/// can send a body without any type, which is why that is taken only of a client that is no browser: one that names no `Origin`.
pub(super) fn charset_of_xml(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        if headers.contains_key(ORIGIN) {
            let message = "a request with an `Origin` needs `Content-Type: application/xml`";
            return Err(Refusal::new(415, "UnsupportedMediaType", message));
        }
        return Ok(None);
    };
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

/// What a client writes to a session stream: text, if its content type is one of text, else bytes.
///
/// # Errors
///
/// 415 for text that is not UTF-8.
pub(super) fn form_of_stream(headers: &HeaderMap) -> Result<InputForm, Refusal> {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = value.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
    let is_text = media_type.starts_with("text/")
        || matches!(media_type.as_str(), "application/xml" | "application/json")
        || media_type.ends_with("+xml")
        || media_type.ends_with("+json");
    if !is_text {
        return Ok(InputForm::Bytes);
    }
    let charset = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    match charset {
        Some(charset) if !["utf-8", "us-ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known)) => {
            let message = format!("text is written to a session stream as UTF-8, not as `{charset}`");
            Err(Refusal::new(415, "UnsupportedMediaType", message))
        }
        _ => Ok(InputForm::Text),
    }
}

/// In which form a client gets its faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FaultFormat {
    Xml,
    /// RFC 9457.
    ProblemJson,
}

impl FaultFormat {
    /// The form that the headers of a request ask for.
    pub(super) fn wished_for(headers: &HeaderMap) -> Self {
        if prefers_problem_json(headers) { Self::ProblemJson } else { Self::Xml }
    }
}

/// Whether the client would rather have its faults as JSON (RFC 9457) than as XML.
fn prefers_problem_json(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(
        |item| {
            let mut parts = item.split(';').map(str::trim);
            let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
            matches!(media_type.as_str(), "application/problem+json" | "application/json") && !parts.any(is_zero_weight)
        },
    )
}

/// `q=0` is "not this" (RFC 9110, section 12.4.2).
fn is_zero_weight(parameter: &str) -> bool {
    let weight = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="));
    weight.and_then(|weight| weight.parse::<f32>().ok()).is_some_and(|weight| weight <= 0.0)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn json_is_preferred_where_it_is_asked_for_with_a_weight() {
        for (accept, is_preferred) in [
            ("application/problem+json", true),
            ("text/xml, Application/JSON;q=0.5", true),
            ("application/problem+json;q=0", false),
            ("application/problem+json; q=0.000, */*", false),
            ("application/problem+json;q=0, application/json", true),
            ("*/*", false),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(prefers_problem_json(&headers), is_preferred, "{accept}");
        }
    }
}
