//! The words of our documents: a name that is among them takes no memory.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

use super::{CONFIGURATION_NAMESPACE, TYPES_NAMESPACE};

/// The names of elements and attributes that come up most, by their length.
const WORDS: [&[&str]; 19] = [
    &[],
    &[],
    &["by", "id"],
    &[],
    &["flow", "from", "name", "mode", "text", "item", "echo", "size", "type", "wait"],
    &["value", "input", "error", "sleep"],
    &["output", "status", "result", "access", "rotate"],
    &["session", "perform", "toLocal", "request", "message", "timeout"],
    &["position", "sequence", "resource", "property", "duration"],
    &[
        "resultSet",
        "webRowSet",
        "csvOutput",
        "delimiter",
        "lineBreak",
        "fromLocal",
        "toSession",
        "attribute",
        "blocksize",
    ],
    &["expression", "itemCursor", "delimiters"],
    &["contentType", "fromSession", "nullDataStr"],
    &["sqlParameter", "resultStream", "escapeFields", "setAttribute", "getAttribute"],
    &["includeHeader", "documentation", "attributeName"],
    &["resultsetInput", "attributeIndex", "listAttributes"],
    &["sqlResultsToXML", "sqlResultsToCSV", "removeAttribute", "blockAggregator", "stringTokenizer"],
    &["deliverToSession"],
    &["sqlQueryStatement", "stringBlocksInput"],
    &["sqlUpdateStatement", "deliverFromSession", "incrementAttribute", "stringTokensOutput"],
];

/// A line end and an indentation, as deep as most are.
const INDENTATION: &str = "\n                                ";

/// A namespace as it is kept: one of ours, or one that the declaration and all that is in it share.
#[derive(Debug, Clone)]
pub(super) enum Namespace {
    Known(&'static str),
    Other(Arc<str>),
}

impl Deref for Namespace {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Known(name) => name,
            Self::Other(name) => name,
        }
    }
}

impl From<&str> for Namespace {
    fn from(name: &str) -> Self {
        match [TYPES_NAMESPACE, CONFIGURATION_NAMESPACE].into_iter().find(|known| *known == name) {
            Some(known) => Self::Known(known),
            None => Self::Other(name.into()),
        }
    }
}

impl PartialEq for Namespace {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Namespace {}

/// A name as it is kept.
pub(super) fn name(name: &str) -> Cow<'static, str> {
    match WORDS.get(name.len()).and_then(|words| words.iter().find(|word| **word == name)) {
        Some(word) => Cow::Borrowed(word),
        None => Cow::Owned(name.into()),
    }
}

/// A text as it is kept: what stands between elements takes no memory either.
pub(super) fn text(text: &str) -> Cow<'static, str> {
    match INDENTATION.get(..text.len()) {
        Some(indentation) if indentation == text => Cow::Borrowed(indentation),
        _ => Cow::Owned(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_with_those_of_their_length() {
        for (length, words) in WORDS.iter().enumerate() {
            for word in *words {
                assert_eq!(word.len(), length, "{word}");
                assert!(matches!(name(word), Cow::Borrowed(kept) if kept == *word));
            }
        }
        assert!(matches!(name("zebra"), Cow::Owned(kept) if kept == "zebra"));
    }

    #[test]
    fn indentation_takes_no_memory() {
        assert!(matches!(text("\n    "), Cow::Borrowed("\n    ")));
        assert!(matches!(text("\n    x"), Cow::Owned(kept) if kept == "\n    x"));
        assert!(matches!(text(&"\n".repeat(40)), Cow::Owned(_)));
    }
}
