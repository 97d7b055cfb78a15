use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::body::Body;
use super::pool::{Found, Pool, is_blank_key};
use super::uri::{climbs, push_pair, push_piece, with_query};
use super::{ComposeError, Values};
use crate::ingest::Json;
use crate::ingest::settings::{Parameter, Placement, RequestSettings, Template};
use crate::resource::web::WebRequest;

/// Makes a request of what is sent and of the values of the moment.
///
/// # Errors
///
/// [`ComposeError`] when a template needs a value that isn't there, or a value can't stand where it is to be.
pub fn compose(
    request: &RequestSettings,
    parameters: &[Parameter],
    values: &Values,
) -> Result<WebRequest, ComposeError> {
    let pool = Pool::new(parameters, values);
    let mut headers = headers(request, &pool)?;
    let uri = pool.take(&request.uri, "the URI", |uri, piece| push_piece(uri, &piece, request.encoding))?;
    let uri = uri.ok_or_else(|| not_yet(&request.uri, &pool, "the URI"))?;
    if climbs(&request.uri, &uri) {
        return Err(ComposeError::Path);
    }

    let mut rest = Rest::of(request, &mut headers);
    for parameter in parameters {
        let Found::Value(value) = pool.find(&parameter.name)? else { continue };
        if !is_blank_key(parameter, &value) {
            rest.add(parameter, value, pool.is_taken(&parameter.name))?;
        }
    }
    for (name, value) in &values.fields {
        let is_parameter = parameters.iter().any(|parameter| parameter.name == *name);
        if !is_parameter && !pool.is_taken(name) && !name.starts_with("tmp") {
            rest.add_automatically(name, value.clone());
        }
    }
    for (name, value) in &values.payload {
        rest.body.set(name, value.clone());
    }
    let (query, body) = rest.finish()?;
    Ok(WebRequest { method: request.method.clone(), uri: with_query(uri, &query), headers, body })
}

/// Fills a template that is part of no request: the name of a file, a derived column.
///
/// # Errors
///
/// [`ComposeError::Missing`] when one of its variables has no value.
///
/// ```
/// use rejoin::ingest::Json;
/// use rejoin::ingest::settings::Template;
/// use rejoin::ingest::variables::{Values, fill};
///
/// let values = Values { fields: vec![("id".into(), Json::from(7_u64))], ..Values::default() };
/// assert_eq!(fill(&Template::parse("job-{{id}}.csv"), &[], &values, "the file name").unwrap(), "job-7.csv");
/// ```
pub fn fill(
    template: &Template,
    parameters: &[Parameter],
    values: &Values,
    place: &str,
) -> Result<String, ComposeError> {
    let pool = Pool::new(parameters, values);
    let filled = pool.take(template, place, |text, piece| text.push_str(piece.plain()))?;
    filled.ok_or_else(|| not_yet(template, &pool, place))
}

fn not_yet(template: &Template, pool: &Pool<'_>, place: &str) -> ComposeError {
    let variable = template.variables().find(|name| matches!(pool.find(name), Ok(Found::NotYet)));
    ComposeError::Missing { variable: variable.unwrap_or_default().into(), place: place.into() }
}

/// The headers that templates make. One with a variable that has no value yet is left out.
fn headers(request: &RequestSettings, pool: &Pool<'_>) -> Result<HeaderMap, ComposeError> {
    let mut headers = HeaderMap::new();
    for (name, template) in &request.headers {
        let place = format!("the header `{name}`");
        if let Some(text) = pool.take(template, &place, |text, piece| text.push_str(piece.plain()))? {
            headers.append(name, header(name, &text)?);
        }
    }
    if let Some(authentication) = &request.authentication {
        let token =
            pool.take(&authentication.token, "the authentication", |text, piece| text.push_str(piece.plain()))?;
        let token = token.ok_or_else(|| not_yet(&authentication.token, pool, "the authentication"))?;
        let token = if authentication.is_base64 { STANDARD.encode(token) } else { token };
        let mut value = header(&authentication.header, &format!("{}{token}", authentication.prefix))?;
        value.set_sensitive(true);
        headers.insert(authentication.header.clone(), value);
    }
    Ok(headers)
}

fn header(name: &HeaderName, text: &str) -> Result<HeaderValue, ComposeError> {
    HeaderValue::from_bytes(text.as_bytes()).map_err(|_| ComposeError::Header { header: name.clone() })
}

/// What is left when templates have taken theirs.
struct Rest<'a> {
    method: &'a Method,
    headers: &'a mut HeaderMap,
    query: String,
    body: Body,
}

impl<'a> Rest<'a> {
    fn of(request: &'a RequestSettings, headers: &'a mut HeaderMap) -> Self {
        Self { method: &request.method, headers, query: String::new(), body: Body::default() }
    }

    fn add(&mut self, parameter: &Parameter, value: Json, is_taken: bool) -> Result<(), ComposeError> {
        match &parameter.placement {
            Some(Placement::Query(name)) => push_pair(&mut self.query, name, &value.to_text()),
            Some(Placement::Header(name)) => {
                let value = header(name, &value.to_text())?;
                self.headers.insert(name.clone(), value);
            }
            Some(Placement::Body(path)) => self.body.place(&parameter.name, path, value),
            Some(Placement::Path) => {}
            None if is_taken || parameter.name.starts_with("tmp") => {}
            None => self.add_automatically(&parameter.name, value),
        }
        Ok(())
    }

    /// Adds a value where the method says.
    fn add_automatically(&mut self, name: &str, value: Json) {
        match *self.method {
            Method::GET | Method::HEAD if value == Json::Null => {}
            Method::GET | Method::HEAD => push_pair(&mut self.query, name, &value.to_text()),
            _ => self.body.set(name, value),
        }
    }

    /// The query, and the body if there is one. Methods that are for sending something have one even if it is empty.
    fn finish(self) -> Result<(String, Option<Bytes>), ComposeError> {
        let always_has_body = [Method::POST, Method::PUT, Method::PATCH].contains(self.method);
        if self.body.is_empty() && !always_has_body {
            return Ok((self.query, None));
        }
        let body = if is_form(self.headers) {
            self.body.into_form()
        } else {
            self.headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
            self.body.into_json()?
        };
        Ok((self.query, Some(body.into())))
    }
}

/// Whether the content type is that of a form, whatever parameters it has.
fn is_form(headers: &HeaderMap) -> bool {
    let Some(media_type) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
