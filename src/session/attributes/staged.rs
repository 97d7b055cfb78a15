//! What one request changes, before it is committed.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::{AttributeSnapshot, AttributeValue, LiveAttribute};
use crate::session::SessionHandle;

/// The changes that a request made to the attributes of its session: what a manager commits, all or none.
#[derive(Debug, Default)]
pub struct StagedAttributes {
    pub(super) changes: BTreeMap<Arc<str>, Change>,
    /// How many attributes there are with the changes made.
    pub(super) count: usize,
    /// The bytes of all names and values with the changes made.
    pub(super) bytes: u64,
    pub(super) next_order: u64,
    /// Everything alive that the request set, in order: also what it replaced again.
    pub(super) made: Vec<Arc<dyn LiveAttribute>>,
}

/// One change.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Set { value: AttributeValue, order: u64 },
    Remove,
}

impl Change {
    pub(super) fn value(&self) -> Option<&AttributeValue> {
        match self {
            Self::Set { value, .. } => Some(value),
            Self::Remove => None,
        }
    }

    pub(super) fn into_value(self) -> Option<AttributeValue> {
        match self {
            Self::Set { value, .. } => Some(value),
            Self::Remove => None,
        }
    }
}

impl StagedAttributes {
    /// No changes to a snapshot.
    pub(super) fn of(snapshot: &AttributeSnapshot) -> Self {
        Self {
            changes: BTreeMap::new(),
            count: snapshot.count(),
            bytes: snapshot.byte_size(),
            next_order: snapshot.next_order(),
            made: Vec::new(),
        }
    }

    /// The attributes that change, by name, with their new values; `None` where one is removed.
    pub fn changes(&self) -> impl Iterator<Item = (&str, Option<&AttributeValue>)> {
        self.changes.iter().map(|(name, change)| (&**name, change.value()))
    }

    /// The same with what a store keeps beside: the shared name, and the order of what is set.
    pub(in crate::session) fn orders(&self) -> impl Iterator<Item = (&Arc<str>, Option<(&AttributeValue, u64)>)> {
        self.changes.iter().map(|(name, change)| match change {
            Change::Set { value, order } => (name, Some((value, *order))),
            Change::Remove => (name, None),
        })
    }

    /// How many attributes there are with the changes made, their bytes with their names, and the next order.
    pub(in crate::session) fn totals(&self) -> (usize, u64, u64) {
        (self.count, self.bytes, self.next_order)
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// Attribute values that are out of use. Dropping frees them; [`Dropped::close`] closes what is alive among them first.
#[derive(Debug, Default)]
#[must_use = "what is alive has to be closed, where no lock is held"]
pub struct Dropped {
    /// What is to be closed, in that order.
    pub(super) close: Vec<Arc<dyn LiveAttribute>>,
    /// What only takes memory: freed with this, not under the lock where it was replaced.
    pub(super) values: Vec<AttributeValue>,
    /// The same, of a session that has ended.
    pub(super) snapshot: AttributeSnapshot,
}

impl Dropped {
    /// The attributes of a session that has ended; of anything else that is out of use there are none.
    #[must_use]
    pub fn attributes(&self) -> &AttributeSnapshot {
        &self.snapshot
    }

    /// Closes what is alive, latest first, and frees the rest. An error or a panic of one is logged and keeps no other from
    /// being closed. To be called where no lock is held: closing runs code of others.
    pub fn close(self, session: SessionHandle) {
        for live in self.close {
            match catch_unwind(AssertUnwindSafe(|| live.close())) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(%session, attribute = live.type_name(), %error, "closing a session attribute failed");
                }
                Err(_) => tracing::error!(%session, "closing a session attribute panicked"),
            }
        }
        drop((self.values, self.snapshot));
    }
}
