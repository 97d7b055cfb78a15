//! Where answers lead, and how far one follows.

use http::header::{self, HeaderMap, HeaderName};
use http::{Method, StatusCode};
use reqwest::Url;

use super::WebError;
use super::origin::{join, shown};

/// The most redirects of one request.
const LONGEST: usize = 10;

/// What may go to another origin than the one that a request was made for: nothing that could be a credential.
const CROSSING: [HeaderName; 9] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
    header::CACHE_CONTROL,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_RANGE,
    header::RANGE,
    header::USER_AGENT,
];

/// Where the answer to a request leads; `None` if it is the answer: there is nothing to follow, or no way to do it that is
/// certain to change nothing.
pub(super) fn target(
    method: &Method,
    status: StatusCode,
    headers: &HeaderMap,
    url: &Url,
) -> Result<Option<Url>, WebError> {
    let is_redirect = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
    if !is_redirect || !matches!(*method, Method::GET | Method::HEAD) {
        return Ok(None);
    }
    let Some(location) = headers.get(header::LOCATION) else { return Ok(None) };
    let refused = |problem: &str| WebError::Redirected { message: format!("{} leads nowhere: {problem}", shown(url)) };
    let location = std::str::from_utf8(location.as_bytes()).map_err(|_| refused("`Location` is no text"))?;
    join(url, location).map(Some).map_err(|error| refused(&error.to_string()))
}

/// The way that one request has gone.
#[derive(Debug, Default)]
pub(super) struct Trail {
    visited: Vec<Url>,
}

impl Trail {
    /// Notes a step, if it may be gone: not to where one has been, and not too far.
    pub(super) fn step(&mut self, url: &Url) -> Result<(), WebError> {
        let problem = match self.visited.first() {
            Some(first) if self.visited.contains(url) => {
                format!("{} leads in a circle, back to {}", shown(first), shown(url))
            }
            Some(first) if self.visited.len() > LONGEST => {
                format!("{} leads on more than {LONGEST} times", shown(first))
            }
            _ => {
                self.visited.push(url.clone());
                return Ok(());
            }
        };
        Err(WebError::Redirected { message: problem })
    }
}

/// Whether a header may go to another origin than the one that its request was made for.
pub(super) fn may_cross(name: &HeaderName) -> bool {
    CROSSING.contains(name)
}

/// The headers of a request that may go to another origin than it was made for: those that can't be a credential.
///
/// ```
/// use http::{HeaderMap, HeaderName, HeaderValue};
/// use rejoin::resource::web::crossing;
///
/// let headers = ["accept", "x-api-key"].map(|name| (HeaderName::from_static(name), HeaderValue::from_static("x")));
/// assert_eq!(crossing(&HeaderMap::from_iter(headers)).keys().collect::<Vec<_>>(), ["accept"]);
/// ```
#[must_use]
pub fn crossing(headers: &HeaderMap) -> HeaderMap {
    let kept = headers.iter().filter(|(name, _)| may_cross(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn led(method: &Method, status: u16, location: &str) -> Result<Option<Url>, WebError> {
        let headers = HeaderMap::from_iter([(header::LOCATION, HeaderValue::from_bytes(location.as_bytes()).unwrap())]);
        target(method, StatusCode::from_u16(status).unwrap(), &headers, &url("https://a.example/x/y?token=secret"))
    }

    #[test]
    fn only_what_changes_nothing_is_followed() {
        for status in [301, 302, 303, 307, 308] {
            assert_eq!(led(&Method::GET, status, "../z").unwrap(), Some(url("https://a.example/z")));
            assert!(led(&Method::HEAD, status, "z").unwrap().is_some());
            for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                assert_eq!(led(&method, status, "z"), Ok(None));
            }
        }
        for status in [200, 201, 300, 304, 305, 404] {
            assert_eq!(led(&Method::GET, status, "z"), Ok(None), "{status}");
        }
        let nowhere = target(&Method::GET, StatusCode::FOUND, &HeaderMap::new(), &url("https://a.example"));
        assert_eq!(nowhere, Ok(None));
    }

    #[test]
    fn a_location_that_is_none_is_refused_without_the_query() {
        for location in ["ftp://b.example/", "https://u:p@b.example/", "http://["] {
            let error = led(&Method::GET, 302, location).expect_err(location);
            assert!(matches!(error, WebError::Redirected { .. }));
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_circle_is_told_from_a_long_way() {
        let mut trail = Trail::default();
        trail.step(&url("https://a.example/?secret")).unwrap();
        trail.step(&url("https://a.example/1")).unwrap();
        let error = trail.step(&url("https://a.example/?secret")).unwrap_err().to_string();
        assert_eq!(error, "https://a.example/ leads in a circle, back to https://a.example/");

        let mut trail = Trail::default();
        for hop in 0..=LONGEST {
            trail.step(&url(&format!("https://a.example/{hop}"))).unwrap();
        }
        let error = trail.step(&url("https://a.example/on")).unwrap_err().to_string();
        assert_eq!(error, "https://a.example/0 leads on more than 10 times");
    }

    #[test]
    fn what_could_be_a_credential_does_not_go_to_another_origin() {
        let headers = ["accept", "range", "authorization", "cookie", "x-api-key", "proxy-authorization"];
        let value = HeaderValue::from_static("v");
        let headers = headers.map(|name| (HeaderName::from_static(name), value.clone())).into_iter().collect();
        let kept: Vec<String> = crossing(&headers).keys().map(ToString::to_string).collect();
        assert_eq!(kept, ["accept", "range"]);
    }
}
