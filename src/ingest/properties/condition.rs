//! Regular expressions and formulas.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Weak};

use parking_lot::Mutex;
use regex::{Regex, RegexBuilder};

use super::node::Node;
use crate::ingest::Formula;
use crate::ingest::settings::Condition;

/// The most memory that a compiled expression may take.
const EXPRESSION_BYTES: usize = 1 << 20;

/// `{"regexp": …}` or `{"formula": …}`
pub(super) fn condition(node: &Node<'_>) -> Option<Condition> {
    let members = node.members(&["regexp", "formula"])?;
    match (members.get("regexp"), members.get("formula")) {
        (Some(regexp), None) => whole_match(&regexp).map(Condition::Matches),
        (None, Some(formula)) => formula_of(&formula).map(Condition::Formula),
        (Some(_), Some(_)) => {
            node.refuse("`regexp` and `formula` stand side by side: one of them");
            None
        }
        (None, None) => {
            node.refuse("`regexp` or `formula` is missing");
            None
        }
    }
}

pub(super) fn formula_of(node: &Node<'_>) -> Option<Formula> {
    let parsed = Formula::parse(node.text()?);
    // The first line says it; those behind it draw the place.
    let first_line =
        |text: &str| text.lines().next().unwrap_or_default().trim_start_matches("ERROR: <input>:").to_owned();
    parsed.map_err(|error| node.refuse(format!("no formula: {}", first_line(&error.to_string())))).ok()
}

/// An expression that matches the whole of a value or nothing, as Java's `String.matches` does.
pub(super) fn whole_match(node: &Node<'_>) -> Option<Arc<Regex>> {
    let text = node.scalar()?;
    if let Some(known) = KNOWN.lock().get(&text).and_then(Weak::upgrade) {
        return Some(known);
    }
    // By itself first: `a)|(b` is none, though it would be one inside of the parentheses.
    build(node, &text)?;
    let built = Arc::new(build(node, &format!("\\A(?:{text})\\z"))?);
    let mut known = KNOWN.lock();
    if known.len() >= MOST_KNOWN {
        known.retain(|_, expression| expression.strong_count() > 0);
    }
    if known.len() < MOST_KNOWN {
        known.insert(text, Arc::downgrade(&built));
    }
    Some(built)
}

/// The expressions that somebody waits with. A compiled one and what it notes while it looks take ten kilobytes, and thousands
/// may wait for the same word.
static KNOWN: LazyLock<Mutex<HashMap<String, Weak<Regex>>>> = LazyLock::new(Mutex::default);

/// How many expressions are known at the most.
const MOST_KNOWN: usize = 1024;

/// An expression that matches anywhere.
pub(super) fn search(node: &Node<'_>) -> Option<Regex> {
    build(node, node.text()?)
}

fn build(node: &Node<'_>, text: &str) -> Option<Regex> {
    let built = RegexBuilder::new(text).size_limit(EXPRESSION_BYTES).dfa_size_limit(EXPRESSION_BYTES).build();
    built.map_err(|error| node.refuse(refusal(&error))).ok()
}

/// What is wrong with an expression, on one line.
fn refusal(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(limit) => format!("the expression takes more than {limit} bytes when compiled"),
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            let problem = last.strip_prefix("error: ").unwrap_or(last);
            format!("no regular expression: {problem} (look-around and back-references are not supported)")
        }
    }
}
