use chrono::{DateTime, TimeDelta};
use http::HeaderMap;
use http::header::{DATE, ETAG, HeaderName, LAST_MODIFIED};
use serde::{Deserialize, Serialize};

/// How much earlier than the answer the last change has to be, so that there was none in the same second by another clock.
const APART: TimeDelta = TimeDelta::seconds(60);

/// By what a version of a file is told from others (RFC 9110, section 8.8).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Validator {
    /// `ETag`, as it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// `Last-Modified`, as it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// Whether that tells two versions apart whose bytes differ.
    #[serde(default)]
    is_strong_date: bool,
}

impl Validator {
    /// What an answer says.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let last_modified = text(headers, &LAST_MODIFIED);
        let date = |value: &str| DateTime::parse_from_rfc2822(value).ok();
        let changed = last_modified.as_deref().and_then(date);
        let sent = text(headers, &DATE).as_deref().and_then(date);
        let is_strong_date = changed.zip(sent).is_some_and(|(changed, sent)| sent - changed >= APART);
        Self { etag: text(headers, &ETAG), last_modified, is_strong_date }
    }

    /// What `If-Range` has, so that the rest of a file is that of the same file; `None` where nothing is certain enough.
    #[must_use]
    pub fn for_range(&self) -> Option<&str> {
        match &self.etag {
            // With an entity tag a date may not be used.
            Some(etag) => Some(&**etag).filter(|etag| !etag.starts_with("W/")),
            None => self.last_modified.as_deref().filter(|_| self.is_strong_date),
        }
    }

    /// Whether two answers are certain to be of different versions.
    #[must_use]
    pub fn differs_from(&self, other: &Self) -> bool {
        let differ = |one: &Option<String>, other: &Option<String>| {
            one.as_ref().zip(other.as_ref()).is_some_and(|(one, other)| one != other)
        };
        differ(&self.etag, &other.etag) || differ(&self.last_modified, &other.last_modified)
    }
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn validator(fields: &[(&'static str, &'static str)]) -> Validator {
        let fields = fields.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        Validator::of(&fields.collect())
    }

    #[test]
    fn only_what_is_certain_asks_for_a_rest() {
        let date = ("last-modified", "Sat, 21 Nov 2026 10:00:00 GMT");
        let soon = ("date", "Sat, 21 Nov 2026 10:00:30 GMT");
        let late = ("date", "Sat, 21 Nov 2026 10:01:00 GMT");
        for (fields, expected) in [
            (vec![("etag", "\"a\"")], Some("\"a\"")),
            (vec![("etag", "W/\"a\"")], None),
            (vec![("etag", "W/\"a\""), date, late], None),
            (vec![date], None),
            (vec![date, soon], None),
            (vec![date, late], Some(date.1)),
            (vec![], None),
        ] {
            assert_eq!(validator(&fields).for_range(), expected, "{fields:?}");
        }
    }

    #[test]
    fn versions_differ_where_both_say_something_else() {
        let one = validator(&[("etag", "\"a\"")]);
        assert!(one.differs_from(&validator(&[("etag", "\"b\"")])));
        assert!(!one.differs_from(&validator(&[])));
        assert!(!one.differs_from(&one));
    }
}
