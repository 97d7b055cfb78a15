//! Everything public of the toolkit has an example, which the documentation tests compile.

use std::fs;
use std::path::{Path, PathBuf};

use rejoin::document::activities::ACTIVITIES;

/// What of other rooms the toolkit gives out under its own name, and where it stands.
const ELSEWHERE: [(&str, &str); 3] = [
    ("src/format/structs/mod.rs", "pub fn structs"),
    ("src/format/structs/error.rs", "pub struct RowError"),
    ("src/document/activities/words.rs", "pub enum Isolation"),
];

/// The files with the activities, whose settings a program fills in.
const ACTIVITIES_FOLDER: &str = "src/document/activities";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust files of a folder and of those below.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// A line that makes something public, without what stands before it.
struct Item {
    place: String,
    line: String,
    has_example: bool,
}

/// What a file makes public, but for fields and modules.
fn items(path: &Path) -> Vec<Item> {
    const KINDS: [&str; 8] = [
        "pub fn ",
        "pub async fn ",
        "pub const fn ",
        "pub struct ",
        "pub enum ",
        "pub trait ",
        "pub type ",
        "pub const ",
    ];
    let (mut items, mut has_example) = (Vec::new(), false);
    let text = fs::read_to_string(path).unwrap();
    for (line, number) in text.lines().map(str::trim).zip(1..) {
        if line == "#[cfg(test)]" {
            break;
        }
        if KINDS.iter().any(|kind| line.starts_with(kind)) {
            let place = format!("{}:{number}", path.strip_prefix(root()).unwrap().display());
            items.push(Item { place, line: line.to_owned(), has_example });
        }
        // A comment belongs to what stands next, behind its attributes.
        if line.starts_with("///") {
            has_example |= line.starts_with("/// ```");
        } else if !line.starts_with("#[") {
            has_example = false;
        }
    }
    items
}

fn told(items: &[Item]) -> Vec<String> {
    items.iter().filter(|item| !item.has_example).map(|item| format!("{}: {}", item.place, item.line)).collect()
}

#[test]
fn every_public_item_of_the_toolkit_has_an_example() {
    let mut all: Vec<Item> = files(&root().join("src/client")).iter().flat_map(|path| items(path)).collect();
    assert!(all.len() > 100, "only {} were found", all.len());
    for (file, start) in ELSEWHERE {
        let item = items(&root().join(file)).into_iter().find(|item| item.line.starts_with(start));
        all.push(item.unwrap_or_else(|| panic!("`{start}` is not in {file}")));
    }
    let without = told(&all);
    assert!(without.is_empty(), "without an example:\n{}", without.join("\n"));
}

#[test]
fn every_activity_has_an_example() {
    let mut all = Vec::new();
    for path in files(&root().join(ACTIVITIES_FOLDER)) {
        let text = fs::read_to_string(&path).unwrap();
        let activities =
            text.lines().filter_map(|line| line.strip_prefix("impl ActivityElement for ")?.strip_suffix(" {"));
        let starts: Vec<String> = activities.map(|name| format!("pub struct {name} {{")).collect();
        all.extend(items(&path).into_iter().filter(|item| starts.contains(&item.line)));
    }
    assert_eq!(all.len(), ACTIVITIES.len());
    let without = told(&all);
    assert!(without.is_empty(), "without an example:\n{}", without.join("\n"));
}
