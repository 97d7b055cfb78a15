//! What is sent: URI, method, headers, authentication.

use std::str::FromStr;

use http::{HeaderName, Method};

use super::node::Node;
use super::set::PropertySet;
use crate::ingest::settings::{AuthenticationSettings, RequestSettings, Template, UriEncoding};

pub(super) fn request(set: &PropertySet<'_>) -> RequestSettings {
    let methods = [
        ("GET", (Method::GET, UriEncoding::Form)),
        ("GET_XE", (Method::GET, UriEncoding::None)),
        ("POST", (Method::POST, UriEncoding::Form)),
        ("PUT", (Method::PUT, UriEncoding::Form)),
        ("PATCH", (Method::PATCH, UriEncoding::Form)),
        ("DELETE", (Method::DELETE, UriEncoding::Form)),
        ("HEAD", (Method::HEAD, UriEncoding::Form)),
    ];
    let words: Vec<(&str, usize)> = methods.iter().enumerate().map(|(index, (name, _))| (*name, index)).collect();
    let chosen = set.word("ms.http.request.method", &words).unwrap_or_default();
    let (method, encoding) = methods[chosen].1.clone();
    RequestSettings {
        method,
        encoding,
        uri: uri(set),
        headers: set.json("ms.http.request.headers", headers).unwrap_or_default(),
        authentication: set.json("ms.authentication", authentication).flatten(),
    }
}

fn uri(set: &PropertySet<'_>) -> Template {
    let text = set.text("ms.source.uri").unwrap_or_else(|| {
        set.refuse("ms.source.uri", "it is missing: the address to send requests to");
        ""
    });
    if text.chars().any(char::is_control) {
        set.refuse("ms.source.uri", "a URI holds no line break and no other control character");
    }
    let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
    if !fragment.is_empty() {
        set.refuse("ms.source.uri", "what stands behind `#` is never sent: leave it out");
    }
    Template::parse(text)
}

/// An object of texts by the names of headers.
fn headers(node: &Node<'_>) -> Vec<(HeaderName, Template)> {
    let mut headers: Vec<(HeaderName, Template)> = Vec::new();
    for (name, value) in node.entries() {
        let Some(name) = header_name(&value, name) else { continue };
        if headers.iter().any(|(other, _)| *other == name) {
            value.refuse("the header stands there twice: upper and lower case make no difference");
        }
        let Some(text) = value.scalar() else { continue };
        if text.chars().any(|character| character.is_control() && character != '\t') {
            value.refuse("a header holds no line break and no other control character");
        }
        headers.push((name, Template::parse(&text)));
    }
    headers
}

/// Headers that the sending itself makes.
const RESERVED: [&str; 6] = ["connection", "content-length", "host", "te", "transfer-encoding", "upgrade"];

pub(super) fn header_name(node: &Node<'_>, name: &str) -> Option<HeaderName> {
    match HeaderName::from_str(name) {
        Ok(name) if RESERVED.contains(&name.as_str()) => {
            node.refuse(format!("the header `{name}` is made when the request is sent"));
            None
        }
        Ok(name) => Some(name),
        Err(_) => {
            node.refuse(format!("`{}` can't be the name of a header", super::node::shortened(name)));
            None
        }
    }
}

/// `{"method": …, "encryption": …, "header": …, "token": …}`
fn authentication(node: &Node<'_>) -> Option<AuthenticationSettings> {
    let members = node.members(&["method", "encryption", "header", "token"])?;
    let methods = [("basic", "Basic "), ("bearer", "Bearer "), ("oauth", "OAuth "), ("custom", "")];
    let prefix = members.need("method").and_then(|method| method.word(&methods));
    let encryptions = [("base64", true), ("none", false)];
    let is_base64 = members.need("encryption").and_then(|encryption| encryption.word(&encryptions));
    let header = match members.get("header") {
        Some(header) => header_name(&header, header.text()?),
        None => Some(http::header::AUTHORIZATION),
    };
    let Some(token) = members.get("token") else {
        node.refuse("`token` is missing; a user and a password belong to the credentials of the web resource");
        return None;
    };
    let token = Template::parse(token.text()?);
    Some(AuthenticationSettings { header: header?, prefix: prefix?, token, is_base64: is_base64? })
}
