//! What a token end-point is asked (RFC 6749).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use reqwest::Url;

use crate::resource::relational::access::Secret;
use crate::resource::web::{ClientPlace, OAuthSettings, WebError, WebRequest};

/// The request for a token.
pub(super) fn request(
    endpoint: &Url,
    settings: &OAuthSettings,
    secret: Option<&Secret>,
    refresh_token: Option<&Secret>,
) -> Result<WebRequest, WebError> {
    let mut fields = vec![("grant_type", "client_credentials")];
    if let Some(token) = refresh_token {
        fields = vec![("grant_type", "refresh_token"), ("refresh_token", token.reveal())];
    }
    fields.extend(settings.scope.as_deref().map(|scope| ("scope", scope)));
    fields.extend(settings.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    match (settings.client_in, secret) {
        (ClientPlace::Header, Some(secret)) => {
            // Both are written as in a form before they are joined (section 2.3.1).
            let pair = format!("{}:{}", form_word(endpoint, &settings.client), form_word(endpoint, secret.reveal()));
            headers.insert(header::AUTHORIZATION, super::header("Basic", &BASE64_STANDARD.encode(pair))?);
        }
        (_, secret) => {
            fields.push(("client_id", &settings.client));
            fields.extend(secret.map(|secret| ("client_secret", secret.reveal())));
        }
    }
    let body = Some(Bytes::from(form(endpoint, &fields)));
    Ok(WebRequest { method: Method::POST, uri: endpoint.to_string(), headers, body })
}

/// Fields in the form of HTML's forms, which is that of queries.
fn form(any: &Url, fields: &[(&str, &str)]) -> String {
    let mut url = any.clone();
    url.query_pairs_mut().clear().extend_pairs(fields);
    url.query().unwrap_or_default().to_owned()
}

fn form_word(any: &Url, word: &str) -> String {
    form(any, &[(word, "")]).trim_end_matches('=').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::web::tests::oauth;

    fn sent(settings: &OAuthSettings, secret: Option<&str>, token: Option<&str>) -> (String, Option<String>) {
        let endpoint = Url::parse("https://login.example.com/token?tenant=1").unwrap();
        let secrets = (secret.map(Secret::from), token.map(Secret::from));
        let request = request(&endpoint, settings, secrets.0.as_ref(), secrets.1.as_ref()).unwrap();
        assert_eq!((request.method, request.uri.as_str()), (Method::POST, endpoint.as_str()));
        let client = request.headers.get(header::AUTHORIZATION);
        assert!(client.is_none_or(HeaderValue::is_sensitive));
        let client = client.map(|value| {
            let encoded = value.to_str().unwrap().strip_prefix("Basic ").unwrap();
            String::from_utf8(BASE64_STANDARD.decode(encoded).unwrap()).unwrap()
        });
        (String::from_utf8(request.body.unwrap().to_vec()).unwrap(), client)
    }

    #[test]
    fn a_client_asks_for_itself_or_with_a_refresh_token() {
        let mut settings = oauth("https://login.example.com/token");
        settings.scope = Some("read write".into());
        settings.parameters = vec![("audience".into(), "https://api/".into())];
        let (body, client) = sent(&settings, Some("s:e c&ret"), None);
        assert_eq!(body, "grant_type=client_credentials&scope=read+write&audience=https%3A%2F%2Fapi%2F");
        assert_eq!(client.unwrap(), "rejoin:s%3Ae+c%26ret");

        let (body, client) = sent(&oauth("https://login.example.com/token"), None, Some("r&1"));
        assert_eq!(body, "grant_type=refresh_token&refresh_token=r%261&client_id=rejoin");
        assert_eq!(client, None);
    }

    #[test]
    fn a_client_may_stand_in_the_form() {
        let mut settings = oauth("https://login.example.com/token");
        settings.client_in = ClientPlace::Form;
        let (body, client) = sent(&settings, Some("secret"), None);
        assert_eq!(body, "grant_type=client_credentials&client_id=rejoin&client_secret=secret");
        assert_eq!(client, None);
    }
}
