//! `rejoin activities`: which activities there are.

use crate::document::activities::{ACTIVITIES, Requirement, Shape, to_json};

/// Prints a line for each activity, or everything about them as JSON.
pub(super) fn run(as_json: bool) {
    if as_json {
        say!("{}", to_json(ACTIVITIES).trim_end());
        return;
    }
    let longest = ACTIVITIES.iter().map(|shape| shape.element.len()).max().unwrap_or_default();
    for shape in ACTIVITIES {
        say!("{:longest$}  {}{}", shape.element, shape.summary, needs(shape));
    }
}

/// What it needs, if anything.
fn needs(shape: &Shape) -> &'static str {
    match shape.requires {
        Requirement::Nothing => "",
        Requirement::Relational => " (relational data)",
        Requirement::Web => " (an HTTP service)",
        Requirement::Grant => " (has to be granted)",
    }
}
