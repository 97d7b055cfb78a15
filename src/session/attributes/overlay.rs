//! What one request changes, over the attributes as they were released before.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    AttributeError, AttributeRules, AttributeSnapshot, AttributeValue, Change, StagedAttributes, StaticAttributes,
};

/// The attributes as the request sees them: a snapshot, its changes over that, and the account of both.
#[derive(Debug)]
pub(super) struct Overlay {
    base: AttributeSnapshot,
    staged: StagedAttributes,
    released: bool,
}

impl Overlay {
    /// No changes yet.
    pub(super) fn new(base: AttributeSnapshot) -> Self {
        let staged = StagedAttributes::of(&base);
        Self { base, staged, released: false }
    }

    /// The value of an attribute, as the request sees it.
    pub(super) fn get(&self, name: &str) -> Option<&AttributeValue> {
        match self.staged.changes.get(name) {
            Some(change) => change.value(),
            None => self.base.get(name),
        }
    }

    /// The attributes that the request sees.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &AttributeValue)> {
        let unchanged = self.base.iter().filter(|(name, _)| !self.staged.changes.contains_key(*name));
        unchanged.chain(self.staged.changes().filter_map(|(name, value)| Some((name, value?))))
    }

    /// How many attributes the request sees.
    pub(super) fn count(&self) -> usize {
        self.staged.count
    }

    /// How many of those that are stored have the name of a static one, which stands before them.
    pub(super) fn hidden_by(&self, statics: &StaticAttributes) -> usize {
        self.base.hidden_by(statics).count()
    }

    /// Whether the request has released its session.
    pub(super) fn is_released(&self) -> bool {
        self.released
    }

    /// Sets an attribute, whatever it was before.
    ///
    /// # Errors
    ///
    /// [`AttributeError`] when that breaks a rule; nothing has changed.
    pub(super) fn set(
        &mut self,
        name: &str,
        value: AttributeValue,
        rules: &AttributeRules,
    ) -> Result<(), AttributeError> {
        let bytes = entry_bytes(name, &value);
        let old = self.get(name).map(|old| entry_bytes(name, old));
        let all = self.staged.bytes.saturating_sub(old.unwrap_or(0)).saturating_add(bytes);
        let count = self.staged.count + usize::from(old.is_none());
        rules.check(name, bytes, all, count)?;
        if let AttributeValue::Live(live) = &value {
            self.staged.made.push(Arc::clone(live));
        }
        let order = self.staged.next_order;
        self.staged.next_order += 1;
        self.staged.bytes = all;
        self.staged.count = count;
        match self.staged.changes.get_mut(name) {
            Some(change) => *change = Change::Set { value, order },
            None => drop(self.staged.changes.insert(name.into(), Change::Set { value, order })),
        }
        Ok(())
    }

    /// Removes an attribute. Answers whether there was one, and the change in whose place this comes: it may close what it
    /// holds when it is dropped, so nothing is to be locked then.
    pub(super) fn remove(&mut self, name: &str) -> (bool, Option<Change>) {
        let Some(old) = self.get(name) else { return (false, None) };
        let bytes = entry_bytes(name, old);
        self.staged.bytes = self.staged.bytes.saturating_sub(bytes);
        self.staged.count = self.staged.count.saturating_sub(1);
        let replaced = match self.base.get(name) {
            Some(_) => self.staged.changes.insert(name.into(), Change::Remove),
            None => self.staged.changes.remove(name),
        };
        (true, replaced)
    }

    /// The request releases its session: hands over what was changed, and what that was made over. Nothing is left.
    pub(super) fn finish(&mut self) -> (StagedAttributes, AttributeSnapshot) {
        self.released = true;
        (std::mem::take(&mut self.staged), std::mem::take(&mut self.base))
    }
}

/// A checkpoint as it stands among the changes of its request until it is made.
#[derive(Debug)]
pub(super) struct Begun {
    /// The change, to be made to the attributes as last released.
    pub(super) alone: StagedAttributes,
    order: u64,
    /// The change in whose place it came.
    before: Option<Change>,
}

impl Overlay {
    /// Sets an attribute that is to be the session's before the release: there has to be room for it among the attributes as last
    /// released as well.
    ///
    /// # Errors
    ///
    /// [`AttributeError`] when that breaks a rule, or it is about something alive; nothing has changed.
    pub(super) fn begin_checkpoint(
        &mut self,
        name: &str,
        value: AttributeValue,
        rules: &AttributeRules,
    ) -> Result<Begun, AttributeError> {
        let old = self.base.get(name);
        for value in old.into_iter().chain([&value]) {
            if !matches!(value, AttributeValue::Scalar(_) | AttributeValue::Stream(_)) {
                let (name, found, needed) = (name.into(), value.type_name(), "a value that can be stored");
                return Err(AttributeError::WrongType { name, found, needed });
            }
        }
        let bytes = entry_bytes(name, &value);
        let old = old.map(|old| entry_bytes(name, old));
        let all = self.base.byte_size().saturating_sub(old.unwrap_or(0)).saturating_add(bytes);
        let count = self.base.count() + usize::from(old.is_none());
        rules.check(name, bytes, all, count)?;
        let before = self.staged.changes.get(name).cloned();
        let order = self.staged.next_order;
        self.set(name, value.clone(), rules)?;
        let alone = StagedAttributes {
            changes: BTreeMap::from([(name.into(), Change::Set { value, order })]),
            count,
            bytes: all,
            next_order: order + 1,
            made: Vec::new(),
        };
        Ok(Begun { alone, order, before })
    }

    /// The checkpoint is made: the changes are over those attributes from now on. Answers with what they were over before.
    pub(super) fn rebase(&mut self, name: &str, begun: &Begun, released: AttributeSnapshot) -> AttributeSnapshot {
        if self.released {
            return released;
        }
        match self.staged.changes.get(name) {
            Some(Change::Set { order, .. }) if *order == begun.order => drop(self.staged.changes.remove(name)),
            Some(_) => {}
            // It was removed meanwhile, when there was nothing to remove but the change.
            None => drop(self.staged.changes.insert(name.into(), Change::Remove)),
        }
        std::mem::replace(&mut self.base, released)
    }

    /// The checkpoint is not made: what was changed before is changed again, unless something else was since.
    pub(super) fn take_back(&mut self, name: &str, begun: Begun) {
        let Some(Change::Set { value, order }) = self.staged.changes.get(name) else { return };
        if *order != begun.order {
            return;
        }
        let now = entry_bytes(name, value);
        let old = begun.before.as_ref().map_or_else(|| self.base.get(name), Change::value);
        let old = old.map(|old| entry_bytes(name, old));
        self.staged.bytes = self.staged.bytes.saturating_sub(now).saturating_add(old.unwrap_or(0));
        self.staged.count = self.staged.count.saturating_sub(usize::from(old.is_none()));
        match begun.before {
            Some(change) => drop(self.staged.changes.insert(name.into(), change)),
            None => drop(self.staged.changes.remove(name)),
        }
    }
}

/// What an attribute takes of the bytes that a session may have.
pub(super) fn entry_bytes(name: &str, value: &AttributeValue) -> u64 {
    value.byte_size().saturating_add(name.len() as u64)
}
