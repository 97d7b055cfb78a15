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

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const ID: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    const OTHER: &str = "BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    fn cookie(settings: CookieSettings) -> SessionCookie {
        SessionCookie::new("Rejoin-Session", "data", settings)
    }

    fn find(lines: &[&[u8]]) -> FoundCookie {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_bytes(line).unwrap());
        }
        cookie(CookieSettings::default()).find(&headers)
    }

    fn id(text: &str) -> FoundCookie {
        FoundCookie::Id(SessionId::parse(text).unwrap())
    }

    #[test]
    fn every_resource_has_a_cookie_of_its_own_name() {
        let name = |resource: &str, insecure| {
            let settings = CookieSettings { insecure, ..CookieSettings::default() };
            SessionCookie::new("X-S", resource, settings).name().to_owned()
        };
        assert_eq!(name("orders", false), "__Host-X-S-orders");
        assert_eq!(name("orders", true), "X-S-orders");
        assert_eq!(name("a_b-c.d", false), "__Host-X-S-a_b-c.d");
        assert_eq!(name("caf\u{e9}", false), "__Host-X-S-caf%C3%A9");
        assert_eq!(name("a;b =%", false), "__Host-X-S-a%3Bb%20%3D%25");
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        // Behaviour 44.
        let ours = format!("__Host-Rejoin-Session-data={ID}");
        for line in [ours.clone(), format!("a=b; {ours}"), format!("x;{ours};=; y=\"; \""), format!("  {ours}  ;")] {
            assert_eq!(find(&[line.as_bytes()]), id(ID), "{line}");
        }
        assert_eq!(find(&[b"a=b", ours.as_bytes()]), id(ID), "HTTP/2 splits the header");
        let beside_bytes = [b"a=\xFF\xFE; ", ours.as_bytes()].concat();
        assert_eq!(find(&[&beside_bytes]), id(ID), "the cookies of others may be anything");
        assert_eq!(find(&[format!("{ours}; {ours}").as_bytes()]), id(ID), "twice the same is once");
    }

    #[test]
    fn another_name_is_another_cookie() {
        for name in [
            "__host-rejoin-session-data",
            "__Host-Rejoin-Session-dat",
            "Rejoin-Session-data",
            "x__Host-Rejoin-Session-data",
        ] {
            assert_eq!(find(&[format!("{name}={ID}").as_bytes()]), FoundCookie::Nothing, "{name}");
        }
        assert_eq!(find(&[]), FoundCookie::Nothing);
    }

    #[test]
    fn what_can_not_be_an_id_is_malformed_and_two_are_ambiguous() {
        for value in ["", "x", &format!("\"{ID}\""), &format!("{ID}=")] {
            assert_eq!(
                find(&[format!("__Host-Rejoin-Session-data={value}").as_bytes()]),
                FoundCookie::Malformed,
                "{value}"
            );
        }
        let two = format!("__Host-Rejoin-Session-data={ID}; __Host-Rejoin-Session-data={OTHER}");
        assert_eq!(find(&[two.as_bytes()]), FoundCookie::Ambiguous);
        let lines = two.split("; ").map(str::as_bytes).collect::<Vec<_>>();
        assert_eq!(find(&lines), FoundCookie::Ambiguous);
    }

    #[test]
    fn a_cookie_is_taken_back_under_its_name_and_attributes() {
        // Behaviours 45 and 46.
        assert_eq!(
            cookie(CookieSettings::default()).cleared(),
            "__Host-Rejoin-Session-data=; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=0"
        );
        let settings = CookieSettings { same_site: SameSite::Lax, insecure: true };
        assert_eq!(cookie(settings).cleared(), "Rejoin-Session-data=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0");
        assert_eq!(cookie(settings).written("v", None), "Rejoin-Session-data=v; HttpOnly; SameSite=Lax; Path=/");
    }

    #[test]
    fn a_cookie_does_not_go_before_its_session() {
        let now = DateTime::UNIX_EPOCH;
        for (millis, seconds) in [(0, 0), (1, 1), (1000, 1), (1001, 2), (-5, 0)] {
            assert_eq!(seconds_between(now, now + chrono::TimeDelta::milliseconds(millis)), seconds, "{millis}");
        }
    }

    #[test]
    fn no_error_repeats_what_a_cookie_holds() {
        // Behaviour 49.
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("__Host-Rejoin-Session-data=mistyped-secret"));
        let refusal = cookie(CookieSettings::default()).id(&headers).unwrap_err();
        assert!(!format!("{refusal:?}").contains("mistyped"), "{refusal:?}");
    }
}
