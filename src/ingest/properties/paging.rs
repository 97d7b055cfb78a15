//! Which page is next: `ms.pagination`, `ms.total.count.field`, `rejoin.next`.

use super::node::Node;
use super::set::PropertySet;
use crate::ingest::settings::{NextLink, PageValues, PagingSettings, SessionKey, ValuePath};

pub(super) fn paging(set: &PropertySet<'_>, key: Option<&SessionKey>) -> PagingSettings {
    let pages = set.json("ms.pagination", pagination).flatten();
    let next = set.text("rejoin.next").and_then(|text| match text {
        "link" => Some(NextLink::LinkHeader),
        _ => path(set, "rejoin.next").map(NextLink::Body),
    });
    // A key without a condition is a cursor, or says that there is more: pages are asked for until it is blank.
    let is_cursor = key.is_some_and(|key| key.condition.is_none() && (key.failure.is_none() || key.is_sent_back));
    let is_on = pages.is_some() || is_cursor || next.is_some();
    let (fields, initial) = pages.unwrap_or_default();
    PagingSettings { is_on, fields, initial, total: path(set, "ms.total.count.field"), next }
}

/// A property that is a dotted path.
pub(super) fn path(set: &PropertySet<'_>, key: &str) -> Option<ValuePath> {
    let path = ValuePath::parse(set.text(key)?);
    if path.is_none() {
        set.refuse(key, "expected a path such as `result.items.0.id`, without empty parts");
    }
    path
}

/// `{"fields": [start, size, number], "initialvalues": [start, size, number]}`
fn pagination(node: &Node<'_>) -> Option<(PageValues<ValuePath>, PageValues<u64>)> {
    let members = node.members(&["fields", "initialvalues"])?;
    let fields = members.get("fields").map(|node| three(&node, field)).unwrap_or_default();
    let initial = members.get("initialvalues").map(|node| three(&node, initial_value)).unwrap_or_default();
    Some((fields, initial))
}

/// Start, size and number, as far as they are there.
fn three<T>(node: &Node<'_>, read: impl Fn(&Node<'_>) -> Option<T>) -> PageValues<T> {
    let elements = node.elements();
    if elements.len() > 3 {
        node.refuse(format!("{} entries are too many: start, size and number of the page", elements.len()));
    }
    let mut values = elements.iter().map(read);
    let mut value = || values.next().flatten();
    PageValues { start: value(), size: value(), number: value() }
}

/// The empty text and null: not given.
fn field(node: &Node<'_>) -> Option<ValuePath> {
    use crate::ingest::Json;
    match node.json {
        Json::Null => None,
        Json::Text(text) if text.is_empty() => None,
        _ => super::key::value_path(node),
    }
}

fn initial_value(node: &Node<'_>) -> Option<u64> {
    use crate::ingest::Json;
    match node.json {
        Json::Null => None,
        _ => node.whole(0..=u64::MAX),
    }
}
