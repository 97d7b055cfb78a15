//! The readers of documents and the XML Schemas agree: what the one accepts the other accepts.
//!
//! A corpus of good and bad documents of every kind (`tests/corpus`), and mutations of them, go through our readers and
//! through `xmllint --schema`. `REJOIN_MUTATIONS` is the number of random mutations of each document, 30 if it isn't set.
//! The mutations are the same in every run.

mod corpus;
mod mutation;
mod schema;
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
    if kind == Kind::Perform { outside_of_activities(found) } else { found }
}

/// Leaves those out that are about what stands inside of an activity.
fn outside_of_activities(found: Vec<Disagreement<'_>>) -> Vec<Disagreement<'_>> {
    let (too_lenient, mut others): (Vec<_>, Vec<_>) = found.into_iter().partition(|found| {
        found.ours == Verdict::Valid && !verdict::is_about_the_document(&found.document.bytes, &found.theirs)
    });
    let emptied: Vec<String> =
        too_lenient.iter().map(|found| verdict::without_activities(&found.document.bytes)).collect();
    let verdicts = schema::judge(Kind::Perform, emptied.iter().map(String::as_bytes));
    let good = |emptied: &String, theirs| verdict::difference(emptied.as_bytes(), &Verdict::Valid, &theirs).is_none();
    let goods: Vec<bool> = emptied.iter().zip(verdicts).map(|(emptied, theirs)| good(emptied, theirs)).collect();
    let wrong = too_lenient.into_iter().zip(goods).filter(|(_, good)| !good);
    others.extend(wrong.map(|(found, _)| found));
    others
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
        for document in wrong {
            // What is wrong inside of an activity, its own reader says.
            assert!(
                kind == Kind::Perform
                    && !document.valid
                    && disagreements(kind, std::slice::from_ref(&document)).is_empty(),
                "{}: {:?}",
                document.origin,
                verdict::our_verdict(kind, &document.bytes)
            );
        }
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
