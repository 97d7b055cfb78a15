//! Requests that a web page makes its reader's browser send.
//!
//! Who reaches a service that authenticates nobody may use it, and a password that a browser knows it sends by itself. So a
//! browser on a machine that reaches the service would use it for any page that it shows, in these ways.
//!
//! - **A blind POST.** A page may post to any address as long as it does not read the answer, and need not ask first where the
//!   content type is one of a form or missing (Fetch standard, "CORS-safelisted"). Browsers say from where such a request comes:
//!   in `Origin`, and the newer ones in `Sec-Fetch-Site`. A POST whose origin is neither this service nor listed is refused
//!   ([`check_post`]), and a document that comes with an `Origin` needs its content type. Clients that are no browsers send
//!   neither header.
//! - **A ride on the cookie.** A browser adds the session cookie by itself, so that a request has it proves nothing of who made
//!   it. What changes something under it needs a proof that the page is one of ours ([`check_cookie`]).
//! - **DNS rebinding.** The owner of a name points it at 127.0.0.1 once the page is loaded; to the browser page and service are
//!   then one site, and answers can be read. The name still stands in `Host`. A service that listens on a loopback address has
//!   no business with names, so it answers to IP addresses and `localhost` alone ([`check_host`]).

use std::net::IpAddr;

use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderName, HeaderValue, Uri};

use super::refusal::Refusal;
use crate::document::Origin;

/// Fetch Metadata: how the page that makes a request is related to the service.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What a script adds to its requests by hand, and no page can send elsewhere without asking first.
const REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");

/// Refuses a POST that a page of another site has made, unless its origin is listed.
///
/// # Errors
///
/// 403 `Forbidden`.
pub(super) fn check_post(head: &Parts, listed: &[Origin]) -> Result<(), Refusal> {
    match page_of(head, listed) {
        Page::Listed => Ok(()),
        _ if fetch_sites(head).any(|site| site == "cross-site") => {
            Err(forbidden("pages of another site may not post here"))
        }
        Page::Own | Page::Untold => Ok(()),
        Page::Foreign => Err(forbidden(
            "pages of another origin may not post here: `Origin` has to name the `Host` of the request, or to be listed in \
             the session configuration (`carrier/origin`)",
        )),
    }
}

/// Refuses what would change something under a session cookie, unless it is proved that a page of ours made the request: by its
/// origin, by what the browser says of it, or by a header that a page of others can't send.
///
/// # Errors
///
/// 403 `Forbidden`.
pub(super) fn check_cookie(head: &Parts, listed: &[Origin]) -> Result<(), Refusal> {
    let comes_from_here = || {
        let mut sites = fetch_sites(head).peekable();
        sites.peek().is_some() && sites.all(|site| site == "same-origin" || site == "none")
    };
    let is_proved = match page_of(head, listed) {
        Page::Own | Page::Listed => true,
        Page::Foreign => false,
        Page::Untold => comes_from_here() || head.headers.contains_key(REQUESTED_WITH),
    };
    if is_proved {
        return Ok(());
    }
    Err(forbidden(
        "the session came by cookie, which any page can make a browser send: send the header `X-Requested-With` too (with any \
         value), or name the session in its header or in the document",
    ))
}

/// Whether a browser made the request: nothing else says so much about itself.
pub(super) fn is_of_browser(head: &Parts) -> bool {
    head.headers.contains_key(SEC_FETCH_SITE) || head.headers.contains_key(ORIGIN)
}

/// The page that made a request, by its origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    /// The request has no `Origin`.
    Untold,
    /// It is of this service.
    Own,
    /// It is of an origin that is listed.
    Listed,
    /// It is of somebody else.
    Foreign,
}

fn page_of(head: &Parts, listed: &[Origin]) -> Page {
    let mut origins = head.headers.get_all(ORIGIN).iter();
    let Some(origin) = origins.next() else { return Page::Untold };
    let target = hosts(head).next().flatten();
    if origins.next().is_some() {
        Page::Foreign
    } else if is_listed(origin, listed) {
        Page::Listed
    } else if target.is_some_and(|target| is_origin_of(origin, &target)) {
        Page::Own
    } else {
        Page::Foreign
    }
}

/// Whether an origin is one of those.
pub(super) fn is_listed(origin: &HeaderValue, listed: &[Origin]) -> bool {
    listed.iter().any(|listed| listed.as_str().as_bytes() == origin.as_bytes())
}

fn fetch_sites(head: &Parts) -> impl Iterator<Item = String> {
    let sites = head.headers.get_all(SEC_FETCH_SITE).iter();
    sites.map(|site| String::from_utf8_lossy(site.as_bytes()).to_ascii_lowercase())
}

/// Refuses a request to a loopback address under a name that anybody may have made up.
///
/// # Errors
///
/// 403 `Forbidden`.
pub(super) fn check_host(head: &Parts) -> Result<(), Refusal> {
    let is_local = |authority: Option<Authority>| {
        authority.is_some_and(|authority| {
            let host = authority.host();
            let address = host.trim_start_matches('[').trim_end_matches(']');
            host.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok()
        })
    };
    if hosts(head).all(is_local) {
        return Ok(());
    }
    Err(forbidden("this service listens on a loopback address: `Host` has to be an IP address or `localhost`"))
}

/// Where the request says that it goes, the one that counts first (RFC 9110, section 7.2); `None` is none that can be read.
fn hosts(head: &Parts) -> impl Iterator<Item = Option<Authority>> {
    let target = head.uri.authority().cloned().map(Some);
    target.into_iter().chain(head.headers.get_all(HOST).iter().map(|host| Authority::try_from(host.as_bytes()).ok()))
}

/// Whether scheme, host and port of an origin are those of the target. A port that is left out is that of the scheme; which
/// scheme the client spoke to a proxy in front is known from the origin alone.
fn is_origin_of(origin: &HeaderValue, target: &Authority) -> bool {
    let Some(origin) = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok()) else { return false };
    let default = match origin.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        _ => return false,
    };
    origin.authority().is_some_and(|authority| {
        authority.host().eq_ignore_ascii_case(target.host())
            && authority.port_u16().unwrap_or(default) == target.port_u16().unwrap_or(default)
    })
}

fn forbidden(message: &str) -> Refusal {
    Refusal::new(403, "Forbidden", message)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn head(headers: &[(&str, &str)]) -> Parts {
        let request = Request::post("/services/data");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_post_of_another_origin_is_refused() {
        for (host, origin, is_allowed) in [
            ("127.0.0.1:8080", "http://127.0.0.1:8080", true),
            ("LOCALHOST:8080", "http://localhost:8080", true),
            ("data.example.org", "https://data.example.org", true),
            ("data.example.org:443", "https://data.example.org", true),
            ("[::1]:8080", "http://[::1]:8080", true),
            ("127.0.0.1:8080", "http://127.0.0.1:9000", false),
            ("127.0.0.1:8080", "http://127.0.0.1", false),
            ("127.0.0.1:8080", "https://evil.example", false),
            ("127.0.0.1:8080", "null", false),
            ("127.0.0.1:8080", "", false),
        ] {
            let head = head(&[("host", host), ("origin", origin)]);
            assert_eq!(check_post(&head, &[]).is_ok(), is_allowed, "{origin} to {host}");
        }
    }

    #[test]
    fn what_says_that_it_is_cross_site_is_believed() {
        let host = ("host", "127.0.0.1:8080");
        assert!(check_post(&head(&[host, ("sec-fetch-site", "cross-site")]), &[]).is_err());
        for site in ["same-origin", "none"] {
            assert!(check_post(&head(&[host, ("sec-fetch-site", site)]), &[]).is_ok(), "{site}");
        }
        assert!(check_post(&head(&[host]), &[]).is_ok());
    }

    #[test]
    fn a_listed_origin_may_post_from_another_site() {
        let listed = [Origin::parse("https://app.example.org").unwrap()];
        let host = ("host", "data.example.org");
        let site = ("sec-fetch-site", "cross-site");
        assert!(check_post(&head(&[host, site, ("origin", "https://app.example.org")]), &listed).is_ok());
        for origin in ["http://app.example.org", "https://app.example.org:444", "https://app.example.org.evil.example"]
        {
            assert!(check_post(&head(&[host, ("origin", origin)]), &listed).is_err(), "{origin}");
        }
        assert!(check_post(&head(&[host, site, ("origin", "https://data.example.org")]), &listed).is_err());
        let two = [host, ("origin", "https://app.example.org"), ("origin", "https://evil.example")];
        assert!(check_post(&head(&two), &listed).is_err());
    }

    #[test]
    fn under_a_cookie_nothing_changes_without_a_proof() {
        // Behaviour 47.
        let listed = [Origin::parse("https://app.example.org").unwrap()];
        for (headers, is_allowed) in [
            (&[][..], false),
            (&[("origin", "https://data.example.org")], true),
            (&[("origin", "https://app.example.org")], true),
            (&[("origin", "https://app.example.org"), ("sec-fetch-site", "same-site")], true),
            (&[("origin", "https://evil.example")], false),
            (&[("origin", "null"), ("x-requested-with", "script")], false),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], false),
            (&[("x-requested-with", "")], true),
        ] {
            let headers = [&[("host", "data.example.org")], headers].concat();
            assert_eq!(check_cookie(&head(&headers), &listed).is_ok(), is_allowed, "{headers:?}");
        }
    }

    #[test]
    fn a_loopback_address_answers_to_no_name_but_localhost() {
        for (host, is_allowed) in [
            ("127.0.0.1:8080", true),
            ("localhost", true),
            ("LocalHost:1", true),
            ("[::1]:8080", true),
            ("evil.example:8080", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("user@127.0.0.1 ", false),
            ("", false),
        ] {
            assert_eq!(check_host(&head(&[("host", host)])).is_ok(), is_allowed, "{host}");
        }
        assert!(check_host(&head(&[])).is_ok(), "HTTP/1.0 has no `Host`, and no browser speaks it");
    }
}
