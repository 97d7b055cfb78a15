//! A sorted list in pieces: as quick as a tree, and dense.

use std::collections::BTreeMap;
use std::ops::Bound;

/// So many entries are in one piece at the most.
const PIECE: usize = 64;

/// What stands in a sorted list.
pub(super) trait Entry {
    /// By what it is sorted. No two entries of a list have the same.
    type Key: Ord + Copy;

    fn key(&self) -> Self::Key;
}

/// Entries in the order of their keys.
///
/// Moments and handles come nearly in ascending order. A tree that splits full nodes in halves keeps nearly all of them half
/// empty then. Here a full piece stays full when the next entry comes after all others.
#[derive(Debug)]
pub(super) struct SortedList<E: Entry> {
    /// None is empty. Each stands under a bound that is not above its own entries, and above those of the piece before.
    pieces: BTreeMap<E::Key, Vec<E>>,
    length: usize,
}

impl<E: Entry> Default for SortedList<E> {
    fn default() -> Self {
        Self { pieces: BTreeMap::new(), length: 0 }
    }
}

impl<E: Entry> SortedList<E> {
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Enters what has a key that is not there yet.
    pub(super) fn insert(&mut self, entry: E) {
        self.length += 1;
        let key = entry.key();
        self.lower_first_bound(key);
        let is_last = self.pieces.last_key_value().is_some_and(|(last, _)| *last <= key);
        let Some((_, piece)) = self.pieces.range_mut(..=key).next_back() else {
            self.pieces.insert(key, vec![entry]);
            return;
        };
        let index = piece.partition_point(|other| other.key() < key);
        if piece.len() < PIECE {
            piece.insert(index, entry);
            return;
        }
        let cut = if is_last && index == PIECE { PIECE } else { PIECE / 2 };
        let mut rest = piece.split_off(cut);
        if index < cut {
            piece.insert(index, entry);
        } else {
            rest.insert(index - cut, entry);
        }
        if let Some(first) = rest.first() {
            self.pieces.insert(first.key(), rest);
        }
    }

    pub(super) fn get(&self, key: E::Key) -> Option<&E> {
        let (_, piece) = self.pieces.range(..=key).next_back()?;
        piece.binary_search_by_key(&key, E::key).ok().map(|index| &piece[index])
    }

    pub(super) fn remove(&mut self, key: E::Key) -> Option<E> {
        let (&bound, piece) = self.pieces.range_mut(..=key).next_back()?;
        let index = piece.binary_search_by_key(&key, E::key).ok()?;
        let entry = piece.remove(index);
        self.length -= 1;
        self.tidy(bound);
        Some(entry)
    }

    /// Those after a key, or all.
    pub(super) fn after(&self, key: Option<E::Key>) -> impl Iterator<Item = &E> {
        let piece = key.and_then(|key| self.pieces.range(..=key).next_back());
        let from = piece.map_or(Bound::Unbounded, |(bound, _)| Bound::Included(*bound));
        let entries = self.pieces.range((from, Bound::Unbounded)).flat_map(|(_, piece)| piece);
        entries.skip_while(move |entry| Some(entry.key()) <= key)
    }

    /// Takes some of the first ones out, as far as `due` says so: none only if there are none.
    pub(super) fn take_first(&mut self, due: impl Fn(&E) -> bool) -> Vec<E> {
        let Some((&bound, piece)) = self.pieces.iter_mut().next() else { return Vec::new() };
        let count = piece.partition_point(due);
        let taken = piece.drain(..count).collect();
        self.length -= count;
        self.tidy(bound);
        taken
    }

    /// Lets the first piece begin at a key that is below all others.
    fn lower_first_bound(&mut self, key: E::Key) {
        if self.pieces.first_key_value().is_some_and(|(first, _)| key < *first)
            && let Some((_, piece)) = self.pieces.pop_first()
        {
            self.pieces.insert(key, piece);
        }
    }

    /// After something was taken out of a piece: gives back its memory when it is much too large.
    fn tidy(&mut self, bound: E::Key) {
        let Some(piece) = self.pieces.get_mut(&bound) else { return };
        if piece.is_empty() {
            self.pieces.remove(&bound);
        } else if piece.len() <= piece.capacity() / 4 {
            piece.shrink_to(piece.len() * 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Entries for ten pieces.
    const MANY: u16 = 640;

    impl Entry for u16 {
        type Key = Self;

        fn key(&self) -> Self {
            *self
        }
    }

    #[test]
    fn ascending_entries_fill_their_pieces() {
        let mut list = SortedList::default();
        (0..MANY).for_each(|entry| list.insert(entry));
        assert_eq!(list.pieces.len(), 10);
    }

    #[test]
    fn descending_entries_fill_half_of_each() {
        let mut list = SortedList::default();
        (0..MANY).rev().for_each(|entry| list.insert(entry));
        assert!(list.pieces.len() <= 20);
    }

    #[test]
    fn what_is_left_of_many_takes_little_room() {
        let mut list = SortedList::default();
        (0..MANY).for_each(|entry| list.insert(entry));
        (0..MANY).filter(|entry| entry % 64 != 7).for_each(|entry| assert_eq!(list.remove(entry), Some(entry)));
        assert_eq!(list.len(), 10);
        assert!(list.pieces.values().all(|piece| piece.capacity() < 8));
    }

    proptest! {
        #[test]
        fn it_does_what_a_set_does(steps in prop::collection::vec((0..4_u8, 0..600_u16), 1..2000)) {
            let (mut list, mut set) = (SortedList::default(), BTreeSet::new());
            for (step, key) in steps {
                match step {
                    0 | 1 => if set.insert(key) {
                        list.insert(key);
                    },
                    2 => prop_assert_eq!(list.remove(key), set.take(&key)),
                    _ => if key % 32 == 0 {
                        let taken = list.take_first(|entry| *entry <= key / 8);
                        prop_assert_eq!(taken.is_empty(), set.first().is_none_or(|first| *first > key / 8));
                        for entry in taken {
                            prop_assert_eq!(set.pop_first(), Some(entry));
                        }
                    },
                }
                prop_assert_eq!(list.get(key), set.get(&key));
                prop_assert_eq!(list.after(Some(key)).next(), set.range(key + 1..).next());
            }
            prop_assert!(list.after(None).eq(&set));
            prop_assert_eq!((list.len(), list.is_empty()), (set.len(), set.is_empty()));
        }
    }
}
