//! Whom a request is meant for: what its author says to one origin goes to no other, wherever an answer leads.

use super::error::REFUSED;
use crate::activity::ActivityError;
use crate::ingest::settings::{RequestSettings, TemplatePart, UriEncoding};
use crate::resource::web::{Origin, WebError, WebRequest, WebResource, crossing};

/// Stands for a variable, and in no URI.
const VARIABLE: char = '\0';

/// Takes out of a request what may prove who asks, if it goes to another origin than its author has written: to an address that
/// an answer has named, or that is the value of a variable. `composed` is the address that its template makes.
pub(super) fn keep_back(
    request: &mut WebRequest,
    composed: &str,
    settings: &RequestSettings,
    resource: &dyn WebResource,
) -> Result<(), ActivityError> {
    let origin = |uri: &str| resource.absolute(uri).and_then(|uri| Origin::of(&uri));
    // What is no address at all is refused as it is sent.
    let Ok(target) = origin(&request.uri) else { return Ok(()) };
    let meant = if is_host_written(settings) { origin(composed) } else { origin("") };
    if meant.as_ref() == Ok(&target) {
        return Ok(());
    }
    request.headers = crossing(&request.headers);
    let says_nothing = request.body.as_ref().is_none_or(|body| body.is_empty() || body.as_ref() == b"{}");
    if says_nothing { Ok(()) } else { Err(refused(&target, meant.as_ref())) }
}

fn refused(target: &Origin, meant: Result<&Origin, &WebError>) -> ActivityError {
    let meant = meant.map_or_else(|_| "another origin".to_owned(), |meant| format!("`{meant}`"));
    let message = format!(
        "an answer or a value leads to `{target}`, and what the request says in its body is for {meant}: it is not sent there"
    );
    ActivityError::client(REFUSED, message)
}

/// Whether the template says by itself which host it means: that of the resource, one that it names, or, between dots that it
/// has written, a part of one: `https://{{region}}.api.example.com/`.
fn is_host_written(settings: &RequestSettings) -> bool {
    let text = |part: &TemplatePart| match part {
        TemplatePart::Text(text) => text.to_string(),
        TemplatePart::Variable(_) => VARIABLE.to_string(),
    };
    let template: String = settings.uri.parts().iter().map(text).collect();
    let path_at = template.find('/').unwrap_or(template.len());
    let authority = match template.split_once("//") {
        Some((scheme, rest)) if scheme.len() <= path_at => rest.split(['/', '?', '#']).next().unwrap_or_default(),
        // It is relative. Without encoding, a value may begin with a slash: `/{{path}}` may come to `//other.example`.
        _ if settings.encoding == UriEncoding::Form => return !template.starts_with(VARIABLE),
        _ => return !template.trim_start_matches('/').starts_with(VARIABLE),
    };
    match authority.rsplit_once(VARIABLE) {
        None => true,
        Some((_, behind)) => settings.encoding == UriEncoding::Form && behind.starts_with('.') && behind.len() > 1,
    }
}
