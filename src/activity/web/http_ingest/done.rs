//! Which units are complete, in few words however many they are.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// So many are named. Of more it is told how many of the first ones are complete: what is kept is written again with every
/// page.
const NAMED: usize = 256;

/// The units of an ingestion, in their order.
#[derive(Debug, Default)]
pub(super) struct Roll {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Roll {
    pub(super) fn new(names: Vec<String>) -> Self {
        let places = names.iter().enumerate().map(|(place, name)| (name.clone(), place)).collect();
        Self { names, places }
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }
}

/// The units that are complete.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Done {
    /// Of the first ones all are, but for those that are kept one by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first: Option<First>,
    /// And so are these.
    #[serde(rename = "done")]
    named: BTreeSet<String>,
}

/// So many, and what tells them from others.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct First {
    count: usize,
    digest: String,
}

impl Done {
    /// Forgets what is known of the first ones if there are others now: they are asked for again.
    pub(super) fn fit(&mut self, roll: &Roll) {
        let Some(first) = &self.first else { return };
        let names = roll.names.get(..first.count);
        let digest = names.map(|names| names.iter().fold(String::new(), |digest, name| next(&digest, name)));
        if digest.as_ref() != Some(&first.digest) {
            self.first = None;
        }
    }

    /// Whether a unit is complete that is not kept by itself.
    pub(super) fn has(&self, unit: &str, roll: &Roll) -> bool {
        self.named.contains(unit) || self.is_of_first(unit, roll)
    }

    fn is_of_first(&self, unit: &str, roll: &Roll) -> bool {
        let count = self.first.as_ref().map_or(0, |first| first.count);
        roll.places.get(unit).is_some_and(|place| *place < count)
    }

    /// Notes that a unit is complete. `is_kept`: whether another one is kept by itself.
    pub(super) fn add(&mut self, unit: &str, roll: &Roll, is_kept: impl Fn(&str) -> bool) {
        if self.is_of_first(unit, roll) {
            return;
        }
        self.named.insert(unit.to_owned());
        if self.named.len() <= NAMED {
            return;
        }
        let mut first = self.first.take().unwrap_or_default();
        while let Some(name) = roll.names.get(first.count)
            && (self.named.remove(name) || is_kept(name))
        {
            first.digest = next(&first.digest, name);
            first.count += 1;
        }
        self.first = (first.count > 0).then_some(first);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// What tells a list from others, with one more name.
fn next(digest: &str, name: &str) -> String {
    let hash = Sha256::digest(format!("{digest}\n{name}"));
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roll(units: std::ops::Range<usize>) -> Roll {
        Roll::new(units.map(|unit| format!("1-{unit:016x}")).collect())
    }

    fn of(roll: &Roll, count: usize, failed: &str) -> Done {
        let mut done = Done::default();
        for name in roll.names.iter().take(count).filter(|name| **name != failed) {
            done.add(name, roll, |other| other == failed);
        }
        done
    }

    #[test]
    fn what_is_kept_is_short_however_many_are_complete() {
        let roll = roll(0..10_000);
        let failed = roll.names[100].clone();
        let mut done = of(&roll, 9_000, &failed);
        let text = serde_json::to_string(&done).unwrap();
        assert!(text.len() < NAMED * 25, "{} bytes", text.len());
        assert!(done.has(&roll.names[0], &roll) && done.has(&roll.names[8_999], &roll));
        assert!(!done.has(&roll.names[9_000], &roll));
        let mut read: Done = serde_json::from_str(&text).unwrap();
        read.fit(&roll);
        assert!(read.has(&roll.names[8_999], &roll) && !read.has(&roll.names[9_999], &roll));
        done.add(&failed, &roll, |_| false);
        assert!(done.has(&failed, &roll));
    }

    #[test]
    fn few_are_found_again_wherever_they_stand() {
        let before = roll(0..100);
        let done = of(&before, 50, "");
        let mut read: Done = serde_json::from_str(&serde_json::to_string(&done).unwrap()).unwrap();
        let mut names = before.names.clone();
        names.reverse();
        let now = Roll::new(names);
        read.fit(&now);
        assert!(read.has(&before.names[0], &now) && !read.has(&before.names[60], &now));
    }

    #[test]
    fn many_are_asked_for_again_if_they_are_others_now() {
        let before = roll(0..1_000);
        let mut done = of(&before, 900, "");
        let now = roll(1..1_001);
        done.fit(&now);
        assert!(!done.has(&before.names[1], &now));
    }
}
