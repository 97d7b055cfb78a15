//! Regular expressions and formulas.

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
pub(super) fn whole_match(node: &Node<'_>) -> Option<Regex> {
    let text = node.scalar()?;
    // By itself first: `a)|(b` is none, though it would be one inside of the parentheses.
    build(node, &text)?;
    build(node, &format!("\\A(?:{text})\\z"))
}

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
