//! Random pipelines: whatever the order of the document and however steps are grouped, every chain gives what it took in.

use std::fmt::Write;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::context::Context;

/// A text that goes through so many activities that leave it as it is.
#[derive(Debug, Clone)]
struct Chain {
    words: Vec<String>,
    through: Vec<Step>,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Aggregate(u32),
    Store,
}

/// How the chains stand in the document.
#[derive(Debug, Clone, Copy)]
enum Grouping {
    SideBySide,
    OneAfterTheOther,
}

fn chain() -> impl Strategy<Value = Chain> {
    let step = prop_oneof![(1..5_u32).prop_map(Step::Aggregate), Just(Step::Store)];
    // Some are far larger than what is held back, and than what a pipe holds.
    let words =
        prop_oneof![prop::collection::vec("[a-z<&>\\]]{1,9}", 0..20), prop::collection::vec("[a-z]{2000}", 40..60),];
    (words, prop::collection::vec(step, 0..4)).prop_map(|(words, through)| Chain { words, through })
}

impl Chain {
    /// The activities of the chain, the last first if it is written backwards.
    fn activities(&self, number: usize, backwards: bool) -> String {
        let items: String = self.words.iter().fold(String::new(), |mut items, word| {
            let word = word.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            write!(items, "<item>{word}</item>").unwrap();
            items
        });
        let mut activities =
            vec![format!("<dataStore name=\"source{number}\">{items}<itemCursor name=\"s{number}-0\"/></dataStore>")];
        for (index, step) in self.through.iter().enumerate() {
            let (from, to) = (format!("s{number}-{index}"), format!("s{number}-{}", index + 1));
            activities.push(match step {
                Step::Aggregate(size) => format!(
                    "<blockAggregator name=\"a{to}\"><input from=\"{from}\"/><blocksize size=\"{size}\"/><output name=\"{to}\"/></blockAggregator>"
                ),
                Step::Store => {
                    format!("<dataStore name=\"a{to}\"><input from=\"{from}\"/><itemCursor name=\"{to}\"/></dataStore>")
                }
            });
        }
        if backwards {
            activities.reverse();
        }
        activities.concat()
    }

    fn end_point(&self, number: usize) -> String {
        format!("s{number}-{}", self.through.len())
    }
}

#[test]
fn every_chain_gives_what_it_took_in() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let context = runtime.block_on(Context::new());
    let pipelines = (
        prop::collection::vec(chain(), 1..5),
        prop_oneof![Just(Grouping::SideBySide), Just(Grouping::OneAfterTheOther)],
        any::<bool>(),
    );
    let mut runner = TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&pipelines, |(chains, grouping, backwards)| {
        let flows: String = chains
            .iter()
            .enumerate()
            .map(|(number, chain)| format!("<flow>{}</flow>", chain.activities(number, backwards)))
            .collect();
        let content = match grouping {
            Grouping::OneAfterTheOther => format!("<sequence>{flows}</sequence>"),
            Grouping::SideBySide => flows,
        };
        for (number, chain) in chains.iter().enumerate() {
            let reply = runtime.block_on(context.raw(&content, &chain.end_point(number)));
            prop_assert_eq!(reply.status, 200, "{}", reply.text);
            prop_assert_eq!(reply.text, chain.words.concat());
        }
        let reply = runtime.block_on(context.perform(&content));
        prop_assert!(reply.text.contains("<request status=\"COMPLETED\"/>"), "{}", reply.text);
        Ok(())
    });
    runtime.block_on(context.server.shutdown());
    outcome.unwrap();
}
