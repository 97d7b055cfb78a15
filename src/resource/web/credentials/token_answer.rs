//! What a token end-point answers (RFC 6749, section 5).

use std::fmt;
use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::resource::relational::access::Secret;
use crate::resource::web::WebError;

/// A token, and what came with it.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) token: Secret,
    /// How long it is good; `None`: until it is refused.
    pub(super) lifetime: Option<Duration>,
    /// The refresh token that takes the place of the one that was used.
    pub(super) refresh_token: Option<Secret>,
}

#[derive(Deserialize)]
struct Answer {
    access_token: Option<String>,
    token_type: Option<String>,
    /// A number of seconds, which some write as text.
    expires_in: Option<Value>,
    refresh_token: Option<String>,
}

#[derive(Deserialize)]
struct Problem {
    error: String,
}

/// Reads an answer. Nothing of it but the code of an error is repeated.
pub(super) fn read(endpoint: &dyn fmt::Display, status: StatusCode, body: &[u8]) -> Result<Granted, WebError> {
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        let message = format!("the token end-point {endpoint} answers {status}");
        return Err(WebError::Transport { message, never_sent: true });
    }
    let refused = |problem: &dyn fmt::Display| WebError::Credentials {
        message: format!("the token end-point {endpoint} gives no token: {problem}"),
    };
    if !status.is_success() {
        let code = serde_json::from_slice(body).ok().and_then(|Problem { error }| error_code(error));
        return Err(refused(&format_args!("it answers {status}, {}", code.as_deref().unwrap_or("without a reason"))));
    }
    let answer: Answer =
        serde_json::from_slice(body).map_err(|_| refused(&"what it answers is not JSON as expected"))?;
    let token = answer.access_token.filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| refused(&"there is no `access_token` in its answer"))?;
    if let Some(kind) = answer.token_type.filter(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        let kind = error_code(kind).unwrap_or_else(|| "another".to_owned());
        return Err(refused(&format_args!("its `token_type` is {kind}, and only Bearer is known here")));
    }
    Ok(Granted {
        token: Secret::from(token),
        lifetime: answer.expires_in.and_then(|value| seconds(&value)),
        refresh_token: answer.refresh_token.filter(|token| !token.is_empty()).map(Secret::from),
    })
}

/// A code such as `invalid_grant`, if that is what it is: an error description may repeat what was sent.
fn error_code(text: String) -> Option<String> {
    let is_code = text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_lowercase() || b"_-.".contains(&byte));
    is_code.then(|| format!("`{text}`"))
}

fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Result<Granted, WebError> {
        super::read(&"https://login.example.com/token", StatusCode::from_u16(status).unwrap(), body.as_bytes())
    }

    #[test]
    fn a_token_is_read_with_its_lifetime_in_every_form() {
        for (expires, lifetime) in [
            ("3600", Some(3600.0)),
            ("\"3600\"", Some(3600.0)),
            ("59.5", Some(59.5)),
            ("null", None),
            ("\"soon\"", None),
            ("-1", None),
            ("1e300", None),
        ] {
            let granted =
                read(200, &format!(r#"{{"access_token":"a1","token_type":"bearer","expires_in":{expires}}}"#));
            let granted = granted.unwrap();
            assert_eq!((granted.token.reveal(), granted.refresh_token.is_none()), ("a1", true));
            assert_eq!(granted.lifetime.map(|lifetime| lifetime.as_secs_f64()), lifetime, "{expires}");
        }
        let granted = read(200, r#"{"access_token":"a1","refresh_token":"r2","scope":"x"}"#).unwrap();
        assert_eq!(granted.refresh_token.unwrap().reveal(), "r2");
    }

    #[test]
    fn what_is_no_token_is_refused_without_being_repeated() {
        for (status, body, said) in [
            (400, r#"{"error":"invalid_grant","error_description":"secret"}"#, "400 Bad Request, `invalid_grant`"),
            (401, r#"{"error":"Bad secret!"}"#, "401 Unauthorized, without a reason"),
            (403, "secret", "403 Forbidden, without a reason"),
            (302, "", "302 Found"),
            (200, "secret", "not JSON"),
            (200, r#"{"access_token":7,"x":"secret"}"#, "not JSON as expected"),
            (200, r#"{"access_token":""}"#, "no `access_token`"),
            (200, r#"{"access_token":"secret","token_type":"mac"}"#, "`token_type` is `mac`"),
        ] {
            let error = read(status, body).expect_err(body);
            assert!(matches!(error, WebError::Credentials { .. }), "{error:?}");
            let text = error.to_string();
            assert!(text.contains(said) && !text.contains("secret"), "{text}");
        }
    }

    #[test]
    fn an_end_point_that_does_not_work_may_work_later() {
        for status in [429, 500, 503] {
            let error = read(status, "secret").unwrap_err();
            assert!(matches!(error, WebError::Transport { never_sent: true, .. }), "{error:?}");
        }
    }
}
