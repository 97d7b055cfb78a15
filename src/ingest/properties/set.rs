//! The properties that hold, and how a single one is read.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::node::{Node, Report, shortened, unknown_of, whole_number};
use super::table::{self, PropertyUse};
use super::{Property, PropertyPlace, PropertyProblem};
use crate::ingest::Json;

/// The properties that hold: those of the activity, and those of the resource that the activity doesn't replace.
pub(super) struct PropertySet<'a> {
    properties: BTreeMap<&'a str, &'a Property>,
    /// What the resource says, replaced or not.
    defaults: &'a [Property],
    pub(super) report: Report,
}

impl<'a> PropertySet<'a> {
    pub(super) fn new(defaults: &'a [Property], own: &'a [Property]) -> Self {
        let report = Report::default();
        let mut properties = layer(defaults, &report);
        properties.extend(layer(own, &report));
        for property in properties.values() {
            check_name(property, &report);
        }
        Self { properties, defaults, report }
    }

    /// Where a property was written.
    pub(super) fn place(&self, key: &str) -> Option<&PropertyPlace> {
        self.properties.get(key).map(|property| &property.place)
    }

    /// Says what is wrong with a property as a whole.
    pub(super) fn refuse(&self, key: &str, problem: impl Into<String>) {
        self.report.refuse(key, self.place(key), problem);
    }

    /// Says what is wrong at a place inside of the JSON of a property.
    pub(super) fn refuse_inside(&self, key: &str, inside: &str, problem: impl Into<String>) {
        self.report.add(PropertyProblem {
            property: key.into(),
            place: self.place(key).cloned(),
            inside: inside.into(),
            at: None,
            problem: problem.into(),
        });
    }

    /// The value of a property, if it is there and not blank.
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        debug_assert!(table::find(key).is_some(), "{key} is not in the table");
        self.properties.get(key).map(|property| property.value.trim()).filter(|value| !value.is_empty())
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.text(key).is_some()
    }

    /// A whole number of a range.
    pub(super) fn whole(&self, key: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let text = self.text(key)?;
        let number = text.parse().ok().filter(|number| range.contains(number));
        if number.is_none() {
            self.refuse(key, format!("expected {}, found `{}`", whole_number(&range), shortened(text)));
        }
        number
    }

    /// A whole number of a range, of which the resource says the most: what the activity says instead may be less, and not more.
    pub(super) fn whole_up_to_default(&self, key: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let said = self.whole(key, range.clone());
        let default = self.defaults.iter().find(|property| *property.key == *key);
        let Some(default) = default.filter(|default| !default.value.trim().is_empty()) else { return said };
        let Some(most) = default.value.trim().parse().ok().filter(|most| range.contains(most)) else {
            // What nobody has replaced has been refused.
            if self.place(key) != Some(&default.place) {
                let found = shortened(default.value.trim());
                self.report.refuse(
                    key,
                    Some(&default.place),
                    format!("expected {}, found `{found}`", whole_number(&range)),
                );
            }
            return said;
        };
        if let Some(said) = said.filter(|said| *said > most) {
            self.refuse(
                key,
                format!("expected at most {most}, as the web resource says at {}, found `{said}`", default.place),
            );
        }
        Some(said.unwrap_or(most))
    }

    /// True or false.
    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        self.word(key, &[("true", true), ("false", false)])
    }

    /// One of some words, in upper or lower case.
    pub(super) fn word<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.refuse(key, unknown_of("value", text, &known));
        }
        found.map(|(_, value)| *value)
    }

    /// The JSON of a property, read by `read`. `{}` and `[]` are as if it weren't there.
    pub(super) fn json<T>(&self, key: &str, read: impl FnOnce(&Node<'_>) -> T) -> Option<T> {
        let text = self.text(key)?;
        let property = self.properties.get(key)?;
        let json = match Json::parse(text) {
            Ok(json) => json,
            Err(error) => {
                self.report.add(PropertyProblem {
                    property: key.into(),
                    place: Some(property.place.clone()),
                    inside: "".into(),
                    at: Some(error.at),
                    problem: error.problem,
                });
                return None;
            }
        };
        let is_blank = match &json {
            Json::Array(elements) => elements.is_empty(),
            Json::Object(members) => members.is_empty(),
            _ => false,
        };
        (!is_blank).then(|| read(&Node::root(property, &json, &self.report)))
    }
}

/// Properties by name; one that stands there twice is refused.
fn layer<'a>(properties: &'a [Property], report: &Report) -> BTreeMap<&'a str, &'a Property> {
    let mut layer: BTreeMap<&str, &Property> = BTreeMap::new();
    for property in properties {
        if let Some(first) = layer.insert(&property.key, property) {
            report.refuse(&property.key, Some(&property.place), format!("it stands at {} already", first.place));
        }
    }
    layer
}

fn check_name(property: &Property, report: &Report) {
    let refuse = |problem: String| report.refuse(&property.key, Some(&property.place), problem);
    let Some(description) = table::find(&property.key) else {
        let hint =
            table::nearest_property(&property.key).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
        return refuse(format!("there is no such property{hint}"));
    };
    let value = property.value.trim();
    match description.treatment {
        PropertyUse::Read if property.value.contains("ENC(") => {
            refuse("encrypted values are not read: credentials belong to the web resource".to_owned());
        }
        PropertyUse::Read | PropertyUse::NoEffect => {}
        PropertyUse::Only(_) | PropertyUse::Refused if value.is_empty() => {}
        PropertyUse::Only(values) if values.contains(&value) => {}
        PropertyUse::Only(values) => {
            refuse(format!("only `{}` may be said: {}", values.join("`, `"), description.difference));
        }
        PropertyUse::Refused => refuse(description.difference.to_owned()),
    }
}
