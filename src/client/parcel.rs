//! What is sent: byte by byte the same, however often.

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use uuid::Builder;

use super::Error;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The most characters of a key.
const LONGEST_KEY: usize = 255;

/// A request as it is sent.
#[derive(Debug, Clone)]
pub(super) struct Parcel {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) repeat: Repeat,
}

/// What happens when a request is sent twice, and so what is done when its answer is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// The service knows it again, by its key or by its number in the session, and answers as it did the first time.
    Recognised,
    /// Nothing that matters: it changes nothing, or nothing more the second time.
    Harmless,
    /// It might be done twice: it is not sent again.
    Never,
}

impl Parcel {
    /// A request without a body.
    pub(super) fn new(method: Method, url: Url, repeat: Repeat) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: Bytes::new(), repeat }
    }

    /// A perform document.
    pub(super) fn perform(url: Url, document: impl Into<Bytes>, repeat: Repeat) -> Self {
        let mut parcel = Self { body: document.into(), ..Self::new(Method::POST, url, repeat) };
        parcel.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        parcel
    }

    /// Whether the service knows it again by a key.
    pub(super) fn has_key(&self) -> bool {
        self.headers.contains_key(IDEMPOTENCY_KEY)
    }

    /// The parcel with a key of the caller's, or with a new one.
    pub(super) fn with_key(mut self, key: Option<&str>) -> Result<Self, Error> {
        let key = key.map_or_else(new_key, |key| Ok(key.to_owned()))?;
        // As the service reads it: RFC 9651, section 3.3.3.
        let is_printable = key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if !is_printable || !(1..=LONGEST_KEY).contains(&key.len()) {
            return Err(Error::Setting("a key consists of 1 to 255 printable characters of ASCII".into()));
        }
        let quoted = format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""));
        let mut value =
            HeaderValue::try_from(quoted).map_err(|error| Error::Setting(format!("the key can't be sent: {error}")))?;
        // Whoever knows it gets the answer.
        value.set_sensitive(true);
        self.headers.insert(IDEMPOTENCY_KEY, value);
        self.repeat = Repeat::Recognised;
        Ok(self)
    }
}

/// A random UUID (version 4): nobody guesses it.
fn new_key() -> Result<String, Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::Setting(format!("the system has no random numbers for a key: {error}")))?;
    Ok(Builder::from_random_bytes(bytes).into_uuid().to_string())
}
