//! Documents that are a little different.

use std::collections::BTreeSet;
use std::ops::Range;

use super::corpus::Document;
use super::ingredients::{NAMES, SNIPPETS, VALUES};

/// Numbers that look random and are the same in every run (`SplitMix64`).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 if there is none.
    pub(super) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap().max(1);
        usize::try_from(self.next() % end).unwrap()
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// The names of elements and attributes in the documents of a kind.
pub(super) fn words(documents: &[Document]) -> Vec<String> {
    let mut words = BTreeSet::new();
    for document in documents.iter().filter(|document| document.valid) {
        let text = String::from_utf8_lossy(&document.bytes);
        let names = text.split(|character: char| !character.is_ascii_alphanumeric());
        words.extend(names.filter(|word| word.len() > 2).map(str::to_owned));
    }
    words.into_iter().collect()
}

/// An attribute as it stands: the element it is on, its name, and where its value is.
struct AttributeValue {
    key: String,
    value: Range<usize>,
}

fn attribute_values(text: &str) -> Vec<AttributeValue> {
    let mut found = Vec::new();
    for tag in tags(text) {
        let content = &text[tag.clone()];
        let element = content[1..].split([' ', '\n', '>', '/', '\r']).next().unwrap();
        let mut at = 0;
        while let Some(equals) = content[at..].find("=\"") {
            let start = at + equals + 2;
            let Some(length) = content[start..].find('"') else { break };
            let name = content[..start - 2].rsplit([' ', '\n']).next().unwrap();
            let value = tag.start + start..tag.start + start + length;
            found.push(AttributeValue { key: format!("{element}/@{name}"), value });
            at = start + length + 1;
        }
    }
    found
}

/// Where the tags are, from bracket to bracket.
fn tags(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find('<') {
        let start = at + start;
        let Some(end) = text[start..].find('>') else { break };
        at = start + end + 1;
        found.push(start..at);
    }
    found
}

fn changed(original: &Document, bytes: impl Into<Vec<u8>>, change: String) -> Document {
    Document { bytes: bytes.into(), change, ..original.clone() }
}

/// Every attribute of the good documents with every value, once for each attribute of an element.
pub(super) fn sweep_values(documents: &[Document]) -> Vec<Document> {
    let mut seen = BTreeSet::new();
    let mut swept = Vec::new();
    for document in documents.iter().filter(|document| document.valid) {
        let Ok(text) = std::str::from_utf8(&document.bytes) else { continue };
        for AttributeValue { key, value } in attribute_values(text) {
            if key.ends_with("/@xmlns") || !seen.insert(key.clone()) {
                continue;
            }
            // Most attributes are names, and what is a name does not depend on whose it is.
            let is_name = ["/@name", "/@from"].iter().any(|name| key.ends_with(name));
            let values = if is_name { &VALUES[..NAMES] } else { VALUES };
            swept.extend(values.iter().map(|new| {
                let bytes = [&text[..value.start], new, &text[value.end..]].concat();
                changed(document, bytes, format!("{key} is {new:?}"))
            }));
        }
    }
    swept
}

/// Every element of the good documents without content with a few texts in it.
pub(super) fn sweep_texts(documents: &[Document]) -> Vec<Document> {
    const TEXTS: &[&str] = &[
        "",
        " ",
        "\n",
        "x",
        "<!-- c -->",
        "<?p?>",
        "&#32;",
        "&#x9;",
        "<![CDATA[]]>",
        "<![CDATA[ ]]>",
        "<a/>",
        "&amp;",
        "\u{A0}",
    ];
    let mut swept = Vec::new();
    for document in documents.iter().filter(|document| document.valid) {
        let Ok(text) = std::str::from_utf8(&document.bytes) else { continue };
        for tag in tags(text) {
            let content = &text[tag.clone()];
            let Some(open) = content.strip_suffix("/>") else { continue };
            let name = open[1..].split([' ', '\n', '\r']).next().unwrap();
            swept.extend(TEXTS.iter().map(|inside| {
                let bytes = [&text[..tag.start], open, ">", inside, "</", name, ">", &text[tag.end..]].concat();
                changed(document, bytes, format!("{name} holds {inside:?}"))
            }));
        }
    }
    swept
}

/// A document with one to three random changes.
pub(super) fn mutate(original: &Document, words: &[String], random: &mut Random) -> Document {
    let mut bytes = original.bytes.clone();
    let mut changes = Vec::new();
    for _ in 0..=random.below(3) {
        let (new, change) = match std::str::from_utf8(&bytes) {
            Ok(text) if random.below(8) > 0 => change_text(text, words, random),
            _ => change_bytes(&bytes, random),
        };
        bytes = new;
        changes.push(change);
    }
    changed(original, bytes, changes.join(", "))
}

fn change_bytes(bytes: &[u8], random: &mut Random) -> (Vec<u8>, String) {
    let mut new = bytes.to_vec();
    let at = random.below(new.len());
    let change = match random.below(5) {
        0 if !new.is_empty() => {
            new[at] ^= 1 << random.below(8);
            "a bit is flipped"
        }
        1 if !new.is_empty() => {
            new[at] = random.next().to_le_bytes()[0];
            "a byte is another"
        }
        2 => {
            new.truncate(at);
            "the end is missing"
        }
        3 => {
            let end = (at + 1 + random.below(12)).min(new.len());
            new.drain(at..end);
            "some bytes are missing"
        }
        _ => {
            let end = (at + 1 + random.below(40)).min(new.len());
            let again = new[at..end].to_vec();
            new.splice(at..at, again);
            "some bytes are there twice"
        }
    };
    (new, format!("{change} at {at}"))
}

fn change_text(text: &str, words: &[String], random: &mut Random) -> (Vec<u8>, String) {
    let tags = tags(text);
    let values = attribute_values(text);
    let splice = |range: Range<usize>, new: &str| [&text[..range.start], new, &text[range.end..]].concat();
    match random.below(11) {
        0 | 1 => {
            let at = text.ceil_char_boundary(random.below(text.len() + 1));
            let snippet = random.pick(SNIPPETS);
            (splice(at..at, snippet).into(), format!("{snippet:?} at {at}"))
        }
        2 | 3 if !tags.is_empty() => {
            let tag = random.pick(&tags);
            let at = *random.pick(&[tag.start, tag.end, tag.end - 1]);
            let snippet = random.pick(SNIPPETS);
            (splice(at..at, snippet).into(), format!("{snippet:?} at the tag at {at}"))
        }
        4 | 5 if !values.is_empty() => {
            let AttributeValue { key, value } = random.pick(&values);
            let new = random.pick(VALUES);
            (splice(value.clone(), new).into(), format!("{key} is {new:?}"))
        }
        6 if !tags.is_empty() => {
            let tag = random.pick(&tags).clone();
            (splice(tag.clone(), "").into(), format!("the tag {} is missing", &text[tag]))
        }
        7 if !tags.is_empty() => {
            let (tag, other) = (random.pick(&tags).clone(), random.pick(&tags).clone());
            (
                splice(tag.start..tag.start, &text[other.clone()]).into(),
                format!("the tag {} is there again", &text[other]),
            )
        }
        8 if !words.is_empty() => {
            let (word, other) = (random.pick(words), random.pick(words));
            (text.replace(&**word, other).into(), format!("{word} is {other}"))
        }
        9 => change_lines(text, random),
        _ => change_encoding(text, random),
    }
}

fn change_lines(text: &str, random: &mut Random) -> (Vec<u8>, String) {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    if lines.is_empty() {
        return (Vec::new(), "nothing".into());
    }
    let (one, other) = (random.below(lines.len()), random.below(lines.len()));
    if random.below(2) == 0 {
        lines.swap(one, other);
        return (lines.concat().into(), format!("lines {one} and {other} are swapped"));
    }
    lines.insert(one, lines[other]);
    (lines.concat().into(), format!("line {other} is there again at {one}"))
}

fn change_encoding(text: &str, random: &mut Random) -> (Vec<u8>, String) {
    const DECLARATIONS: &[&str] = &[
        "",
        "<?xml version='1.0'?>",
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n",
        "<?xml version='1.0' encoding='UTF-16'?>",
        "<?xml version='1.0' encoding='UTF-16LE'?>",
        "<?xml version='1.0' encoding='UTF-16BE'?>",
        "<?xml version='1.0' encoding='ISO-8859-1'?>",
        "<?xml version='1.0' encoding='US-ASCII'?>",
        "<?xml version='1.1'?>",
        "<?xml version='1.0' standalone='yes'?>",
        "<?xml encoding='UTF-8'?>",
        "<?xml version='1.0' encoding=''?>",
        "<?xml version='1.0'  ?>",
        "<?xml version='1.0'standalone='no'?>",
    ];
    let declaration = random.pick(DECLARATIONS);
    let text = format!("{declaration}{text}");
    let units = || text.encode_utf16();
    let (bytes, name): (Vec<u8>, _) = match random.below(6) {
        0 => (units().flat_map(u16::to_le_bytes).collect(), "UTF-16LE"),
        1 => (units().flat_map(u16::to_be_bytes).collect(), "UTF-16BE"),
        2 => ([0xFEFF].into_iter().chain(units()).flat_map(u16::to_le_bytes).collect(), "UTF-16LE with a mark"),
        3 => ([0xFEFF].into_iter().chain(units()).flat_map(u16::to_be_bytes).collect(), "UTF-16BE with a mark"),
        4 => (format!("\u{FEFF}{text}").into(), "UTF-8 with a mark"),
        _ => (text.clone().into(), "UTF-8"),
    };
    (bytes, format!("{declaration} in {name}"))
}
