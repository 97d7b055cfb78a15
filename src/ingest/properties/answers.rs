//! Which answers are good ones: `ms.http.statuses`, `ms.http.status.reasons`, `ms.http.response.type`.

use std::ops::RangeInclusive;

use super::node::Node;
use super::set::PropertySet;
use crate::ingest::Json;
use crate::ingest::settings::{AnswerRules, PageForm, StatusSet};

/// The statuses that HTTP has.
const STATUSES: RangeInclusive<u16> = 100..=599;

pub(super) fn answers(set: &PropertySet<'_>, form: &PageForm) -> AnswerRules {
    let classes = set.json("ms.http.statuses", classes).flatten().unwrap_or_else(|| Classes {
        success: StatusSet(vec![200..=202]),
        warning: StatusSet::default(),
        error: StatusSet::default(),
        credentials: StatusSet(vec![401..=401]),
    });
    let mut media_types: Vec<Box<str>> = match form {
        PageForm::Json { .. } => vec!["application/json".into()],
        PageForm::Csv(_) => vec!["text/csv".into(), "application/gzip".into()],
        PageForm::Text | PageForm::File => Vec::new(),
    };
    let more = set.json("ms.http.response.type", response_types).unwrap_or_default();
    media_types.extend(more);
    AnswerRules {
        success: classes.success,
        warning: classes.warning,
        error: classes.error,
        credentials: classes.credentials,
        error_reasons: set.json("ms.http.status.reasons", reasons).flatten().unwrap_or_default(),
        media_types,
    }
}

struct Classes {
    success: StatusSet,
    warning: StatusSet,
    error: StatusSet,
    credentials: StatusSet,
}

/// `{"success": […], "warning": […], "error": […], "pagination_error": […]}`: it replaces the default whole.
fn classes(node: &Node<'_>) -> Option<Classes> {
    const NAMES: [&str; 4] = ["success", "warning", "error", "pagination_error"];
    let members = node.members(&NAMES)?;
    let sets = NAMES.map(|name| members.get(name).map(|node| statuses(&node)).unwrap_or_default());
    if !members.get("success").is_some_and(|node| *node.json != Json::Array(Vec::new())) {
        node.refuse("`success` is missing: what is said here replaces the default whole");
    }
    for (index, (name, set)) in NAMES.iter().zip(&sets).enumerate() {
        for (other_name, other) in NAMES.iter().zip(&sets).skip(index + 1) {
            if let Some(status) = shared(set, other) {
                node.refuse(format!("{status} is in `{name}` and in `{other_name}`: an answer has one meaning"));
            }
        }
    }
    let [success, warning, error, credentials] = sets;
    Some(Classes { success, warning, error, credentials })
}

/// A status that is in both.
pub(super) fn shared(one: &StatusSet, other: &StatusSet) -> Option<u16> {
    STATUSES.into_iter().find(|status| one.contains(*status) && other.contains(*status))
}

/// An array of statuses: 404, `"5xx"`, `"500-503"`.
pub(super) fn statuses(node: &Node<'_>) -> StatusSet {
    StatusSet(node.elements().iter().filter_map(status_range).collect())
}

fn status_range(node: &Node<'_>) -> Option<RangeInclusive<u16>> {
    let code = |digits: &str| digits.parse().ok().filter(|code| STATUSES.contains(code));
    let range = match node.json {
        Json::Number(digits) => code(digits).map(|code| code..=code),
        Json::Text(text) => match (text.strip_suffix("xx"), text.split_once('-')) {
            (Some(class), _) => code(&format!("{class}00")).map(|first| first..=first + 99),
            (None, Some((first, last))) => code(first.trim()).zip(code(last.trim())).map(|(first, last)| first..=last),
            (None, None) => code(text).map(|code| code..=code),
        },
        _ => None,
    };
    let range = range.filter(|range| !range.is_empty());
    if range.is_none() {
        node.refuse("expected a status from 100 to 599, `\"5xx\"` or `\"500-503\"`");
    }
    range
}

/// `{"error": […]}`
fn reasons(node: &Node<'_>) -> Option<Vec<Box<str>>> {
    let error = node.members(&["error"])?.get("error")?;
    Some(error.elements().iter().filter_map(|reason| reason.text().map(Into::into)).collect())
}

/// `{"Content-Type": …}`: a media type or several; DIL takes those of any other member beside it, so that is taken too.
fn response_types(node: &Node<'_>) -> Vec<Box<str>> {
    let entries = node.entries();
    if !entries.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        node.refuse("`Content-Type` is missing");
    }
    let mut types = Vec::new();
    for (_, value) in entries {
        if matches!(value.json, Json::Array(_)) {
            types.extend(value.elements().iter().filter_map(media_type));
        } else {
            types.extend(media_type(&value));
        }
    }
    types
}

fn media_type(node: &Node<'_>) -> Option<Box<str>> {
    let text = node.text()?;
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_one = essence.split_once('/').is_some_and(|(kind, subtype)| !kind.is_empty() && !subtype.is_empty());
    if !is_one {
        node.refuse("expected a media type such as `application/json`");
    }
    is_one.then(|| essence.into())
}
