//! What nobody is told who reads a decision log or an error: the values of secrets.

use http::HeaderMap;

use super::units::Named;
use crate::activity::ActivityError;
use crate::ingest::Json;
use crate::ingest::variables::spellings;

/// What stands where a secret stood.
const HIDDEN: &str = "***";

/// The fewest characters of what is hidden in a sentence: fewer hide nothing from anybody, and occur in any sentence. In an
/// address all are hidden.
const FEWEST: usize = 4;

/// So much of the beginning of a secret, in bytes, gives away one that was cut off.
const BEGINNING: usize = 8;

/// The values of the secrets of a request, in all ways in which they may be written, the longest first.
#[derive(Default)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    pub(super) fn of(secrets: &[Named]) -> Self {
        let mut texts = Vec::new();
        for (_, value) in secrets {
            leaves(value, &mut texts);
        }
        Self::of_texts(&texts)
    }

    /// Also what the headers of the request say that are secret as a whole, such as a name and a password in base64.
    pub(super) fn of_request(secrets: &[Named], headers: &HeaderMap) -> Self {
        let mut texts = Vec::new();
        for (_, value) in secrets {
            leaves(value, &mut texts);
        }
        for value in headers.values().filter(|value| value.is_sensitive()).filter_map(|value| value.to_str().ok()) {
            // The scheme before it is known to all.
            texts.push(value.split_once(' ').map_or(value, |(_, credentials)| credentials).to_owned());
        }
        Self::of_texts(&texts)
    }

    fn of_texts(texts: &[String]) -> Self {
        let mut spelled: Vec<String> = texts.iter().flat_map(|text| spellings(text)).collect();
        // In what is told of a body, there is one space at a time.
        spelled.extend(texts.iter().map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")));
        spelled.retain(|text| !text.is_empty());
        spelled.sort_unstable_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        spelled.dedup();
        Self(spelled)
    }

    /// A sentence without them. What it says of a body may end within a secret.
    pub(super) fn hide(&self, text: &mut String) {
        self.replace(text, FEWEST);
        for secret in &self.0 {
            hide_beginnings(text, secret);
        }
    }

    /// An address without them.
    pub(super) fn hide_in_address(&self, address: &mut String) {
        self.replace(address, 1);
    }

    /// An error that names none.
    pub(super) fn hide_in_error(&self, mut error: ActivityError) -> ActivityError {
        match &mut error {
            ActivityError::Client { message, .. }
            | ActivityError::Authorization { message, .. }
            | ActivityError::Server { message, .. } => self.hide(message),
            _ => {}
        }
        error
    }

    fn replace(&self, text: &mut String, fewest: usize) {
        for secret in self.0.iter().filter(|secret| secret.len() >= fewest) {
            if text.contains(&**secret) {
                *text = text.replace(&**secret, HIDDEN);
            }
        }
    }
}

/// Hides what a text has of a secret from its beginning on.
fn hide_beginnings(text: &mut String, secret: &str) {
    let Some(beginning) = secret.get(..BEGINNING) else { return };
    while let Some(at) = text.find(beginning) {
        let alike = text[at..].chars().zip(secret.chars()).take_while(|(one, other)| one == other);
        let length: usize = alike.map(|(one, _)| one.len_utf8()).sum();
        text.replace_range(at..at + length, HIDDEN);
    }
}

/// The texts and numbers of a value, and a structure as a whole.
fn leaves(value: &Json, texts: &mut Vec<String>) {
    match value {
        Json::Null | Json::Bool(_) => {}
        Json::Array(elements) => {
            texts.push(value.to_text());
            for element in elements {
                leaves(element, texts);
            }
        }
        Json::Object(members) => {
            texts.push(value.to_text());
            for (_, member) in members {
                leaves(member, texts);
            }
        }
        _ => texts.push(value.to_text()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(values: &[&str]) -> Secrets {
        let named: Vec<Named> = values.iter().map(|value| ("token".into(), Json::parse(value).unwrap())).collect();
        Secrets::of(&named)
    }

    #[test]
    fn a_secret_is_hidden_however_it_is_written() {
        let secrets = secrets(&[r#""s3 cr/et\"""#, "12345"]);
        for written in ["s3 cr/et\"", "s3%20cr%2Fet%22", "s3+cr%2Fet%22", "s3%20cr/et%22", "s3 cr/et\\\"", "12345"] {
            let mut text = format!("the answer is 403: <{written}>");
            secrets.hide(&mut text);
            assert_eq!(text, "the answer is 403: <***>", "{written}");
        }
    }

    #[test]
    fn a_secret_that_is_cut_off_is_hidden() {
        let secrets = secrets(&[r#""eyJhbGciOi.JIUzI1NiJ9.c2lnbmF0dXJl""#]);
        for cut in ["eyJhbGciOi.JIUzI1Ni", "eyJhbGciOi", "eyJhbGci"] {
            let mut text = format!("401: token {cut}… of {cut}… is old");
            secrets.hide(&mut text);
            assert_eq!(text, "401: token ***… of ***… is old");
        }
        let mut text = "eyJh is how many begin".to_owned();
        secrets.hide(&mut text);
        assert_eq!(text, "eyJh is how many begin");
    }

    #[test]
    fn what_a_secret_header_says_is_hidden() {
        let mut headers = HeaderMap::new();
        let mut value = http::HeaderValue::from_static("Basic YWRhOm9wZW4=");
        value.set_sensitive(true);
        headers.insert(http::header::AUTHORIZATION, value);
        let mut text = "got Basic YWRhOm9wZW4=".to_owned();
        Secrets::of_request(&[], &headers).hide(&mut text);
        assert_eq!(text, "got Basic ***");
    }

    #[test]
    fn what_is_short_is_hidden_in_addresses_alone() {
        let secrets = secrets(&[r#""a""#, "true", r#""""#]);
        let mut text = "an answer is true".to_owned();
        secrets.hide(&mut text);
        assert_eq!(text, "an answer is true");
        let mut address = "/x/a".to_owned();
        secrets.hide_in_address(&mut address);
        assert_eq!(address, "/x/***");
    }

    #[test]
    fn what_a_secret_holds_is_secret() {
        let mut text = r#"["left","right"] left right"#.to_owned();
        secrets(&[r#"["left", "right"]"#]).hide(&mut text);
        assert_eq!(text, "*** *** ***");
    }
}
