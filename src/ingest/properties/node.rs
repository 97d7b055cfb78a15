//! A place in the JSON of a property, for reading it with a problem for everything that doesn't fit.

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::problem::PropertyProblem;
use super::{Property, PropertyPlace};
use crate::document::{nearest, parse_duration};
use crate::ingest::Json;

/// Where the problems of properties gather.
#[derive(Default)]
pub(super) struct Report(RefCell<Vec<PropertyProblem>>);

impl Report {
    pub(super) fn add(&self, problem: PropertyProblem) {
        self.0.borrow_mut().push(problem);
    }

    /// Adds a problem of a property as a whole, or of one that is missing.
    pub(super) fn refuse(&self, property: &str, place: Option<&PropertyPlace>, problem: impl Into<String>) {
        self.add(PropertyProblem {
            property: property.into(),
            place: place.cloned(),
            inside: "".into(),
            at: None,
            problem: problem.into(),
        });
    }

    /// Whether there is a problem with a property whose name begins with one of those.
    pub(super) fn has_any_about(&self, beginnings: &[&str]) -> bool {
        let is_about = |problem: &PropertyProblem| beginnings.iter().any(|begin| problem.property.starts_with(begin));
        self.0.borrow().iter().any(is_about)
    }

    pub(super) fn into_problems(self) -> Vec<PropertyProblem> {
        self.0.into_inner()
    }
}

/// A value inside of the JSON of a property, and the way to it.
#[derive(Clone)]
pub(super) struct Node<'a> {
    pub(super) json: &'a Json,
    property: &'a Property,
    inside: String,
    report: &'a Report,
}

impl<'a> Node<'a> {
    pub(super) fn root(property: &'a Property, json: &'a Json, report: &'a Report) -> Self {
        Self { json, property, inside: String::new(), report }
    }

    /// The same place with other JSON, which its text holds.
    pub(super) fn holding<'b>(&self, json: &'b Json) -> Node<'b>
    where
        'a: 'b,
    {
        Node { json, property: self.property, inside: self.inside.clone(), report: self.report }
    }

    /// Says what is wrong here.
    pub(super) fn refuse(&self, problem: impl Into<String>) {
        self.report.add(PropertyProblem {
            property: self.property.key.clone(),
            place: Some(self.property.place.clone()),
            inside: self.inside.as_str().into(),
            at: None,
            problem: problem.into(),
        });
    }

    /// Says that something else was expected.
    fn expected(&self, what: &str) {
        self.refuse(format!("expected {what}, found {}", self.json.kind()));
    }

    /// Its members, if it is an object with none but these.
    pub(super) fn members(&self, known: &[&str]) -> Option<Members<'a>> {
        let Json::Object(members) = self.json else {
            self.expected("an object");
            return None;
        };
        for (name, _) in members {
            if !known.contains(&&**name) {
                self.unknown("member", name, known);
            }
        }
        Some(Members { of: self.clone() })
    }

    /// Every member of an object of any names.
    pub(super) fn entries(&self) -> Vec<(&'a str, Node<'a>)> {
        let Json::Object(members) = self.json else {
            self.expected("an object");
            return Vec::new();
        };
        members.iter().map(|(name, value)| (&**name, self.inner(value, name))).collect()
    }

    /// Its elements, if it is an array.
    pub(super) fn elements(&self) -> Vec<Self> {
        let Json::Array(elements) = self.json else {
            self.expected("an array");
            return Vec::new();
        };
        let inner = |(index, json)| Self { json, inside: format!("{}[{index}]", self.inside), ..self.clone() };
        elements.iter().enumerate().map(inner).collect()
    }

    /// Its elements, if it is an array of no more than `most`.
    pub(super) fn few_elements(&self, most: usize) -> Vec<Self> {
        let elements = self.elements();
        if elements.len() > most {
            self.refuse(format!("it has {} elements, and at most {most} may be", elements.len()));
            return Vec::new();
        }
        elements
    }

    /// Its text.
    pub(super) fn text(&self) -> Option<&'a str> {
        if let Json::Text(text) = self.json {
            return Some(text);
        }
        self.expected("a text");
        None
    }

    /// Its text, which may be written as a number or `true` too.
    pub(super) fn scalar(&self) -> Option<String> {
        match self.json {
            Json::Text(_) | Json::Number(_) | Json::Bool(_) => Some(self.json.to_text()),
            _ => {
                self.expected("a text");
                None
            }
        }
    }

    /// True or false; the texts are taken too.
    pub(super) fn flag(&self) -> Option<bool> {
        match self.json {
            Json::Bool(flag) => Some(*flag),
            Json::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Json::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => {
                self.expected("true or false");
                None
            }
        }
    }

    /// A whole number of a range; its text is taken too.
    pub(super) fn whole(&self, range: RangeInclusive<u64>) -> Option<u64> {
        let number = match self.json {
            Json::Number(digits) | Json::Text(digits) => digits.parse().ok().filter(|number| range.contains(number)),
            _ => None,
        };
        if number.is_none() {
            self.expected(&whole_number(&range));
        }
        number
    }

    /// A number of a range.
    pub(super) fn number(&self, range: RangeInclusive<f64>) -> Option<f64> {
        let number = match self.json {
            Json::Number(digits) => digits.parse().ok().filter(|number| range.contains(number)),
            _ => None,
        };
        if number.is_none() {
            self.expected(&format!("a number from {} to {}", range.start(), range.end()));
        }
        number
    }

    /// A time: milliseconds, or an `xs:duration` such as `PT10M`.
    pub(super) fn duration(&self) -> Option<Duration> {
        let duration = match self.json {
            Json::Number(text) | Json::Text(text) => parse_duration(text),
            _ => None,
        };
        if duration.is_none() {
            self.expected("a time: milliseconds such as 600000, or a text such as `PT10M`");
        }
        duration
    }

    /// One of some words, in upper or lower case; what it stands for.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text.trim()));
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.unknown("value", text, &known);
        }
        found.map(|(_, value)| *value)
    }

    /// Says that a name is not one of those that there are.
    pub(super) fn unknown(&self, what: &str, name: &str, known: &[&str]) {
        self.refuse(unknown_of(what, name, known));
    }

    fn inner(&self, json: &'a Json, name: &str) -> Self {
        let dot = if self.inside.is_empty() { "" } else { "." };
        Self { json, inside: format!("{}{dot}{name}", self.inside), ..self.clone() }
    }
}

/// The members of an object.
pub(super) struct Members<'a> {
    of: Node<'a>,
}

impl<'a> Members<'a> {
    /// A member; `null` is as if it weren't there.
    pub(super) fn get(&self, name: &str) -> Option<Node<'a>> {
        let json = self.of.json.member(name).filter(|json| **json != Json::Null)?;
        Some(self.of.inner(json, name))
    }

    /// A member that has to be there.
    pub(super) fn need(&self, name: &str) -> Option<Node<'a>> {
        let found = self.get(name);
        if found.is_none() {
            self.of.refuse(format!("`{name}` is missing"));
        }
        found
    }
}

/// What is said of a name that is not one of those that there are: the nearest, or all of them.
pub(super) fn unknown_of(what: &str, name: &str, known: &[&str]) -> String {
    let name = shortened(name);
    match nearest(&name, known.iter().copied()) {
        Some(near) => format!("there is no {what} `{name}`; did you mean `{near}`?"),
        None => format!("there is no {what} `{name}`; expected one of `{}`", known.join("`, `")),
    }
}

/// How a range of whole numbers is expected.
pub(super) fn whole_number(range: &RangeInclusive<u64>) -> String {
    match *range.end() {
        u64::MAX if *range.start() == 0 => "a whole number".to_owned(),
        u64::MAX => format!("a whole number from {}", range.start()),
        end => format!("a whole number from {} to {end}", range.start()),
    }
}

/// The beginning of a text, for an error.
pub(super) fn shortened(text: &str) -> String {
    const CHARACTERS: usize = 60;
    match text.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
