//! The header `Authorization`, and the challenge that asks for it (RFC 9110, section 11).

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::AuthenticationError;
use crate::document::{DocumentError, Fields};

/// The longest header that is looked at.
const LONGEST: usize = 8 * 1024;

/// How a client may say who it is. It is the same whatever was wrong.
#[derive(Debug, Clone)]
pub(super) struct Challenge(String);

impl Challenge {
    /// Reads the attribute `realm`: what a browser shows to the one who is asked. Other parameters stand behind it.
    ///
    /// # Errors
    ///
    /// Where it can't stand in a header.
    pub(super) fn read(scheme: &str, fields: &mut Fields<'_>, parameters: &str) -> Result<Self, DocumentError> {
        let realm = match fields.attribute("realm") {
            Some(realm) if !realm.as_str().bytes().all(|byte| (b' '..=b'~').contains(&byte)) => {
                return Err(realm.expected("printable ASCII"));
            }
            Some(realm) => realm.as_str().replace('\\', "\\\\").replace('"', "\\\""),
            None => "Rejoin".to_owned(),
        };
        Ok(Self(format!("{scheme} realm=\"{realm}\"{parameters}")))
    }

    /// The answer to who says nothing, or something wrong.
    pub(super) fn error(&self) -> AuthenticationError {
        AuthenticationError::Unauthenticated { challenge: self.0.clone() }
    }
}

/// What stands behind the scheme, if the request has one such header, which is of that scheme and of the form that RFC 9110
/// calls `token68`.
pub(super) fn credentials<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (Some(only), None) = (all.next(), all.next()) else { return None };
    let only = only.to_str().ok().filter(|value| value.len() <= LONGEST)?;
    let (given, credentials) = only.split_once(' ')?;
    let credentials = credentials.trim_matches(' ');
    (given.eq_ignore_ascii_case(scheme) && is_token68(credentials)).then_some(credentials)
}

/// `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`
fn is_token68(text: &str) -> bool {
    let token = text.trim_end_matches('=');
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::document::{Element, Limits};

    fn of(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        credentials(&headers, "Basic").map(str::to_owned)
    }

    #[test]
    fn there_is_one_header_of_the_scheme_with_one_token() {
        assert_eq!(of(&["Basic YTpi"]).as_deref(), Some("YTpi"));
        assert_eq!(of(&["bAsIc   YTpi=="]).as_deref(), Some("YTpi=="), "the scheme is of any case");
        let too_long = format!("Basic {}", "A".repeat(LONGEST));
        for wrong in [
            &[][..],
            &["Basic YTpi", "Basic YTpi"],
            &["Basic YTpi", "Bearer YTpi"],
            &["Bearer YTpi"],
            &["Basic"],
            &["Basic "],
            &["Basic =="],
            &["BasicYTpi"],
            &[" Basic YTpi"],
            &["Basic YTpi YTpi"],
            &["Basic YTpi, Basic YTpi"],
            &["Basic YT\tpi"],
            &["Basic YT=pi"],
            &["Basic é"],
            &[&too_long],
        ] {
            assert_eq!(of(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn the_realm_is_quoted() {
        let element = Element::parse(br#"<a realm='The "book" \o/'/>"#, &Limits::default()).unwrap();
        let challenge = Challenge::read("Bearer", &mut element.fields(), "").unwrap();
        assert_eq!(challenge.0, r#"Bearer realm="The \"book\" \\o/""#);
        let element = Element::parse(b"<a/>", &Limits::default()).unwrap();
        let challenge = Challenge::read("Basic", &mut element.fields(), ", charset=\"UTF-8\"").unwrap();
        assert_eq!(challenge.0, "Basic realm=\"Rejoin\", charset=\"UTF-8\"");
    }
}
