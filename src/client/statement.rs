//! One SQL statement with its parameters: what a query and an update have in common.

use std::fmt::Display;

use super::caller::Caller;
use crate::document::{ActivityElement, Element, TYPES_NAMESPACE};

/// A statement, and by whom it is sent.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) caller: Caller,
    sql: String,
    parameters: Vec<String>,
    resource: Option<String>,
}

impl Statement {
    pub(super) fn new(caller: Caller, sql: impl Into<String>) -> Self {
        Self { caller, sql: sql.into(), parameters: Vec::new(), resource: None }
    }

    pub(super) fn parameter(&mut self, value: impl Display) {
        self.parameters.push(value.to_string());
    }

    pub(super) fn on(&mut self, data_resource: &str) {
        self.resource = Some(data_resource.into());
    }

    /// The activity of that kind and name, up to its outputs.
    pub(super) fn activity(&self, kind: &str, name: &str) -> ActivityElement {
        let mut activity = ActivityElement::new(kind, name);
        if let Some(resource) = &self.resource {
            activity = activity.with_attribute("resource", resource);
        }
        for (index, parameter) in self.parameters.iter().enumerate() {
            let value = child("sqlParameter").with_attribute("position", index + 1).with_text(parameter.as_str());
            activity = activity.with_child(value);
        }
        activity.with_child(child("expression").with_text(self.sql.as_str()))
    }
}

/// A child of an activity.
pub(super) fn child(name: &'static str) -> Element {
    Element::new(name, Some(TYPES_NAMESPACE))
}
