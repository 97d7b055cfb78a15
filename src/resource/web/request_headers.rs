//! What a request may say for itself.

use http::HeaderMap;

use super::WebError;
use super::redirect::may_cross;

/// What the HTTP client says itself. Another `Host` would reach what the operator has not listed; another length, whatever the
/// request is made to look like.
const OWN: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Checks the headers of a request, and marks what may be secret, so that no log of the HTTP client shows it.
pub(super) fn prepare(headers: &mut HeaderMap) -> Result<(), WebError> {
    if let Some(own) = OWN.iter().find(|own| headers.contains_key(**own)) {
        return Err(WebError::request(format!("a request can't set the header `{own}`: leave it out")));
    }
    for (name, value) in headers.iter_mut() {
        value.set_sensitive(!may_cross(name));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header};

    use super::*;

    #[test]
    fn what_the_client_says_itself_can_not_be_said_by_a_request() {
        for own in OWN {
            let mut headers = HeaderMap::new();
            headers.insert(own, HeaderValue::from_static("x"));
            assert!(prepare(&mut headers).unwrap_err().to_string().contains(own));
        }
    }

    #[test]
    fn what_may_be_secret_is_marked() {
        let mut headers = HeaderMap::new();
        headers.insert("x-api-key", HeaderValue::from_static("secret"));
        headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        prepare(&mut headers).unwrap();
        let shown = format!("{headers:?}");
        assert!(!shown.contains("secret") && shown.contains("*/*"), "{shown}");
    }
}
