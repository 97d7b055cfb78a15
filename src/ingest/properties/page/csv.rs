//! `ms.csv`

use crate::ingest::properties::node::Node;
use crate::ingest::settings::CsvPage;

const MEMBERS: [&str; 10] = [
    "linesToSkip",
    "columnHeaderIndex",
    "escapeCharacter",
    "quoteCharacter",
    "fieldSeparator",
    "recordSeparator",
    "columnProjection",
    "defaultFieldType",
    "maxFailures",
    "keepNullString",
];

/// The most lines that are left out, and columns that are counted.
const MOST: u64 = 1_000_000;

pub(super) fn csv_page(node: &Node<'_>) -> Option<CsvPage> {
    let members = node.members(&MEMBERS)?;
    let header_line = members.get("columnHeaderIndex").and_then(|node| header_line(&node));
    let skip_lines = match members.get("linesToSkip") {
        Some(node) => {
            let lines = node.whole(0..=MOST).unwrap_or_default();
            if header_line.is_some_and(|header| header >= lines) {
                node.refuse("the line with the names of the columns, `columnHeaderIndex`, is one of those that are skipped: expected more");
            }
            lines
        }
        None => header_line.map_or(0, |header| header + 1),
    };
    if let Some(node) = members.get("recordSeparator")
        && node.text().is_some_and(|text| !["\n", "\r\n", "u000A", "u000a"].contains(&text))
    {
        node.refuse("records end with a line break");
    }
    for name in ["maxFailures", "keepNullString"] {
        if let Some(node) = members.get(name) {
            node.refuse("it is for converters, and none runs here: a line that can't be read is a failure");
        }
    }
    let types = [("string", true)];
    let byte = |name, default| members.get(name).map_or(Some(default), |node| character(&node));
    Some(CsvPage {
        separator: byte("fieldSeparator", b',')?,
        quote: byte("quoteCharacter", b'"')?,
        escape: members.get("escapeCharacter").and_then(|node| character(&node)),
        skip_lines,
        header_line,
        columns: members.get("columnProjection").map(|node| projection(&node)).unwrap_or_default(),
        is_text: members.get("defaultFieldType").and_then(|node| node.word(&types)).unwrap_or_default(),
    })
}

/// The place of a line from 0; -1: there is none.
fn header_line(node: &Node<'_>) -> Option<u64> {
    match node.json.to_text().as_str() {
        "-1" => None,
        _ => node.whole(0..=MOST),
    }
}

/// A character of ASCII, or its number as in `u0009`.
fn character(node: &Node<'_>) -> Option<u8> {
    let text = node.text()?;
    let hexadecimal = text.strip_prefix(['u', 'U']).filter(|digits| digits.len() == 4);
    let byte = match (hexadecimal, text.as_bytes()) {
        (Some(digits), _) => u8::from_str_radix(digits, 16).ok(),
        (None, [byte]) => Some(*byte),
        _ => None,
    };
    let byte = byte.filter(|byte| byte.is_ascii() && !b"\r\n\0".contains(byte));
    if byte.is_none() {
        node.refuse("expected one character of ASCII, or its number such as `u0009`");
    }
    byte
}

/// `0,2-4`
fn projection(node: &Node<'_>) -> Vec<usize> {
    let mut columns = Vec::new();
    for part in node.text().unwrap_or_default().split(',') {
        let ends = part.split_once('-').unwrap_or((part, part));
        let place = |text: &str| text.trim().parse::<u64>().ok().filter(|place| *place < MOST);
        match place(ends.0).zip(place(ends.1)) {
            Some((first, last)) if first <= last => {
                columns.extend((first..=last).filter_map(|place| usize::try_from(place).ok()));
            }
            _ => {
                node.refuse("expected places from 0 and ranges of them, such as `0,2-4`");
                return Vec::new();
            }
        }
    }
    columns
}
