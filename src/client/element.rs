//! Activities as they are written here, node by node.

use super::Request;
use crate::document::{Element, TYPES_NAMESPACE, WrittenActivity};

/// A child of an activity.
pub(super) fn child(name: &'static str) -> Element {
    Element::new(name, Some(TYPES_NAMESPACE))
}

/// A child that names an output.
pub(super) fn output(child_name: &'static str, name: &str) -> Element {
    child(child_name).with_attribute("name", name)
}

/// A request of one step.
pub(super) fn one_step(activity: WrittenActivity) -> Request {
    let mut request = Request::new();
    request.add_written(activity);
    request
}
