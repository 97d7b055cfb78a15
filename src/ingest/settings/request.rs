use http::{HeaderName, Method};

use super::Template;

/// What is sent with every request.
#[derive(Debug, Clone)]
pub struct RequestSettings {
    /// `ms.http.request.method`; `GET_XE` is GET with [`UriEncoding::None`].
    pub method: Method,
    /// How values are written into the URI.
    pub encoding: UriEncoding,
    /// `ms.source.uri`, absolute, or relative to the web resource's own.
    pub uri: Template,
    /// `ms.http.request.headers`, in their order.
    pub headers: Vec<(HeaderName, Template)>,
    /// `ms.authentication`: a header that is made of variables. It takes the place of one of the same name.
    pub authentication: Option<AuthenticationSettings>,
}

/// How values are written into a URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UriEncoding {
    /// As HTML forms do: a space is `+`, a slash `%2F`.
    #[default]
    Form,
    /// As they are: `GET_XE`.
    None,
}

/// `ms.authentication`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticationSettings {
    /// The header, `Authorization` if nothing is said.
    pub header: HeaderName,
    /// What stands before the token, such as `Bearer `.
    pub prefix: &'static str,
    /// The token.
    pub token: Template,
    /// Whether the token is written in base64, after its variables are filled in.
    pub is_base64: bool,
}
