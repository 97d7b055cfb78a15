//! What is read, what is refused, and the rules that are found here.

mod bad;
mod good;
mod rules;

use super::*;
use crate::ingest::settings::IngestSettings;

/// A property at a line of the perform document.
fn property(line: u32, (key, value): (&str, &str)) -> Property {
    let place = PropertyPlace::Document(Position { line, column: 1 });
    Property { key: key.into(), value: value.into(), place }
}

fn list(properties: &[(&str, &str)]) -> Vec<Property> {
    (1..).zip(properties).map(|(line, pair)| property(line, *pair)).collect()
}

const URI: (&str, &str) = ("ms.source.uri", "/r");

/// The settings of some properties and a plain address.
fn settings(properties: &[(&str, &str)]) -> IngestSettings {
    let all: Vec<(&str, &str)> = [URI].iter().chain(properties).copied().collect();
    read(&[], &list(&all), &SecondaryNames::Any).unwrap_or_else(|problems| panic!("{problems}"))
}

/// What is wrong with some properties and a plain address, one problem on a line and without the places in the document.
fn problems(properties: &[(&str, &str)]) -> String {
    let all: Vec<(&str, &str)> = match properties.iter().any(|(key, _)| *key == "ms.source.uri") {
        true => properties.to_vec(),
        false => [URI].iter().chain(properties).copied().collect(),
    };
    let problems = read(&[], &list(&all), &SecondaryNames::Any).unwrap_err();
    let lines = problems.0.into_iter().map(|problem| PropertyProblem { place: None, ..problem }.to_string());
    lines.collect::<Vec<_>>().join("\n")
}
