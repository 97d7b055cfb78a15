//! The attributes of a session as they were last released.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use smallvec::SmallVec;

use super::overlay::entry_bytes;
use super::summary::summaries;
use super::{AttributeSummary, AttributeValue, Change, Dropped, LiveAttribute, StagedAttributes, StaticAttributes};

/// The attributes of a session as they were last released, in the order of their names. A clone shares them.
///
/// Small: an idle session of one attribute keeps one short list, and one without any keeps nothing.
#[derive(Debug, Clone, Default)]
pub struct AttributeSnapshot {
    entries: Option<Arc<Entries>>,
}

#[derive(Debug, Clone, Default)]
struct Entries {
    /// Sorted by name. A single one takes no memory of its own.
    list: SmallVec<[Entry; 1]>,
    /// The bytes of all names and values.
    bytes: u64,
    /// The `order` of the next attribute that is set.
    next_order: u64,
}

#[derive(Debug, Clone)]
struct Entry {
    name: Arc<str>,
    value: AttributeValue,
    /// Rises with every attribute that is set: what was created later is closed earlier.
    order: u64,
}

/// The `order` of an entry that is on its way out. So many attributes are never set.
const REMOVED: u64 = u64::MAX;

impl AttributeSnapshot {
    /// The value of an attribute.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&AttributeValue> {
        let list = self.list();
        let index = list.binary_search_by(|entry| (*entry.name).cmp(name)).ok()?;
        Some(&list[index].value)
    }

    /// All attributes, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &AttributeValue)> {
        self.list().iter().map(|entry| (&*entry.name, &entry.value))
    }

    /// How many attributes there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.list().len()
    }

    /// The bytes of all names and values.
    #[must_use]
    pub fn byte_size(&self) -> u64 {
        self.entries.as_ref().map_or(0, |entries| entries.bytes)
    }

    /// All attributes without their values, by name, with the static ones among them.
    #[must_use]
    pub fn summaries(&self, statics: &StaticAttributes) -> Vec<AttributeSummary> {
        summaries(statics, self.iter())
    }

    /// The names of those that a static attribute hides: a store has kept them from before that was configured. Nobody can read
    /// or change them; they are there again when it is configured no longer.
    pub(in crate::session) fn hidden_by<'a>(&'a self, statics: &'a StaticAttributes) -> impl Iterator<Item = &'a str> {
        statics.iter().map(|(name, _)| name).filter(|name| self.get(name).is_some())
    }

    /// Makes the changes, all of them. What they put out of use is answered, for the caller to close where no lock is held.
    pub fn apply(&mut self, staged: StagedAttributes) -> Dropped {
        if staged.changes.is_empty() {
            return self.without(Vec::new(), staged.made);
        }
        let entries = Arc::make_mut(self.entries.get_or_insert_default());
        let replaced = entries.change(staged.changes, staged.count);
        entries.bytes = staged.bytes;
        entries.next_order = staged.next_order;
        if entries.list.is_empty() {
            self.entries = None;
        }
        self.without(replaced, staged.made)
    }

    /// Makes none of the changes. What they made is answered, for the caller to close.
    pub fn refuse(&self, staged: StagedAttributes) -> Dropped {
        let values = staged.changes.into_values().filter_map(Change::into_value);
        let mut dropped = self.without(Vec::new(), staged.made);
        dropped.values = values.collect();
        dropped
    }

    /// Everything, out of use: the session has ended.
    pub fn take(&mut self) -> Dropped {
        let mut live: Vec<_> = self.list().iter().filter_map(Entry::live).collect();
        live.sort_by_key(|(order, _)| Reverse(*order));
        let close = live.into_iter().map(|(_, live)| Arc::clone(live)).collect();
        Dropped { close, values: Vec::new(), snapshot: std::mem::take(self) }
    }

    /// The attributes that a store kept, each under its order, as the next request is to see them.
    pub(in crate::session) fn restored(
        stored: impl IntoIterator<Item = (Arc<str>, AttributeValue, u64)>,
        next_order: u64,
    ) -> Self {
        let mut list: SmallVec<[Entry; 1]> =
            stored.into_iter().map(|(name, value, order)| Entry { name, value, order }).collect();
        list.sort_by(|left, right| left.name.cmp(&right.name));
        list.dedup_by(|right, left| right.name == left.name);
        let bytes = list.iter().map(|entry| entry_bytes(&entry.name, &entry.value)).sum();
        let entries = (!list.is_empty()).then(|| Arc::new(Entries { list, bytes, next_order }));
        Self { entries }
    }

    /// Whether anything in it is alive, and lost with the process.
    pub(in crate::session) fn has_live(&self) -> bool {
        self.list().iter().any(|entry| entry.live().is_some())
    }

    /// The `order` of the next attribute that is set.
    pub(in crate::session) fn next_order(&self) -> u64 {
        self.entries.as_ref().map_or(0, |entries| entries.next_order)
    }

    /// What is to be closed of what was replaced and of what a request made: what is not in use any more, latest first.
    fn without(&self, mut replaced: Vec<Entry>, made: Vec<Arc<dyn LiveAttribute>>) -> Dropped {
        replaced.sort_by_key(|entry| entry.order);
        let mut close: Vec<Arc<dyn LiveAttribute>> = Vec::new();
        let older = replaced.iter().filter_map(Entry::live).map(|(_, live)| Arc::clone(live));
        for live in older.chain(made) {
            let used = self.list().iter().any(|entry| entry.value.is_same_live(&live));
            if !used && !close.iter().any(|other| Arc::ptr_eq(other, &live)) {
                close.push(live);
            }
        }
        close.reverse();
        let values = replaced.into_iter().map(|entry| entry.value).collect();
        Dropped { close, values, snapshot: Self::default() }
    }

    fn list(&self) -> &[Entry] {
        self.entries.as_ref().map_or(&[], |entries| &entries.list)
    }
}

/// What a store loads, created in that order. Of two values of one name the later one counts.
///
/// ```
/// use rejoin::block::Scalar;
/// use rejoin::session::{AttributeSnapshot, AttributeValue};
///
/// let stored = [("visits", Scalar::Integer(3)), ("town", Scalar::Text("Perth".into()))];
/// let snapshot: AttributeSnapshot = stored.map(|(name, value)| (name, AttributeValue::from(value))).into_iter().collect();
/// assert_eq!((snapshot.count(), snapshot.byte_size()), (2, 23));
/// ```
impl<N: Into<Arc<str>>> FromIterator<(N, AttributeValue)> for AttributeSnapshot {
    fn from_iter<I: IntoIterator<Item = (N, AttributeValue)>>(values: I) -> Self {
        let mut by_name = BTreeMap::new();
        let mut next_order = 0;
        for (name, value) in values {
            by_name.insert(name.into(), (value, next_order));
            next_order += 1;
        }
        let entry = |(name, (value, order))| Entry { name, value, order };
        let list: SmallVec<[Entry; 1]> = by_name.into_iter().map(entry).collect();
        let bytes = list.iter().map(|entry| entry_bytes(&entry.name, &entry.value)).sum();
        let entries = (!list.is_empty()).then(|| Arc::new(Entries { list, bytes, next_order }));
        Self { entries }
    }
}

impl Entries {
    /// Answers with the entries that were replaced or removed.
    fn change(&mut self, changes: impl IntoIterator<Item = (Arc<str>, Change)>, count: usize) -> Vec<Entry> {
        let sorted = self.list.len();
        self.list.reserve_exact(count.saturating_sub(sorted));
        let mut replaced = Vec::new();
        let mut removed = false;
        for (name, change) in changes {
            let found = self.list[..sorted].binary_search_by(|entry| entry.name.cmp(&name));
            match (change, found) {
                (Change::Set { value, order }, Ok(index)) => {
                    replaced.push(std::mem::replace(&mut self.list[index], Entry { name, value, order }));
                }
                (Change::Set { value, order }, Err(_)) => self.list.push(Entry { name, value, order }),
                (Change::Remove, Ok(index)) => {
                    let entry = &mut self.list[index];
                    replaced.push(entry.clone());
                    entry.order = REMOVED;
                    removed = true;
                }
                (Change::Remove, Err(_)) => {}
            }
        }
        if removed {
            self.list.retain(|entry| entry.order != REMOVED);
        }
        if self.list.len() > sorted || removed {
            // Two sorted runs: what was there, and what is new.
            self.list.sort_by(|left, right| left.name.cmp(&right.name));
        }
        replaced
    }
}

impl Entry {
    fn live(&self) -> Option<(u64, &Arc<dyn LiveAttribute>)> {
        match &self.value {
            AttributeValue::Live(live) => Some((self.order, live)),
            _ => None,
        }
    }
}
