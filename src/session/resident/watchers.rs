//! Wakers of those who want to know when something happens to a session.

use std::task::Waker;

/// A short list of wakers, each of which its owner can replace and take back by a key that nobody else has.
#[derive(Debug, Default)]
pub(super) struct Watchers {
    list: Vec<(u64, Waker)>,
}

impl Watchers {
    /// Registers a waker, or replaces the one of that key.
    pub(super) fn watch(&mut self, key: u64, waker: &Waker) {
        match self.list.iter_mut().find(|(other, _)| *other == key) {
            Some((_, known)) => known.clone_from(waker),
            None => self.list.push((key, waker.clone())),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
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
