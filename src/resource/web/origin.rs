//! What is reachable is said in origins: a scheme, a host and a port (RFC 6454).

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

use super::WebError;

/// A scheme, a host and a port: what credentials are for, and what an allow-list lists.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    is_https: bool,
    /// As URLs have it: lower case, international names in their ASCII form, addresses in their usual form.
    host: Box<str>,
    port: u16,
}

impl Origin {
    /// Reads an origin: a URI that says no more than `https://api.example.com` or `http://10.1.2.3:8090/`.
    ///
    /// ```
    /// use rejoin::resource::web::Origin;
    ///
    /// let origin = Origin::parse("HTTPS://API.Example.com:443/").unwrap();
    /// assert_eq!(origin.to_string(), "https://api.example.com");
    /// assert_eq!(origin, Origin::of("https://api.example.com/v1/orders?page=2").unwrap());
    /// assert!(Origin::parse("https://api.example.com/v1/").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// [`WebError::Request`] when it is no such URI, or says more. The URI is not repeated.
    pub fn parse(text: &str) -> Result<Self, WebError> {
        let url = parse(text)?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            let message = "an origin is a scheme, a host, and a port if it isn't the usual one, such as \
                           `https://api.example.com`: leave out what follows";
            return Err(WebError::request(message));
        }
        Ok(Self::of_url(&url))
    }

    /// The origin of an absolute URI.
    ///
    /// # Errors
    ///
    /// [`WebError::Request`] when it is no absolute URI of HTTP, or holds a password. The URI is not repeated.
    pub fn of(uri: &str) -> Result<Self, WebError> {
        parse(uri).map(|url| Self::of_url(&url))
    }

    /// The origin of a URL that [`parse`] or [`join`] has made.
    pub(super) fn of_url(url: &Url) -> Self {
        Self {
            is_https: url.scheme() == "https",
            host: url.host_str().unwrap_or_default().into(),
            port: url.port_or_known_default().unwrap_or_default(),
        }
    }

    /// Whether it is reached through TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// Its host: a name, or an address.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The address that the host is, if it is one.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.host.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, usual) = if self.is_https { ("https", 443) } else { ("http", 80) };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == usual { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({self})")
    }
}

/// Reads an absolute URI of HTTP.
pub(super) fn parse(uri: &str) -> Result<Url, WebError> {
    let url = Url::parse(uri.trim()).map_err(|error| {
        WebError::request(format!("a URI such as `https://api.example.com/v1/` was expected: {error}"))
    })?;
    checked(url)
}

/// The URI that a reference means which an answer of `base` gives: a next page, a file.
///
/// ```
/// use rejoin::resource::web::resolve;
///
/// let next = resolve("https://api.example.com/v1/orders?page=1", "?page=2").unwrap();
/// assert_eq!(next, "https://api.example.com/v1/orders?page=2");
/// ```
///
/// # Errors
///
/// [`WebError::Request`] when either is no URI of HTTP.
pub fn resolve(base: &str, reference: &str) -> Result<String, WebError> {
    join(&parse(base)?, reference.trim()).map(String::from)
}

/// The URI that a reference means which stands at `base` (RFC 3986, section 5).
pub(super) fn join(base: &Url, reference: &str) -> Result<Url, WebError> {
    let url = base.join(reference).map_err(|error| {
        WebError::request(format!("what was to be a URI, or one relative to `{}`, is none: {error}", shown(base)))
    })?;
    checked(url)
}

fn checked(mut url: Url) -> Result<Url, WebError> {
    if !matches!(url.scheme(), "http" | "https") {
        let message = format!("the scheme of a URI has to be `http` or `https`, not `{}`", url.scheme());
        return Err(WebError::request(message));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let message =
            "there is a user or a password in a URI: leave them out, and give the data resource `credentials`";
        return Err(WebError::request(message));
    }
    url.set_fragment(None);
    Ok(url)
}

/// A URI as errors and logs show it: without its query, which may hold what is secret.
pub(super) fn shown(url: &Url) -> String {
    format!("{}{}", Origin::of_url(url), url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_origin_has_many_spellings() {
        for (one, other) in [
            ("https://example.com", "HTTPS://EXAMPLE.COM:443/"),
            ("http://127.0.0.1:8090", "http://0x7f.1:8090"),
            ("http://127.0.0.1", "http://2130706433"),
            ("http://[::1]", "http://[0:0:0:0:0:0:0:1]:80"),
            ("https://xn--bcher-kva.example", "https://bücher.example"),
        ] {
            assert_eq!(Origin::parse(one), Origin::parse(other));
            assert_eq!(Origin::parse(one).unwrap().to_string(), one);
        }
    }

    #[test]
    fn different_origins_are_told_apart() {
        let origin = Origin::parse("https://example.com").unwrap();
        for other in ["http://example.com", "https://example.com:444", "https://example.com.", "https://a.example.com"]
        {
            assert_ne!(Origin::parse(other).unwrap(), origin, "{other}");
        }
    }

    #[test]
    fn an_address_is_known_as_one() {
        for (uri, address) in [
            ("http://127.0.0.1:1", Some("127.0.0.1")),
            ("http://0177.0.0.1", Some("127.0.0.1")),
            ("http://[::ffff:10.0.0.1]", Some("::ffff:10.0.0.1")),
            ("http://localhost", None),
            ("http://10.0.0.1.example.com", None),
        ] {
            assert_eq!(Origin::parse(uri).unwrap().address(), address.map(|text| text.parse().unwrap()), "{uri}");
        }
    }

    #[test]
    fn what_is_more_or_less_than_an_origin_is_refused_without_being_repeated() {
        for wrong in [
            "",
            "example.com",
            "//example.com",
            "ftp://secret.example.com",
            "file:///etc/secret",
            "https://",
            "https://secret@example.com",
            "https://u:secret@example.com",
            "https://example.com/secret",
            "https://example.com?secret",
            "https://example.com:secret",
        ] {
            let error = Origin::parse(wrong).expect_err(wrong);
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_reference_may_lead_to_another_origin() {
        let base = parse("https://api.example.com/v1/orders?page=1").unwrap();
        for (reference, uri) in [
            ("", "https://api.example.com/v1/orders?page=1"),
            ("?page=2", "https://api.example.com/v1/orders?page=2"),
            ("items#top", "https://api.example.com/v1/items"),
            ("/x", "https://api.example.com/x"),
            ("//evil.example/x", "https://evil.example/x"),
            ("\\\\evil.example\\x", "https://evil.example/x"),
            ("http://api.example.com/", "http://api.example.com/"),
        ] {
            assert_eq!(join(&base, reference).unwrap().as_str(), uri);
        }
        for wrong in ["javascript:alert(1)", "https://u:p@api.example.com/", "http://[::1"] {
            join(&base, wrong).expect_err(wrong);
        }
        assert_eq!(shown(&base), "https://api.example.com/v1/orders");
    }
}
