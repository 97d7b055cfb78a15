//! The origin of a web page.

use std::fmt;
use std::net::Ipv6Addr;

/// Where a web page comes from: scheme, host and port (RFC 6454), in the form in which browsers send it as `Origin`.
///
/// Two are equal when scheme, host and port are. A port that is the scheme's own is left out, as browsers do.
///
/// ```
/// use rejoin::document::Origin;
///
/// let origin = Origin::parse("https://App.example.org:443")?;
/// assert_eq!(origin.as_str(), "https://app.example.org");
/// assert_eq!(Origin::parse("*").unwrap_err().to_string(), "`*` would let the pages of everybody in: name each origin");
/// # Ok::<(), rejoin::document::OriginError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(Box<str>);

/// Why a text is not the origin of a page that may be let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// `*`
    #[error("`*` would let the pages of everybody in: name each origin")]
    Everybody,
    /// `null`
    #[error("`null` is the origin of every local file and every frame in a sandbox: it is nobody's")]
    Null,
    /// There is more than scheme, host and port.
    #[error("an origin ends behind its host and port: leave the rest out, and a `/` at the end too")]
    NotOnlyOrigin,
    /// What stands in brackets is no address.
    #[error("an address in brackets has to be one of IPv6")]
    NoAddress,
    /// It does not begin with `http://` or `https://`, or no host and port follow.
    #[error("an origin is `https://` or `http://`, a host, and a port where it is not the usual one")]
    Malformed,
}

impl Origin {
    /// Reads an origin. Of hosts, names in ASCII (an international one as `xn--…`) and addresses are read.
    ///
    /// # Errors
    ///
    /// [`OriginError`] when it is none, or one that can't be let in.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        match text {
            "*" => return Err(OriginError::Everybody),
            "null" => return Err(OriginError::Null),
            _ => {}
        }
        let (scheme, rest) = text.split_once("://").ok_or(OriginError::Malformed)?;
        let usual = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return Err(OriginError::Malformed),
        };
        if rest.contains(['/', '?', '#', '@']) {
            return Err(OriginError::NotOnlyOrigin);
        }
        let (host, port) = match rest.rfind(':') {
            Some(colon) if !rest.ends_with(']') => (&rest[..colon], Some(&rest[colon + 1..])),
            _ => (rest, None),
        };
        let host = read_host(host)?;
        let port = port.map(read_port).transpose()?.filter(|port| *port != usual);
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        Ok(Self(format!("{scheme}://{host}{port}").into()))
    }

    /// The origin as browsers send it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name or an address, in lower case.
fn read_host(host: &str) -> Result<String, OriginError> {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let is_hexadecimal = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
        if address.is_empty() || !address.bytes().all(is_hexadecimal) {
            return Err(OriginError::Malformed);
        }
        let address: Ipv6Addr = address.parse().map_err(|_| OriginError::NoAddress)?;
        return Ok(format!("[{address}]"));
    }
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if host.split('.').all(is_label) { Ok(host.to_ascii_lowercase()) } else { Err(OriginError::Malformed) }
}

/// A port without a sign or zeros in front.
fn read_port(port: &str) -> Result<u16, OriginError> {
    let is_plain = port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0');
    port.parse().ok().filter(|_| is_plain).ok_or(OriginError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_reads_as_browsers_send_it() {
        for (text, origin) in [
            ("https://app.example.org", "https://app.example.org"),
            ("https://APP.example.org:443", "https://app.example.org"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://localhost:80", "http://localhost"),
            ("https://example.org:80", "https://example.org:80"),
            ("http://127.0.0.1:65535", "http://127.0.0.1:65535"),
            ("http://[0:0:0:0:0:0:0:1]:8080", "http://[::1]:8080"),
            ("http://[::1]", "http://[::1]"),
            ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(Origin::parse(text).map(|origin| origin.to_string()), Ok(origin.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused_with_the_reason() {
        for (text, error) in [
            ("*", OriginError::Everybody),
            ("null", OriginError::Null),
            ("https://app.example.org/", OriginError::NotOnlyOrigin),
            ("https://app.example.org/page", OriginError::NotOnlyOrigin),
            ("https://user@app.example.org", OriginError::NotOnlyOrigin),
            ("app.example.org", OriginError::Malformed),
            ("file://host", OriginError::Malformed),
            ("HTTPS://app.example.org", OriginError::Malformed),
            ("https://", OriginError::Malformed),
            ("https://*.example.org", OriginError::Malformed),
            ("https://a..b", OriginError::Malformed),
            ("https://a:", OriginError::Malformed),
            ("https://a:0", OriginError::Malformed),
            ("https://a:+1", OriginError::Malformed),
            ("https://a:65536", OriginError::Malformed),
            ("https://[::1", OriginError::Malformed),
            ("https://[x]", OriginError::Malformed),
            ("https://[]", OriginError::Malformed),
            ("https://[:]", OriginError::NoAddress),
            ("https://[1.2.3.4]:80", OriginError::NoAddress),
            ("https://bücher.example", OriginError::Malformed),
            ("", OriginError::Malformed),
        ] {
            assert_eq!(Origin::parse(text), Err(error), "{text}");
        }
    }
}
