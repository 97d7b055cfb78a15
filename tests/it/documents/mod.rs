//! The readers of documents and the XML Schemas agree: what the one accepts the other accepts.
//!
//! A corpus of good and bad documents of every kind (`tests/corpus`), and mutations of them, go through our readers and
//! through `xmllint --schema`. `REJOIN_MUTATIONS` is the number of random mutations of each document, 30 if it isn't set.
//! The mutations are the same in every run.

mod activities;
mod corpus;
mod ingredients;
mod mutation;
mod schema;
mod shapes;
mod verdict;

use corpus::{Document, Kind};
use mutation::Random;
use verdict::Verdict;

/// A document that the two sides judge differently, and should not.
struct Disagreement<'a> {
    document: &'a Document,
    difference: &'static str,
    ours: Verdict,
    theirs: Verdict,
}

/// Lets both sides judge the documents.
fn disagreements(kind: Kind, documents: &[Document]) -> Vec<Disagreement<'_>> {
    let theirs = schema::judge(kind, documents.iter().map(|document| &document.bytes[..]));
    let mut found = Vec::new();
    for (document, theirs) in documents.iter().zip(theirs) {
        let ours = verdict::our_verdict(kind, &document.bytes);
        if let Some(difference) = verdict::difference(&document.bytes, &ours, &theirs) {
            found.push(Disagreement { document, difference, ours, theirs });
        }
    }
    found
}

fn expect_agreement(kind: Kind, documents: &[Document]) {
    let found = disagreements(kind, documents);
    let show = |found: &Disagreement<'_>| {
        let Disagreement { document: Document { origin, change, bytes, .. }, difference, ours, theirs } = found;
        let text = String::from_utf8_lossy(bytes);
        format!("{origin} ({change}): {difference}\n  we: {ours:?}\n  they: {theirs:?}\n{text}\n")
    };
    let shown: Vec<String> = found.iter().take(5).map(show).collect();
    assert!(found.is_empty(), "{} of {} {kind:?} documents:\n\n{}", found.len(), documents.len(), shown.join("\n"));
}

#[test]
fn the_corpus_is_what_its_folders_say() {
    for kind in Kind::ALL {
        let documents = corpus::load(kind);
        let (wrong, right): (Vec<Document>, Vec<Document>) = documents.into_iter().partition(|document| {
            matches!(verdict::our_verdict(kind, &document.bytes), Verdict::Valid) != document.valid
        });
        assert!(right.len() > 8, "{kind:?}");
        let told: Vec<String> = wrong
            .iter()
            .map(|document| format!("{}: {:?}", document.origin, verdict::our_verdict(kind, &document.bytes)))
            .collect();
        assert!(told.is_empty(), "{}", told.join("\n"));
    }
}

#[test]
fn readers_and_schemas_agree_on_the_corpus() {
    for kind in Kind::ALL {
        expect_agreement(kind, &corpus::load(kind));
    }
}

#[test]
fn readers_and_schemas_agree_on_every_value_of_every_attribute() {
    for kind in Kind::ALL {
        let mut swept = mutation::sweep_values(&corpus::load(kind));
        swept.extend(mutation::sweep_texts(&corpus::load(kind)));
        expect_agreement(kind, &swept);
    }
}

#[test]
fn readers_and_schemas_agree_on_mutated_documents() {
    let each = std::env::var("REJOIN_MUTATIONS").ok().and_then(|number| number.parse().ok()).unwrap_or(30);
    let mut random = Random::new(0x5EED);
    for kind in Kind::ALL {
        let originals = corpus::load(kind);
        let words = mutation::words(&originals);
        let mutated: Vec<Document> = originals
            .iter()
            .flat_map(|original| (0..each).map(move |_| original))
            .map(|original| mutation::mutate(original, &words, &mut random))
            .collect();
        expect_agreement(kind, &mutated);
    }
}
