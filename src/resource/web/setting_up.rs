//! From settings to a service that can be reached.

use std::collections::BTreeMap;
use std::sync::Arc;

use reqwest::Url;

use super::check::{problems, reachable};
use super::credentials::{Credentials, Fixed, TokenParts, TokenSource};
use super::gate::{Gate, GateParts};
use super::names::NameResolver;
use super::origin::{join, parse};
use super::tls::{Trust, client_config};
use super::{CredentialMethod, DefaultProperty, HttpResource, Origin, WebError, WebSettings, properties_file};
use crate::resource::ResourceSettings;

/// Makes the resource, or tells the first thing that is wrong.
pub(super) fn set_up(settings: &ResourceSettings, resolver: &Arc<dyn NameResolver>) -> Result<HttpResource, String> {
    let web = &settings.web;
    if let Some(problem) = problems(&settings.uri, web, &settings.access.tls).into_iter().next() {
        return Err(problem.message);
    }
    let said = |error: WebError| error.to_string();
    let base = parse(&settings.uri).map_err(said)?;
    let origins = reachable(&Origin::of_url(&base), &web.origins);
    let trust = match &settings.access.tls.authority {
        _ if origins.iter().all(|listed| !listed.origin.is_https()) => Trust::Nobody,
        Some(path) => Trust::File(path),
        None => Trust::System,
    };
    let tls = client_config(&trust)?;
    let parts = GateParts { web, resolver, tls: &tls, clock: &settings.clock };
    let mut gates = BTreeMap::new();
    for listed in origins {
        let gate = Gate::new(&listed, &parts).map_err(said)?;
        gates.insert(listed.origin, Arc::new(gate));
    }
    let credentials = credentials(&base, settings, &gates).map_err(said)?;
    Ok(HttpResource { base, gates, credentials, defaults: defaults(web)? })
}

fn credentials(
    base: &Url,
    settings: &ResourceSettings,
    gates: &BTreeMap<Origin, Arc<Gate>>,
) -> Result<BTreeMap<Origin, Credentials>, WebError> {
    let mut made = BTreeMap::new();
    for configured in &settings.web.credentials {
        let credentials = match &configured.method {
            CredentialMethod::Basic { user, password } => {
                Credentials::Fixed(Fixed::new(Some(user.clone()), password.clone()))
            }
            CredentialMethod::Bearer { token } => Credentials::Fixed(Fixed::new(None, token.clone())),
            CredentialMethod::OAuth(oauth) => {
                let endpoint = join(base, &oauth.token_uri)?;
                let gate = gates.get(&Origin::of_url(&endpoint)).map(Arc::clone);
                let gate =
                    gate.ok_or_else(|| WebError::request("the token end-point is not reachable: list its origin"))?;
                let parts = TokenParts { settings: oauth.clone(), endpoint, gate, clock: Arc::clone(&settings.clock) };
                Credentials::Token(Arc::new(TokenSource::new(parts)))
            }
        };
        made.insert(configured.origin.clone().unwrap_or_else(|| Origin::of_url(base)), credentials);
    }
    Ok(made)
}

/// The properties of all files and those of the configuration. Each key is there once: as the last has it who gives it.
fn defaults(web: &WebSettings) -> Result<Vec<DefaultProperty>, String> {
    let mut defaults: Vec<DefaultProperty> = Vec::new();
    let mut all = Vec::new();
    for path in &web.property_files {
        all.extend(properties_file::read(path)?);
    }
    all.extend(web.properties.iter().cloned());
    for property in all {
        match defaults.iter_mut().find(|earlier| earlier.key == property.key) {
            Some(earlier) => *earlier = property,
            None => defaults.push(property),
        }
    }
    Ok(defaults)
}
