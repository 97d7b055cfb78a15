//! Which units there are: `ms.secondary.input` and what is said of units.

use std::sync::Arc;
use std::time::Duration;

use regex::Regex;

use super::condition::whole_match;
use super::node::Node;
use super::pace::CredentialRetry;
use super::set::PropertySet;
use super::window::Watermarks;
use crate::ingest::settings::{SecondaryColumns, UnitSettings};

/// How many units run side by side, where nothing is said.
const PARALLELISM: u64 = 10;

pub(super) fn units(
    set: &PropertySet<'_>,
    secondary: &Secondary,
    watermarks: Watermarks,
    has_window: bool,
) -> UnitSettings {
    let ends = watermarks.window.map(|(_, from, to)| (from, to));
    // A window without anything that speaks of it makes no units.
    let is_cut = set.has("ms.work.unit.partition");
    let window = super::window::window(set, ends);
    let parallelism = set.whole("ms.work.unit.parallelism.max", 1..=5000).unwrap_or(PARALLELISM);
    UnitSettings {
        columns: secondary.columns.clone(),
        filters: secondary.filters.clone(),
        window: (ends.is_some() || is_cut || has_window).then_some(window),
        list: watermarks.list,
        parallelism: u32::try_from(parallelism).unwrap_or(1),
        least: set.whole("ms.work.unit.min.units", 0..=u64::MAX).unwrap_or_default(),
        stops_at_failure: set.word("rejoin.unit.failure", &[("continue", false), ("stop", true)]).unwrap_or_default(),
    }
}

/// The most filters of an entry: a compiled expression takes memory.
const MOST_FILTERS: usize = 64;

/// What `ms.secondary.input` says.
#[derive(Default)]
pub(super) struct Secondary {
    pub(super) columns: SecondaryColumns,
    pub(super) filters: Vec<(Box<str>, Arc<Regex>)>,
    pub(super) retry: CredentialRetry,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Category {
    Activation,
    Authentication,
    Payload,
}

/// An array of `{"path": …, "fields": […], "filters": {…}, "category": …, "format": …, "retry": {…}}`
pub(super) fn secondary(node: &Node<'_>) -> Secondary {
    let mut secondary = Secondary::default();
    let mut takes_all = false;
    for element in node.elements() {
        entry(&element, &mut secondary, &mut takes_all);
    }
    if takes_all {
        secondary.columns.activation = None;
    } else {
        // What no entry names is no variable.
        secondary.columns.activation.get_or_insert_default();
    }
    secondary
}

fn entry(node: &Node<'_>, secondary: &mut Secondary, takes_all: &mut bool) -> Option<()> {
    let members = node.members(&["path", "fields", "filters", "category", "format", "retry"])?;
    let category = match members.get("category") {
        None => Category::Activation,
        Some(node) => category(&node)?,
    };
    let fields = members.get("fields").map(|node| {
        let texts: Vec<Box<str>> = node.elements().iter().filter_map(|field| field.text().map(Into::into)).collect();
        texts
    });
    for name in ["path", "format"] {
        members.get(name).and_then(|node| node.text());
    }
    if let Some(filters) = members.get("filters").filter(|filters| filters.entries().len() > MOST_FILTERS) {
        filters.refuse(format!("at most {MOST_FILTERS} columns may be filtered"));
        return None;
    }
    for (column, pattern) in members.get("filters").map(|node| node.entries()).unwrap_or_default() {
        if let Some(expression) = whole_match(&pattern) {
            secondary.filters.push((column.into(), expression));
        }
    }
    if let Some(retry) = members.get("retry") {
        if category == Category::Authentication {
            secondary.retry = credential_retry(&retry)?;
        } else {
            retry.refuse("it is for the category `authentication`");
        }
    }
    let columns = &mut secondary.columns;
    match (category, fields) {
        (Category::Activation, Some(fields)) => columns.activation.get_or_insert_default().extend(fields),
        // All columns that are nothing else.
        (Category::Activation, None) => *takes_all = true,
        (Category::Authentication, Some(fields)) => columns.authentication.extend(fields),
        (Category::Payload, Some(fields)) => columns.payload.extend(fields),
        (_, None) => node.refuse("`fields` is missing: which columns are meant"),
    }
    Some(())
}

fn category(node: &Node<'_>) -> Option<Category> {
    let words = [
        ("activation", Some(Category::Activation)),
        ("authentication", Some(Category::Authentication)),
        ("payload", Some(Category::Payload)),
        ("validation", None),
    ];
    let category = node.word(&words)?;
    if category.is_none() {
        node.refuse("rows are not validated against others here: `ms.work.unit.min.records` and `rejoin.fail.when` can fail an ingestion");
    }
    category
}

/// `{"delayInSec": 300, "retryCount": 3}`
fn credential_retry(node: &Node<'_>) -> Option<CredentialRetry> {
    let members = node.members(&["delayInSec", "retryCount"])?;
    let none = CredentialRetry::default();
    let delay =
        members.get("delayInSec").map_or(Some(none.delay), |node| node.whole(0..=86_400).map(Duration::from_secs));
    let attempts = members.get("retryCount").map_or(Some(u64::from(none.attempts)), |node| node.whole(0..=1000));
    let attempts = u32::try_from(attempts?.max(1)).unwrap_or(1);
    Some(CredentialRetry { attempts, delay: delay? })
}
