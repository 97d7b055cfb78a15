//! The plan of the house: no room imports one below it.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms from the top of the house to the bottom, as in `docs/architecture.md`.
const ROOMS: [&str; 11] =
    ["block", "document", "session", "format", "resource", "ingest", "activity", "engine", "service", "client", "cli"];

/// What the toolkit uses, so that a program has it without the service.
const ROOMS_OF_THE_CLIENT: [&str; 3] = ["block", "document", "format"];

#[test]
fn no_room_imports_one_below_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut broken = Vec::new();
    for (height, room) in ROOMS.iter().enumerate() {
        for file in sources(&src.join(room)) {
            let text = fs::read_to_string(&file).unwrap();
            for (number, line) in text.lines().enumerate() {
                for below in &ROOMS[height + 1..] {
                    let names_it = [format!("crate::{below}::"), format!("rejoin::{below}::")]
                        .iter()
                        .any(|path| line.contains(path));
                    if names_it && !line.trim_start().starts_with("//") {
                        broken.push(format!("{}:{}: {room} may not use {below}", file.display(), number + 1));
                    }
                }
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn the_toolkit_does_without_the_service() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut broken = Vec::new();
    for room in ROOMS_OF_THE_CLIENT.iter().chain(&["client"]) {
        for file in sources(&src.join(room)) {
            let text = fs::read_to_string(&file).unwrap();
            for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
                let names_it = |other: &&&str| line.contains(&format!("crate::{other}::"));
                let others = ROOMS.iter().filter(|other| !ROOMS_OF_THE_CLIENT.contains(other) && **other != "client");
                if let Some(other) = { others }.find(names_it) {
                    broken.push(format!("{}:{}: {room} may not use {other}", file.display(), number + 1));
                }
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_folder_of_the_source_is_a_room() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(src).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            assert!(ROOMS.contains(&name.as_str()), "{name} has no place in the plan");
        }
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}
