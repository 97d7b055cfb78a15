//! `ms.session.key.field`

use super::condition::condition;
use super::node::Node;
use crate::ingest::settings::{SessionKey, ValuePath};

/// `{"name": …, "condition": …, "failCondition": …, "initValue": …}`
pub(super) fn session_key(node: &Node<'_>) -> Option<SessionKey> {
    let members = node.members(&["name", "condition", "failCondition", "initValue"])?;
    let name = members.need("name");
    let completion = members.get("condition");
    let failure = members.get("failCondition");
    let (has_condition, has_failure) = (completion.is_some(), failure.is_some());
    let completion = completion.and_then(|node| condition(&node));
    let failure = failure.and_then(|node| condition(&node));
    let initial = members.get("initValue").and_then(|node| node.scalar());

    let name = name?;
    let text = name.text()?.trim();
    let path = value_path(&name)?;
    let is_whole = has_condition == completion.is_some() && has_failure == failure.is_some();
    is_whole.then(|| SessionKey {
        path,
        header: text.into(),
        condition: completion,
        failure,
        is_sent_back: false,
        initial: initial.map(Into::into),
    })
}

/// A dotted path.
pub(super) fn value_path(node: &Node<'_>) -> Option<ValuePath> {
    let path = ValuePath::parse(node.text()?);
    if path.is_none() {
        node.refuse("expected a path such as `result.items.0.id`, without empty parts");
    }
    path
}
