//! Attributes for the store, and back.

use std::path::PathBuf;
use std::sync::Arc;

use crate::session::{
    AttributeError, AttributeSnapshot, AttributeValue, AttributeWrite, StagedAttributes, StoreError, StoredAttribute,
    StoredSession,
};

/// What the changes of a request write: nothing of what is alive, for that can't be kept.
pub(super) fn writes(
    base: &AttributeSnapshot,
    staged: &StagedAttributes,
) -> Result<Vec<AttributeWrite>, AttributeError> {
    let mut writes = Vec::new();
    for (name, change) in staged.orders() {
        let before = base.get(name).filter(|value| is_storable(value));
        match change {
            Some((value, order)) if is_storable(value) => {
                let write = AttributeWrite::of(Arc::clone(name), order, value, before);
                writes.push(write.map_err(|error| {
                    tracing::warn!(%error, "an attribute can't be stored");
                    AttributeError::NotStorable { name: (**name).into() }
                })?);
            }
            _ if before.is_some() => writes.push(AttributeWrite::Remove { name: Arc::clone(name) }),
            _ => {}
        }
    }
    Ok(writes)
}

/// The attributes of a session that was stored.
pub(in crate::session) fn snapshot(stored: StoredSession) -> Result<AttributeSnapshot, StoreError> {
    let mut attributes = Vec::with_capacity(stored.attributes.len());
    for StoredAttribute { name, order, value } in stored.attributes {
        let value = value.decode().map_err(|error| error.in_store(PathBuf::new(), &name))?;
        attributes.push((name, value, order));
    }
    Ok(AttributeSnapshot::restored(attributes, stored.record.next_order))
}

fn is_storable(value: &AttributeValue) -> bool {
    matches!(value, AttributeValue::Scalar(_) | AttributeValue::Stream(_))
}
