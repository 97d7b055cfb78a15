//! From what the HTTP client says to what a caller can do about it.

use std::error::Error;
use std::fmt::Write as _;

use h2::Reason;

use super::names::AddressRefused;
use super::{Origin, WebError};

/// What a failed exchange with an origin means.
///
/// The text is made of the causes, never of the URL, whose query may hold what is secret.
pub(super) fn fault_of(origin: &Origin, error: &reqwest::Error) -> WebError {
    if error.is_builder() {
        return WebError::request(format!(
            "{origin}: nothing was sent, for the request can't be made{}",
            causes(error)
        ));
    }
    let connecting = error.is_connect();
    if let Some(refused) = cause::<AddressRefused>(error) {
        return WebError::NotAllowed { message: format!("`{origin}` is not reached: {refused}") };
    }
    if let Some(http) = cause::<hyper::Error>(error)
        && http.is_parse()
    {
        let what =
            if http.is_parse_too_large() { "the head of the answer is too large" } else { "what came is not HTTP" };
        return WebError::Malformed { message: format!("{origin}: {what}") };
    }
    let refused = is_surely_unprocessed(error);
    let what = match (connecting, error.is_timeout()) {
        (true, true) => "no connection in the time that there is for it",
        (true, false) => "no connection",
        (false, _) if refused => "the service took no more requests on this connection, and did nothing about this one",
        (false, _) => "the exchange broke off",
    };
    WebError::Transport { message: format!("{origin}: {what}{}", causes(error)), never_sent: connecting || refused }
}

/// Whether the other side has said that it did nothing about a request (RFC 9113, section 8.7): it has refused its stream, or has said
/// goodbye by a number below that of its stream. A request that it may have begun breaks off in another way.
fn is_surely_unprocessed(error: &reqwest::Error) -> bool {
    cause::<h2::Error>(error).is_some_and(|error| {
        error.is_remote()
            && (error.is_go_away() || (error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM)))
    })
}

fn cause<T: Error + 'static>(error: &reqwest::Error) -> Option<&T> {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// The causes below the client's own words, each once.
fn causes(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut next = error.source();
    while let Some(error) = next {
        let said = error.to_string();
        if !text.contains(&said) {
            // Writing to a string can't fail.
            let _ = write!(text, ": {said}");
        }
        next = error.source();
    }
    text
}
