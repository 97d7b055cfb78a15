use http::header::{ACCEPT_ENCODING, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use sha2::{Digest as _, Sha256};

use super::{FileKept, PartKept, Validator};

/// The headers that a download says itself.
pub const REFUSED_HEADERS: [HeaderName; 5] = [ACCEPT_ENCODING, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE];

/// Where a file comes from, as a digest: addresses may hold secrets. Entity tags say nothing of another address.
#[must_use]
pub fn source_of(method: &Method, address: &str) -> String {
    let hash = Sha256::digest(format!("{method} {address}"));
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// What a request asks for, beyond the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// The whole file.
    Whole,
    /// The rest of it from that byte on, if it is still the same file; else the whole.
    Rest(u64),
    /// The whole file, if it is not the one any more that is there.
    Changed,
}

impl Asked {
    /// What is best asked for: the rest of what is unfinished, else the file if it has changed. `part` and `file` are what is there
    /// and may be used.
    #[must_use]
    pub fn of(part: Option<&PartKept>, file: Option<&FileKept>) -> Self {
        if let Some(part) = part.filter(|part| part.bytes > 0 && part.validator.for_range().is_some()) {
            return Self::Rest(part.bytes);
        }
        let can_be_told = |validator: &Validator| validator.etag.is_some() || validator.last_modified.is_some();
        match file {
            Some(file) if can_be_told(&file.validator) => Self::Changed,
            _ => Self::Whole,
        }
    }

    /// Adds the headers that say so. The file is asked for as it is, not packed: so places in it stay where they are.
    pub fn add_to(&self, headers: &mut HeaderMap, part: Option<&PartKept>, file: Option<&FileKept>) {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let mut add = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        match (self, part.map(|part| &part.validator), file.map(|file| &file.validator)) {
            (Self::Rest(from), Some(validator), _) => {
                add(RANGE, &format!("bytes={from}-"));
                add(IF_RANGE, validator.for_range().unwrap_or_default());
            }
            (Self::Changed, _, Some(Validator { etag: Some(etag), .. })) => add(IF_NONE_MATCH, etag),
            (Self::Changed, _, Some(Validator { last_modified: Some(date), .. })) => add(IF_MODIFIED_SINCE, date),
            _ => {}
        }
    }
}
