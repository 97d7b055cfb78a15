//! The nearest known name to a misspelt one.

use std::fmt::Write;

/// The known name that a writer most likely meant, if one is near enough to be worth saying.
///
/// ```
/// use rejoin::document::nearest;
///
/// assert_eq!(nearest("sqlQueryStatment", ["echo", "sqlQueryStatement"]), Some("sqlQueryStatement"));
/// assert_eq!(nearest("zebra", ["echo", "sqlQueryStatement"]), None);
/// ```
#[must_use]
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = wrong.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= 1 + name.len().min(wrong.len()) / 4 && *distance < name.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// How an error goes on: "did you mean" the nearest name or, where nothing is near, "expected one of" them all.
pub(super) fn suggestion(wrong: &str, known: &[&str]) -> String {
    let mut text = String::new();
    if let Some(name) = nearest(wrong, known.iter().copied()) {
        // Writing to a string can't fail.
        let _ = write!(text, "; did you mean `{name}`?");
    } else if let [only] = known {
        let _ = write!(text, "; expected `{only}`");
    } else if !known.is_empty() {
        text.push_str("; expected one of ");
        for (index, name) in known.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            let _ = write!(text, "{separator}`{name}`");
        }
    }
    text
}

/// What is said of a name that is looked up and not found: the nearest known one, and all of them.
#[cfg(feature = "server")]
pub(crate) fn unknown_name<'a>(what: &str, wrong: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let mut text = format!("there is no {what} `{wrong}`");
    let mut verb = "; there ";
    if let Some(name) = nearest(wrong, known.iter().copied()) {
        // Writing to a string can't fail.
        let _ = write!(text, "; did you mean `{name}`?");
        verb = " There ";
    }
    text.push_str(verb);
    match known.as_slice() {
        [] => text.push_str("is none"),
        [only] => {
            let _ = write!(text, "is `{only}`");
        }
        names => {
            let _ = write!(text, "are `{}`", names.join("`, `"));
        }
    }
    text
}
