//! Wakers of those who want to know when something happens to a session.

use std::task::Waker;

/// A short list of wakers, each of which its owner can replace and take back.
#[derive(Debug, Default)]
pub(super) struct Watchers {
    list: Vec<(u64, Waker)>,
    last_key: u64,
}

impl Watchers {
    /// Registers a waker, or replaces the one that `key` names.
    pub(super) fn watch(&mut self, key: &mut Option<u64>, waker: &Waker) {
        if let Some((_, known)) = self.list.iter_mut().find(|(other, _)| Some(*other) == *key) {
            known.clone_from(waker);
            return;
        }
        self.last_key += 1;
        self.list.push((self.last_key, waker.clone()));
        *key = Some(self.last_key);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Takes a waker back; it is dropped outside of the mutex.
    pub(super) fn forget(&mut self, key: u64) -> Option<Waker> {
        let index = self.list.iter().position(|(other, _)| *other == key)?;
        Some(self.list.swap_remove(index).1)
    }

    /// All wakers, to be woken outside of the mutex.
    pub(super) fn into_wakers(self) -> impl Iterator<Item = Waker> + use<> {
        self.list.into_iter().map(|(_, waker)| waker)
    }
}
