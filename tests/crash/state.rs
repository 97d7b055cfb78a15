//! What a session should remember, by the account of the client that uses it alone.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use rejoin::document::TYPES_NAMESPACE;

use crate::random::Random;

/// The attributes that the requests of the tests use. `count` rises with every change: no two states are the same.
const PAIR: [&str; 2] = ["left", "right"];
const TEXT: &str = "log";
const ROWS: &str = "rows";
const SCALARS: [&str; 4] = ["alpha", "beta", "gamma", "delta"];

/// A stream is begun anew when it is longer.
const LONGEST_STREAM: usize = 48 * 1024;

/// The attributes of a session: each has its type, a space, and its value as clients read it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct State {
    attributes: BTreeMap<String, Arc<str>>,
}

/// A step of a request. The steps of one request are about different attributes.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Count { name: &'static str, by: i64 },
    Set { name: &'static str, kind: &'static str, value: String },
    Remove { name: &'static str },
    Text { text: String, mode: &'static str },
    Rows { rows: Vec<(u64, String)>, mode: &'static str },
}

impl State {
    pub(crate) fn put(&mut self, name: &str, kind: &str, value: &str) {
        self.attributes.insert(name.to_owned(), format!("{kind} {value}").into());
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.attributes.keys().map(String::as_str)
    }

    pub(crate) fn integer(&self, name: &str) -> i64 {
        self.attributes.get(name).and_then(|value| value.strip_prefix("integer ")?.parse().ok()).unwrap_or(0)
    }

    /// The value of an attribute, without its type.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.attributes.get(name).and_then(|value| value.split_once(' ')).map_or("", |(_, content)| content)
    }

    /// The state after some steps.
    pub(crate) fn after(&self, steps: &[Step]) -> Self {
        let mut after = self.clone();
        for step in steps {
            step.apply(&mut after);
        }
        after
    }

    /// How it differs from another, for people.
    pub(crate) fn difference(&self, other: &Self) -> String {
        let mut text = String::new();
        for name in self.names().chain(other.names().filter(|name| !self.attributes.contains_key(*name))) {
            let (ours, theirs) = (self.attributes.get(name), other.attributes.get(name));
            if ours != theirs {
                let _ = writeln!(text, "  {name}: {} instead of {}", shortened(ours), shortened(theirs));
            }
        }
        text
    }
}

fn shortened(value: Option<&Arc<str>>) -> String {
    match value {
        None => "nothing".to_owned(),
        Some(value) if value.len() <= 80 => format!("`{value}`"),
        Some(value) => format!("{} bytes that end in `{}`", value.len(), &value[value.len() - 40..]),
    }
}

impl Step {
    fn apply(&self, state: &mut State) {
        match self {
            Self::Count { name, by } => {
                let sum = state.integer(name) + by;
                state.put(name, "integer", &sum.to_string());
            }
            Self::Set { name, kind, value } => state.put(name, kind, value),
            Self::Remove { name } => {
                state.attributes.remove(*name);
            }
            Self::Text { text, mode } => {
                let before = if *mode == "append" { state.text(TEXT) } else { "" };
                let value = format!("{before}{text}");
                state.put(TEXT, "text", &value);
            }
            Self::Rows { rows, mode } => {
                let before = if *mode == "append" { state.text(ROWS) } else { "" };
                let added: String = rows.iter().map(|(key, word)| format!("{key},{word}\n")).collect();
                let value = format!("{before}{added}");
                state.put(ROWS, "rows", &value);
            }
        }
    }

    /// Its activities; `place` keeps their names apart.
    pub(crate) fn to_xml(&self, place: usize) -> String {
        let management = |what: String| {
            format!("<sessionAttributeManagement name=\"do{place}\">{what}</sessionAttributeManagement>")
        };
        match self {
            Self::Count { name, by } => management(format!("<incrementAttribute name=\"{name}\" by=\"{by}\"/>")),
            Self::Set { name, kind, value } => {
                management(format!("<setAttribute name=\"{name}\" type=\"{kind}\">{value}</setAttribute>"))
            }
            Self::Remove { name } => management(format!("<removeAttribute name=\"{name}\"/>")),
            Self::Text { text, mode } => format!(
                "<echo name=\"say{place}\"><text>{text}</text><output name=\"said{place}\"/></echo>\
                 <deliverToSession name=\"keep{place}\"><fromLocal from=\"said{place}\"/>\
                 <toSession attribute=\"{TEXT}\" mode=\"{mode}\"/></deliverToSession>"
            ),
            Self::Rows { rows, mode } => {
                let selects: Vec<String> =
                    rows.iter().map(|(key, word)| format!("SELECT {key} AS number, '{word}' AS word")).collect();
                format!(
                    "<sqlQueryStatement name=\"find{place}\"><expression>{}</expression>\
                     <resultStream name=\"found{place}\"/></sqlQueryStatement>\
                     <deliverToSession name=\"keep{place}\"><fromLocal from=\"found{place}\"/>\
                     <toSession attribute=\"{ROWS}\" mode=\"{mode}\"/></deliverToSession>",
                    selects.join(" UNION ALL ")
                )
            }
        }
    }

    /// One to four steps that make sense in a state: `count` always rises, the rest is chance.
    pub(crate) fn some(random: &mut Random, state: &State) -> Vec<Self> {
        let mut steps = vec![Self::Count { name: "count", by: 1 }];
        if random.chance(50) {
            // Two that move together: half of a request would show in their sum.
            let by = i64::try_from(random.within(1..1000)).expect("it is small");
            steps.extend([Self::Count { name: PAIR[0], by }, Self::Count { name: PAIR[1], by: -by }]);
        }
        if random.chance(40) {
            steps.push(Self::scalar(random, state));
        }
        if random.chance(25) {
            let length = if random.chance(10) { 20_000 } else { random.within(1..200) };
            let mode = mode(state.text(TEXT));
            steps.push(Self::Text { text: random.word(usize::try_from(length).expect("it is small")), mode });
        }
        if random.chance(15) {
            let rows = (0..random.within(1..6)).map(|key| (key, random.word(8))).collect();
            steps.push(Self::Rows { rows, mode: mode(state.text(ROWS)) });
        }
        steps
    }

    fn scalar(random: &mut Random, state: &State) -> Self {
        let name = *random.pick(&SCALARS);
        if state.attributes.contains_key(name) && random.chance(40) {
            return Self::Remove { name };
        }
        let number = random.within(0..1_000_000);
        let (kind, value) = match random.within(0..5) {
            0 => ("text", random.word(12)),
            1 => ("integer", number.to_string()),
            2 => ("real", format!("{number}.5")),
            3 => ("boolean", random.chance(50).to_string()),
            // As it is given back: in the namespace of the document.
            _ => ("xml", format!("<town xmlns=\"{TYPES_NAMESPACE}\" number=\"{number}\"/>")),
        };
        Self::Set { name, kind, value }
    }
}

fn mode(stream: &str) -> &'static str {
    if stream.len() > LONGEST_STREAM { "replace" } else { "append" }
}

/// A document that reads those attributes, and what its end-points are called.
pub(crate) fn reading<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let read = |name: &str| {
        if name == ROWS {
            return format!(
                "<deliverFromSession name=\"take\"><fromSession attribute=\"{ROWS}\"/><toLocal name=\"taken\"/></deliverFromSession>\
                 <sqlResultsToCSV name=\"format\"><resultSet from=\"taken\"/><csvOutput name=\"is-{ROWS}\"/></sqlResultsToCSV>"
            );
        }
        format!(
            "<sessionAttributeManagement name=\"get-{name}\"><getAttribute name=\"{name}\"/>\
             <output name=\"is-{name}\"/></sessionAttributeManagement>"
        )
    };
    names.map(read).collect()
}
