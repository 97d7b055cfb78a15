use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE};

use super::{Asked, ContentRange, PartKept, Validator};

/// What an answer is to a download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// The file is the one that is there already.
    Unchanged,
    /// The rest of the file comes.
    Rest {
        /// How many bytes the whole file has, if it says so.
        total: Option<u64>,
    },
    /// Nothing of the file is missing.
    Complete,
    /// What is there is of another file, or the server does not understand: the file is asked for from its beginning.
    Stale {
        /// What does not fit.
        message: String,
    },
    /// Anything else: the status says what.
    Other,
}

/// What an answer with this status and these headers is, after what was asked.
#[must_use]
pub fn meaning(status: u16, headers: &HeaderMap, asked: &Asked, part: Option<&PartKept>) -> Meaning {
    match (status, asked, part) {
        (304, Asked::Changed, _) => Meaning::Unchanged,
        (206, Asked::Rest(from), Some(part)) => rest(headers, *from, part),
        (416, Asked::Rest(from), Some(part)) => {
            let total = range(headers).and_then(|range| range.total);
            if total == Some(*from) && part.total.is_none_or(|before| before == *from) {
                return Meaning::Complete;
            }
            let total = total.map_or("an unknown number of".to_owned(), |total| total.to_string());
            stale(format!("the server has {total} bytes, and {from} are there already"))
        }
        _ => Meaning::Other,
    }
}

fn rest(headers: &HeaderMap, from: u64, part: &PartKept) -> Meaning {
    let Some(ContentRange { bytes: Some((first, _)), total }) = range(headers) else {
        return stale("the part of the file that came does not say which it is (`Content-Range`)".to_owned());
    };
    if first != from {
        return stale(format!("bytes from {first} on came, and those from {from} on were asked for"));
    }
    if let Some((now, before)) = total.zip(part.total).filter(|(now, before)| now != before) {
        return stale(format!("the file has {now} bytes now, and had {before} before"));
    }
    if Validator::of(headers).differs_from(&part.validator) {
        return stale("the file has changed meanwhile".to_owned());
    }
    Meaning::Rest { total: total.or(part.total) }
}

fn stale(message: String) -> Meaning {
    Meaning::Stale { message }
}

fn range(headers: &HeaderMap) -> Option<ContentRange> {
    ContentRange::parse(headers.get(CONTENT_RANGE)?.to_str().ok()?)
}

/// How many bytes the body of an answer has, if it says so.
#[must_use]
pub fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        fields.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    fn part() -> PartKept {
        PartKept {
            token: "0".repeat(32),
            bytes: 4,
            source: String::new(),
            validator: Validator::of(&headers(&[("etag", "\"a\"")])),
            total: Some(10),
            digest: None,
        }
    }

    #[test]
    fn a_rest_has_to_be_the_rest_of_the_same_file() {
        let said =
            |fields: &[(&'static str, &'static str)]| meaning(206, &headers(fields), &Asked::Rest(4), Some(&part()));
        assert_eq!(said(&[("content-range", "bytes 4-9/10")]), Meaning::Rest { total: Some(10) });
        assert_eq!(said(&[("content-range", "bytes 4-6/*"), ("etag", "\"a\"")]), Meaning::Rest { total: Some(10) });
        for (fields, words) in [
            (vec![], "does not say"),
            (vec![("content-type", "multipart/byteranges")], "does not say"),
            (vec![("content-range", "bytes 3-9/10")], "bytes from 3 on came"),
            (vec![("content-range", "bytes 4-10/11")], "has 11 bytes now"),
            (vec![("content-range", "bytes 4-9/10"), ("etag", "\"b\"")], "has changed"),
        ] {
            let Meaning::Stale { message } = said(&fields) else { panic!("{fields:?}") };
            assert!(message.contains(words), "{message}");
        }
    }

    #[test]
    fn a_range_behind_the_end_may_mean_that_all_is_there() {
        let part = || PartKept { total: Some(4), ..part() };
        let said =
            |asked, fields: &[(&'static str, &'static str)]| meaning(416, &headers(fields), &asked, Some(&part()));
        assert_eq!(said(Asked::Rest(4), &[("content-range", "bytes */4")]), Meaning::Complete);
        assert!(matches!(said(Asked::Rest(4), &[("content-range", "bytes */3")]), Meaning::Stale { .. }));
        assert!(matches!(said(Asked::Rest(4), &[]), Meaning::Stale { .. }));
        assert!(matches!(said(Asked::Rest(3), &[("content-range", "bytes */3")]), Meaning::Stale { .. }), "it had 4");
        assert_eq!(said(Asked::Whole, &[]), Meaning::Other);
    }

    #[test]
    fn what_was_not_asked_for_is_judged_by_its_status() {
        let none = headers(&[]);
        assert_eq!(meaning(304, &none, &Asked::Changed, None), Meaning::Unchanged);
        assert_eq!(meaning(304, &none, &Asked::Whole, None), Meaning::Other);
        assert_eq!(meaning(206, &none, &Asked::Whole, None), Meaning::Other);
        assert_eq!(meaning(200, &none, &Asked::Rest(4), Some(&part())), Meaning::Other);
    }
}
