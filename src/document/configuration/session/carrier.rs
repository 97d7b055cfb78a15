//! `<carrier>`: how a session id travels beside the session element, and which pages may send one.

use super::origin::{Origin, OriginError};
use super::{SessionConfiguration, SessionConfigurationPlaces};
use crate::document::configuration::contradictory;
use crate::document::writer::XmlWriter;
use crate::document::{DocumentError, Fields, Value};

/// How a session id travels beside the session element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarrierSettings {
    /// The name of the HTTP header, and a part of that of the cookie.
    pub header: String,
    /// `cookie="true"`: a cookie carries the id too, in that form.
    pub cookie: Option<CookieSettings>,
    /// `create="automatic"`: a request without any session requirement gets an explicit session.
    pub automatic: bool,
    /// `<origin>`: where pages come from that may send requests and read the answers, though the service is elsewhere.
    pub origins: Vec<Origin>,
}

/// The cookie that carries a session id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CookieSettings {
    /// `sameSite`
    pub same_site: SameSite,
    /// `insecureCookie`: for development over plain HTTP. The cookie goes without `Secure` and the prefix `__Host-`.
    pub insecure: bool,
}

/// Which requests a browser sends the cookie with (RFC 6265bis, section 5.6.7). `None`, all requests, is not to be had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SameSite {
    /// Those of pages of the same site.
    #[default]
    Strict,
    /// Those, and where a reader follows a link from another site.
    Lax,
}

const SAME_SITE: [(&str, SameSite); 2] = [("Strict", SameSite::Strict), ("Lax", SameSite::Lax)];

impl SameSite {
    /// The word that stands for it in documents and cookies.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Lax => "Lax",
        }
    }
}

impl Default for CarrierSettings {
    fn default() -> Self {
        Self { header: "Rejoin-Session".into(), cookie: None, automatic: false, origins: Vec::new() }
    }
}

/// Reads the element into a configuration whose factory has been read.
pub(super) fn read(section: &mut Fields<'_>, configuration: &mut SessionConfiguration) -> Result<(), DocumentError> {
    let SessionConfiguration { carrier, explicit, places, .. } = configuration;
    if let Some(value) = section.attribute("header") {
        carrier.header = read_header(&value)?;
        places.header = value.position();
    }
    carrier.cookie = read_cookie(section, *explicit, places)?;
    if let Some(value) = section.attribute("create") {
        carrier.automatic = value.choice(&[("explicit", false), ("automatic", true)])?;
        if carrier.automatic && !*explicit {
            let message = "no session can be created by itself where explicit sessions are disabled";
            return Err(contradictory(value.position(), message));
        }
    }
    for element in section.children("origin") {
        element.fields().finish_attributes()?;
        carrier.origins.push(read_origin(&element.value()?)?);
    }
    Ok(())
}

fn read_cookie(
    section: &mut Fields<'_>,
    explicit: bool,
    places: &mut SessionConfigurationPlaces,
) -> Result<Option<CookieSettings>, DocumentError> {
    let cookie = section.attribute("cookie");
    let same_site = section.attribute("sameSite");
    let insecure = section.attribute("insecureCookie");
    let settings = CookieSettings {
        same_site: same_site.as_ref().map(|value| value.choice(&SAME_SITE)).transpose()?.unwrap_or_default(),
        insecure: insecure.as_ref().map(Value::boolean).transpose()?.unwrap_or_default(),
    };
    let is_wanted = cookie.as_ref().map(Value::boolean).transpose()?.unwrap_or_default();
    let Some(cookie) = cookie.filter(|_| is_wanted) else {
        return match same_site.or(insecure) {
            Some(value) => Err(contradictory(value.position(), "there is a cookie only with `cookie=\"true\"`")),
            None => Ok(None),
        };
    };
    places.cookie = cookie.position();
    places.insecure_cookie = insecure.map_or(cookie.position(), |value| value.position());
    if !explicit {
        let message = "a cookie has no session to carry where explicit sessions are disabled";
        return Err(contradictory(cookie.position(), message));
    }
    Ok(Some(settings))
}

/// A token as RFC 9110 has it: what an HTTP header and a cookie may be called.
fn read_header(value: &Value<'_>) -> Result<String, DocumentError> {
    let header = value.word();
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if header.is_empty() || !header.bytes().all(is_token) {
        return Err(value.expected("the name of an HTTP header, such as `Rejoin-Session`"));
    }
    Ok(header.into())
}

fn read_origin(value: &Value<'_>) -> Result<Origin, DocumentError> {
    Origin::parse(value.word()).map_err(|error| match error {
        OriginError::NoAddress => contradictory(value.position(), &error.to_string()),
        _ => value.expected(format!("the origin of pages, such as `https://app.example.org` ({error})")),
    })
}

pub(super) fn write(carrier: &CarrierSettings, writer: &mut XmlWriter) {
    writer.start("carrier");
    writer.attribute("header", &carrier.header);
    writer.attribute("cookie", if carrier.cookie.is_some() { "true" } else { "false" });
    if let Some(cookie) = carrier.cookie {
        writer.attribute("sameSite", cookie.same_site.as_str());
        writer.attribute("insecureCookie", if cookie.insecure { "true" } else { "false" });
    }
    writer.attribute("create", if carrier.automatic { "automatic" } else { "explicit" });
    for origin in &carrier.origins {
        writer.text_element("origin", origin.as_str());
    }
    writer.end();
}
