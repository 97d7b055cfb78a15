//! What is wrong with the settings of an HTTP service, before anything is sent.

use super::address::is_admitted;
use super::origin::{join, parse};
use super::{CredentialMethod, CredentialSettings, Grant, OAuthSettings, Origin, OriginSettings, WebSettings};
use crate::resource::relational::access::{PasswordSource, TlsMode, TlsSettings};

/// One thing that is wrong, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebProblem {
    /// What it is about.
    pub part: WebPart,
    /// What is wrong and what was expected.
    pub message: String,
}

/// A part of the settings of an HTTP service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebPart {
    /// The URI of the resource.
    Uri,
    /// How TLS is used.
    Tls,
    /// The origin of that place in the list.
    Origin(usize),
    /// The credentials of that place in the list.
    Credentials(usize),
}

/// Everything that is wrong with the settings of an HTTP service, as far as they can be judged by themselves.
#[must_use]
pub fn problems(uri: &str, web: &WebSettings, tls: &TlsSettings) -> Vec<WebProblem> {
    let base = match parse(uri) {
        Ok(base) => base,
        Err(error) => return vec![WebProblem { part: WebPart::Uri, message: error.to_string() }],
    };
    let own = Origin::of_url(&base);
    let origins = reachable(&own, &web.origins);
    let mut found = Vec::new();
    let mut tell = |part, message: String| found.push(WebProblem { part, message });
    for (index, listed) in origins.iter().enumerate() {
        // The resource's own, where it is not listed, is the last.
        let part = if index < web.origins.len() { WebPart::Origin(index) } else { WebPart::Uri };
        if origins[..index].iter().any(|earlier| earlier.origin == listed.origin) {
            tell(part, format!("the origin `{}` is listed twice", listed.origin));
        }
        if let Some(message) = out_of_bounds(listed, tls.mode) {
            tell(part, message);
        }
    }
    if tls.mode == TlsMode::Off {
        let message = "whether there is TLS, the scheme of each origin says, `https` or `http`: leave the mode out";
        tell(WebPart::Tls, message.to_owned());
    }
    for (index, credentials) in web.credentials.iter().enumerate() {
        let origin = credentials.origin.as_ref().unwrap_or(&own);
        let earlier = &web.credentials[..index];
        let part = WebPart::Credentials(index);
        if earlier.iter().any(|earlier| earlier.origin.as_ref().unwrap_or(&own) == origin) {
            tell(part, format!("there are credentials for `{origin}` already"));
        }
        if let Some(message) = unprotected(origin, &origins) {
            tell(part, message);
        }
        if let CredentialMethod::OAuth(oauth) = &credentials.method {
            let endpoint = join(&base, &oauth.token_uri).map(|url| Origin::of_url(&url));
            let wrong = endpoint.map_err(|error| error.to_string()).map(|endpoint| unprotected(&endpoint, &origins));
            if let Some(message) = wrong.unwrap_or_else(Some) {
                tell(part, format!("the token end-point: {message}"));
            }
        }
        if let Some(message) = contradictory(credentials) {
            tell(part, message.to_owned());
        }
    }
    found
}

/// Everything that is reachable: the listed origins, and that of the resource.
pub(super) fn reachable(own: &Origin, listed: &[OriginSettings]) -> Vec<OriginSettings> {
    let mut origins = listed.to_vec();
    if origins.iter().all(|listed| listed.origin != *own) {
        origins.push(OriginSettings { origin: own.clone(), is_private: false });
    }
    origins
}

/// Why an origin can't be reached, whatever its name will mean.
fn out_of_bounds(listed: &OriginSettings, mode: TlsMode) -> Option<String> {
    let origin = &listed.origin;
    if mode == TlsMode::Verify && !origin.is_https() {
        return Some(format!("`{origin}` is without TLS, which the mode `verify` does not allow"));
    }
    let mark = format!("if the service is meant to reach it, write `<origin uri=\"{origin}\" private=\"true\"/>`");
    let is_own_machine = origin.host() == "localhost" || origin.host().ends_with(".localhost");
    match origin.address() {
        Some(address) if !is_admitted(address, true, true) => {
            Some(format!("`{origin}`: nobody is at this address: it is reserved, or one of many (multicast)"))
        }
        Some(address) if !is_admitted(address, listed.is_private, true) => {
            Some(format!("`{origin}` is an address of a private network or of this machine: {mark}"))
        }
        None if is_own_machine && !listed.is_private => Some(format!("`{origin}` is this machine: {mark}")),
        _ => None,
    }
}

/// Why nothing secret can be sent to an origin.
fn unprotected(origin: &Origin, origins: &[OriginSettings]) -> Option<String> {
    match origins.iter().find(|listed| listed.origin == *origin) {
        None => Some(format!("`{origin}` is not reachable: list it, as `<origin uri=\"{origin}\"/>`")),
        Some(listed) if !origin.is_https() && !listed.is_private => {
            Some(format!("`{origin}` is without TLS, so everybody on the way would see the credentials: use `https`"))
        }
        Some(_) => None,
    }
}

fn contradictory(credentials: &CredentialSettings) -> Option<&'static str> {
    let CredentialMethod::OAuth(OAuthSettings { grant, secret, .. }) = &credentials.method else { return None };
    match grant {
        Grant::ClientCredentials if secret.is_none() => Some("a client that asks for itself needs its secret"),
        Grant::RefreshToken { token: PasswordSource::Environment(_), keeps_new: true } => {
            Some("a new refresh token can be kept in a file only, not in the environment")
        }
        Grant::ClientCredentials | Grant::RefreshToken { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::web::tests::{oauth, private};

    const OWN: &str = "https://api.example.com/v1/";

    fn listed(uri: &str) -> OriginSettings {
        OriginSettings { origin: Origin::parse(uri).unwrap(), is_private: false }
    }

    fn bearer(origin: Option<&str>) -> CredentialSettings {
        let origin = origin.map(|uri| Origin::parse(uri).unwrap());
        let token = PasswordSource::Environment("TOKEN".into());
        CredentialSettings { origin, method: CredentialMethod::Bearer { token } }
    }

    fn found(uri: &str, web: &WebSettings, mode: TlsMode) -> Vec<(WebPart, String)> {
        let tls = TlsSettings { mode, authority: None };
        problems(uri, web, &tls).into_iter().map(|problem| (problem.part, problem.message)).collect()
    }

    #[track_caller]
    fn told(uri: &str, web: &WebSettings, part: WebPart, words: &str) {
        let found = found(uri, web, TlsMode::Automatic);
        assert!(matches!(found.as_slice(), [(at, message)] if *at == part && message.contains(words)), "{found:?}");
    }

    #[test]
    fn a_service_as_most_are_is_right() {
        let mut web = WebSettings::default();
        assert_eq!(found(OWN, &web, TlsMode::Verify), []);
        web.origins = vec![listed("https://login.example.com"), private("http://127.0.0.1:8090")];
        let mut token = bearer(None);
        token.method = CredentialMethod::OAuth(oauth("https://login.example.com/token"));
        web.credentials = vec![token, bearer(Some("http://127.0.0.1:8090"))];
        assert_eq!(found(OWN, &web, TlsMode::Automatic), []);
    }

    #[test]
    fn a_private_address_has_to_be_marked() {
        let mark = "private=\"true\"";
        for uri in ["http://127.0.0.1:8090/", "http://[::1]/", "http://10.0.0.7/", "http://169.254.169.254/"] {
            told(uri, &WebSettings::default(), WebPart::Uri, mark);
            let origin = Origin::of(uri).unwrap().to_string();
            let web = WebSettings { origins: vec![listed(&origin)], ..WebSettings::default() };
            told(uri, &web, WebPart::Origin(0), mark);
            let web = WebSettings { origins: vec![private(&origin)], ..WebSettings::default() };
            assert_eq!(found(uri, &web, TlsMode::Automatic), []);
        }
        for uri in ["http://localhost/", "https://api.localhost/"] {
            told(uri, &WebSettings::default(), WebPart::Uri, mark);
        }
        let web = WebSettings { origins: vec![private("http://0.0.0.0:1")], ..WebSettings::default() };
        told(OWN, &web, WebPart::Origin(0), "nobody is at this address");
    }

    #[test]
    fn credentials_go_to_origins_that_are_listed_and_protected() {
        let web = |credentials| WebSettings { credentials, ..WebSettings::default() };
        let first = WebPart::Credentials(0);
        told(OWN, &web(vec![bearer(Some("https://b.example"))]), first, "`https://b.example` is not reachable");
        told("http://api.example.com/", &web(vec![bearer(None)]), first, "without TLS");
        let twice = vec![bearer(None), bearer(Some("https://api.example.com"))];
        told(OWN, &web(twice), WebPart::Credentials(1), "already");
    }

    #[test]
    fn a_token_end_point_is_listed_and_protected_as_well() {
        let with = |settings: OAuthSettings| {
            let method = CredentialMethod::OAuth(settings);
            WebSettings { credentials: vec![CredentialSettings { origin: None, method }], ..WebSettings::default() }
        };
        let first = WebPart::Credentials(0);
        assert_eq!(found(OWN, &with(oauth("/token")), TlsMode::Automatic), []);
        told(
            OWN,
            &with(oauth("https://login.example.com/t")),
            first,
            "the token end-point: `https://login.example.com`",
        );
        told(OWN, &with(oauth("mailto:x")), first, "the token end-point: the scheme");
        told(OWN, &with(OAuthSettings { secret: None, ..oauth("/token") }), first, "needs its secret");
        let token = PasswordSource::Environment("T".into());
        let grant = Grant::RefreshToken { token, keeps_new: true };
        told(OWN, &with(OAuthSettings { grant, ..oauth("/token") }), first, "in a file only");
    }

    #[test]
    fn tls_is_what_the_schemes_say() {
        let web = WebSettings { origins: vec![listed("http://b.example")], ..WebSettings::default() };
        assert_eq!(found(OWN, &web, TlsMode::Verify)[0].0, WebPart::Origin(0));
        assert_eq!(found(OWN, &WebSettings::default(), TlsMode::Off)[0].0, WebPart::Tls);
        told("https://u:p@api.example.com", &web, WebPart::Uri, "a user or a password");
    }

    #[test]
    fn an_origin_is_listed_once() {
        let web = WebSettings {
            origins: vec![listed("https://b.example"), listed("https://B.example:443/")],
            ..WebSettings::default()
        };
        told(OWN, &web, WebPart::Origin(1), "listed twice");
    }
}
