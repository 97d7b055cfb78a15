//! What the XML Schemas say, by way of `xmllint`.

use std::collections::HashMap;
use std::fs;
use std::process::Command;

use super::corpus::Kind;
use super::verdict::Verdict;

/// How many documents one run of `xmllint` judges.
const BATCH: usize = 500;

/// The verdict on each document.
pub(super) fn judge<'a>(kind: Kind, documents: impl Iterator<Item = &'a [u8]>) -> Vec<Verdict> {
    let documents: Vec<&[u8]> = documents.collect();
    documents.chunks(BATCH).flat_map(|batch| judge_batch(kind, batch)).collect()
}

fn judge_batch(kind: Kind, documents: &[&[u8]]) -> Vec<Verdict> {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..documents.len()).map(|index| format!("d{index}.xml")).collect();
    for (name, document) in names.iter().zip(documents) {
        fs::write(folder.path().join(name), document).unwrap();
    }
    let output = Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema"])
        .arg(kind.schema())
        .args(&names)
        .current_dir(folder.path())
        .output()
        .expect("xmllint runs: it comes with libxml2 (Debian: libxml2-utils)");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("failed to compile"), "{said}");

    let mut lines: HashMap<&str, Vec<&str>> = HashMap::new();
    for line in said.lines() {
        let end = line.find([':', ' ']).unwrap_or(line.len());
        lines.entry(&line[..end]).or_default().push(&line[end..]);
    }
    names.iter().map(|name| verdict(lines.get(&**name).map_or(&[], |lines| &lines[..]))).collect()
}

/// What the lines about one document say.
fn verdict(lines: &[&str]) -> Verdict {
    let not_well_formed = |line: &&&str| {
        ["parser error", "namespace error", "encoding error", "I/O error"].iter().any(|kind| line.contains(kind))
    };
    if let Some(line) = lines.iter().find(not_well_formed) {
        return Verdict::Malformed((*line).into());
    }
    match lines.iter().find(|line| line.contains("validity error")) {
        Some(line) => Verdict::Invalid((*line).into()),
        None if lines.contains(&" validates") => Verdict::Valid,
        None => Verdict::Malformed(format!("neither valid nor not: {lines:?}")),
    }
}
