//! When to stop, beside the session key and the pages.

use super::condition::{condition, formula_of};
use super::node::Node;
use super::set::PropertySet;
use crate::ingest::Json;
use crate::ingest::settings::{Condition, OnTimeout, SessionKey, StopSettings};

/// The most conditions of a kind: each is asked of every answer, and a compiled expression takes memory.
const MOST: usize = 64;

/// How often the same cursor or page may come in a row, where nothing is said.
const LOOP_GUARD: u64 = 3;

pub(super) fn stop(set: &PropertySet<'_>, key: Option<&SessionKey>) -> StopSettings {
    let words = [("fail", OnTimeout::Fail), ("partial", OnTimeout::Partial), ("continue", OnTimeout::Continue)];
    let guard = set.whole("rejoin.loop.guard", 0..=u64::from(u32::MAX)).unwrap_or(LOOP_GUARD);
    StopSettings {
        when: set.json("rejoin.stop.when", |node| conditions(node, key)).unwrap_or_default(),
        fail_when: set.json("rejoin.fail.when", |node| conditions(node, key)).unwrap_or_default(),
        pages: set.whole("rejoin.pages.max", 1..=u64::MAX),
        loop_guard: u32::try_from(guard).unwrap_or(u32::MAX),
        on_timeout: set.word("rejoin.on.timeout", &words).unwrap_or_default(),
        least_records: set.whole("ms.work.unit.min.records", 0..=u64::MAX).unwrap_or_default(),
    }
}

/// An array of formulas; one that is an object may be a regular expression on the session key.
fn conditions(node: &Node<'_>, key: Option<&SessionKey>) -> Vec<Condition> {
    let one = |node: &Node<'_>| {
        let read = match node.json {
            Json::Text(_) => formula_of(node).map(Condition::Formula),
            _ => condition(node),
        };
        if key.is_none() && matches!(read, Some(Condition::Matches(_))) {
            node.refuse("`regexp` looks at the session key, and there is none: `ms.session.key.field`");
        }
        read
    };
    node.few_elements(MOST).iter().filter_map(one).collect()
}
