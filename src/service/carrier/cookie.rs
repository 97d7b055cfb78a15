//! The cookie that carries a session id: its name, its attributes, and how it is found in a request (RFC 6265bis).

use chrono::{DateTime, Utc};
use cookie::{Cookie, SameSite as CookieSameSite, time::Duration};
use http::HeaderMap;
use http::header::COOKIE;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::invalid;
use crate::document::{CookieSettings, SameSite};
use crate::service::refusal::Refusal;
use crate::session::{SessionId, SessionInfo};

/// What a browser lets only the host itself set: with `Secure`, for every path, and for no other host (RFC 6265bis, section
/// 4.1.3.2).
const HOST_PREFIX: &str = "__Host-";

/// What of the name of a resource can't stand in the name of a cookie as it is: everything but letters, digits, `-`, `_` and `.`.
const NOT_IN_NAMES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// The cookie of one resource. A host has one jar for all of its resources, so each has a cookie of its own name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::service) struct SessionCookie {
    name: String,
    settings: CookieSettings,
}

/// What a request has of the cookie.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::service) enum FoundCookie {
    /// Nothing.
    Nothing,
    /// The id of a session.
    Id(SessionId),
    /// Something that can't be an id.
    Malformed,
    /// Several of the name, with different values.
    Ambiguous,
}

impl SessionCookie {
    /// The cookie of a resource; `header` is the name of its session header.
    pub(super) fn new(header: &str, resource: &str, settings: CookieSettings) -> Self {
        let prefix = if settings.insecure { "" } else { HOST_PREFIX };
        Self { name: format!("{prefix}{header}-{}", utf8_percent_encode(resource, NOT_IN_NAMES)), settings }
    }

    pub(in crate::service) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it goes over plain HTTP.
    pub(in crate::service) fn is_insecure(&self) -> bool {
        self.settings.insecure
    }

    /// Looks for the cookie. HTTP/2 may split the header into several (RFC 9113, section 8.2.3); names are case-sensitive.
    pub(in crate::service) fn find(&self, headers: &HeaderMap) -> FoundCookie {
        let mut found = None;
        for line in headers.get_all(COOKIE) {
            // The cookies of others may hold any bytes.
            let line = String::from_utf8_lossy(line.as_bytes());
            for cookie in Cookie::split_parse(&*line).flatten().filter(|cookie| cookie.name() == self.name) {
                match &found {
                    Some(earlier) if earlier != cookie.value() => return FoundCookie::Ambiguous,
                    Some(_) => {}
                    None => found = Some(cookie.value().to_owned()),
                }
            }
        }
        match found {
            None => FoundCookie::Nothing,
            Some(value) => SessionId::parse(&value).map_or(FoundCookie::Malformed, FoundCookie::Id),
        }
    }

    /// The id that the cookie carries.
    pub(super) fn id(&self, headers: &HeaderMap) -> Result<Option<SessionId>, Refusal> {
        match self.find(headers) {
            FoundCookie::Nothing => Ok(None),
            FoundCookie::Id(id) => Ok(Some(id)),
            FoundCookie::Malformed => {
                Err(invalid(format!("the cookie `{}` does not hold a session id as the service issued it", self.name)))
            }
            FoundCookie::Ambiguous => {
                Err(invalid(format!("the cookie `{}` stands there twice, with different values", self.name)))
            }
        }
    }

    /// The cookie for a session, as it stands in `Set-Cookie`. It lives for as long as the session would if nobody joined it.
    pub(super) fn of(&self, session: &SessionInfo, now: DateTime<Utc>) -> String {
        let expires = [session.idle_expires, session.lifetime_expires].into_iter().flatten().min();
        self.written(session.id.expose().as_str(), expires.map(|expires| seconds_between(now, expires)))
    }

    /// What makes a browser forget the cookie: the same name and attributes, and no time to live.
    pub(super) fn cleared(&self) -> String {
        self.written("", Some(0))
    }

    fn written(&self, value: &str, max_age: Option<i64>) -> String {
        let same_site = match self.settings.same_site {
            SameSite::Strict => CookieSameSite::Strict,
            SameSite::Lax => CookieSameSite::Lax,
        };
        let mut cookie = Cookie::build((&*self.name, value))
            .path("/")
            .secure(!self.settings.insecure)
            .http_only(true)
            .same_site(same_site)
            .build();
        cookie.set_max_age(max_age.map(Duration::seconds));
        cookie.to_string()
    }
}

/// Whole seconds, one that has begun counted: a cookie does not go before its session.
fn seconds_between(now: DateTime<Utc>, then: DateTime<Utc>) -> i64 {
    let millis = (then - now).num_milliseconds().max(0);
    millis / 1000 + i64::from(millis % 1000 > 0)
}
