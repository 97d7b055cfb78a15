//! The table of an activity's attributes and children in `docs/activities.md` is made from its shape.
//!
//! `REJOIN_WRITE_TABLES=1 cargo test --test it activity_tables::` writes them anew.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use rejoin::block::StreamType;
use rejoin::document::activities::{ACTIVITIES, AttributeShape, ChildShape, Occurs, Shape, ValueShape};

#[test]
fn every_activity_has_the_table_of_its_shape() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/activities.md");
    let page = fs::read_to_string(&path).unwrap();
    let made = with_tables(&page);
    if std::env::var_os("REJOIN_WRITE_TABLES").is_some() {
        fs::write(&path, &made).unwrap();
        return;
    }
    for (printed, made) in page.lines().zip(made.lines()) {
        assert_eq!(printed, made, "REJOIN_WRITE_TABLES=1 writes the tables anew");
    }
    assert_eq!(page.len(), made.len());
}

/// The page with the first table behind the heading of each activity made from its shape.
fn with_tables(page: &str) -> String {
    let mut made = String::new();
    let mut waiting: Option<&Shape> = None;
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(heading) = line.strip_prefix("## ") {
            assert!(waiting.is_none(), "`{}` has no table", waiting.unwrap().element);
            waiting = ACTIVITIES.iter().find(|shape| shape.element == heading);
        }
        if line.starts_with('|')
            && let Some(shape) = waiting.take()
        {
            while lines.next_if(|line| line.starts_with('|')).is_some() {}
            made.push_str(&table(shape));
            continue;
        }
        made.push_str(line);
        made.push('\n');
    }
    assert!(waiting.is_none());
    made
}

fn table(shape: &Shape) -> String {
    let mut table = String::new();
    let (has_attributes, has_children) = (!shape.attributes.is_empty(), !shape.children.is_empty());
    let what = match (has_attributes, has_children) {
        (true, true) => "child or attribute",
        (true, false) => "attribute",
        _ => "child",
    };
    write!(table, "| {what} | meaning |\n|---|---|\n").unwrap();
    for attribute in shape.attributes {
        let occurs = if attribute.is_required { Occurs::One } else { Occurs::Optional };
        let name = format!("`{}`{}", attribute.name, how_often(occurs));
        row(&mut table, &name, &meaning_of(attribute, attribute.meaning));
    }
    add_children(shape.children, "", &mut table);
    table
}

fn row(table: &mut String, name: &str, meaning: &str) {
    writeln!(table, "| {name} | {meaning} |").unwrap();
}

/// The rows of children that stand in the element of that name, or in that of the activity.
fn add_children(children: &[ChildShape], parent: &str, table: &mut String) {
    let place = if parent.is_empty() { String::new() } else { format!(" in `{parent}`") };
    let mut group = None;
    for child in children {
        let or = if child.choice.is_some() && child.choice == group { "or " } else { "" };
        group = child.choice;
        // What says nothing of its own is told with the element.
        let (with_it, own): (Vec<&AttributeShape>, Vec<&AttributeShape>) =
            child.attributes.iter().partition(|attribute| attribute.meaning.is_empty());
        let has_row = !child.meaning.is_empty() || child.stream.is_some() || own.is_empty();
        if has_row {
            let mut name = child.name.to_owned();
            let from = child.stream.filter(|stream| !stream.or_content);
            let from = from.map(|stream| if stream.is_input { "from" } else { "name" });
            for attribute in with_it.iter().map(|attribute| attribute.name).chain(from) {
                name.push(' ');
                name.push_str(attribute);
            }
            let says = with_it.iter().find(|attribute| !says_of(attribute).1.is_empty());
            let meaning = child_meaning(child);
            let meaning = says.map_or(meaning.clone(), |attribute| meaning_of(attribute, &meaning));
            row(table, &format!("{or}`{name}`{place}{}", how_often(child.occurs)), &meaning);
        }
        for (index, attribute) in own.iter().enumerate() {
            let occurs = match (has_row, index, attribute.is_required) {
                (false, 0, _) => child.occurs,
                (_, _, true) => Occurs::One,
                (_, _, false) => Occurs::Optional,
            };
            let name = format!("`{} {}`{place}{}", child.name, attribute.name, how_often(occurs));
            row(table, &name, &meaning_of(attribute, attribute.meaning));
        }
        add_children(child.children, child.name, table);
    }
}

fn how_often(occurs: Occurs) -> &'static str {
    match occurs {
        Occurs::One => "",
        Occurs::Optional => " (may be left out)",
        Occurs::Any => " (any number)",
        Occurs::Some => " (one or more)",
    }
}

fn child_meaning(child: &ChildShape) -> String {
    let Some(stream) = child.stream else { return child.meaning.to_owned() };
    if stream.or_content {
        let inside = if child.holds_any { "the text or the element inside" } else { "the text inside" };
        return with_detail(child.meaning, &format!(": {inside}, or the stream of text that `from` names"));
    }
    let direction = if stream.is_input { "input" } else { "output" };
    match (stream.carries, child.meaning) {
        (StreamType::Any, "") => format!("{direction}: rows, text or bytes"),
        (StreamType::Any, meaning) => format!("{direction}: {meaning}"),
        (carries, "") => format!("{direction}: {carries}"),
        (carries, meaning) => format!("{direction}: {carries}, {meaning}"),
    }
}

/// A meaning with a detail behind its first clause.
fn with_detail(meaning: &str, detail: &str) -> String {
    let (first, rest) = meaning.split_at(meaning.find("; ").unwrap_or(meaning.len()));
    format!("{first}{detail}{rest}")
}

fn meaning_of(attribute: &AttributeShape, meaning: &str) -> String {
    let (words, default) = says_of(attribute);
    with_detail(meaning, &words) + &default
}

/// Which words a value may be, and which value holds without it.
fn says_of(attribute: &AttributeShape) -> (String, String) {
    let words = match attribute.value {
        ValueShape::Choice([words @ .., last]) => format!(": `{}` or `{last}`", words.join("`, `")),
        _ => String::new(),
    };
    let default = match attribute.default {
        None => String::new(),
        Some("") => "; without it nothing".to_owned(),
        Some(" ") => "; without it the space".to_owned(),
        Some(default) => format!("; without it `{default}`"),
    };
    (words, default)
}
