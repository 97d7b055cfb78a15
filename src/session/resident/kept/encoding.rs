//! Attributes for the store, and back.

use std::sync::Arc;

use bytes::Bytes;

use crate::block::Scalar;
use crate::session::{
    AttributeError, AttributeSnapshot, AttributeValue, AttributeWrite, StagedAttributes, StoredAttribute,
    StoredSession, StoredValue, ValueKind,
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
            Some((value, order)) if is_storable(value) => writes.push(write_of(name, order, value, before)?),
            _ if before.is_some() => writes.push(AttributeWrite::Remove { name: Arc::clone(name) }),
            _ => {}
        }
    }
    Ok(writes)
}

/// The attributes of a session that was stored.
pub(super) fn snapshot(stored: StoredSession) -> Result<AttributeSnapshot, String> {
    let mut attributes = Vec::with_capacity(stored.attributes.len());
    for StoredAttribute { name, order, value } in stored.attributes {
        let value = decode(&value).ok_or_else(|| format!("an attribute of session {}", stored.record.handle))?;
        attributes.push((name, value, order));
    }
    Ok(AttributeSnapshot::restored(attributes, stored.record.next_order))
}

fn is_storable(value: &AttributeValue) -> bool {
    matches!(value, AttributeValue::Scalar(_) | AttributeValue::Stream(_))
}

fn write_of(
    name: &Arc<str>,
    order: u64,
    value: &AttributeValue,
    _before: Option<&AttributeValue>,
) -> Result<AttributeWrite, AttributeError> {
    let (kind, bytes) = match value {
        AttributeValue::Scalar(Scalar::Integer(value)) => {
            (ValueKind::Integer, Bytes::copy_from_slice(&value.to_le_bytes()))
        }
        AttributeValue::Scalar(Scalar::Text(text)) => (ValueKind::Text, text.as_bytes().clone()),
        _ => return Err(AttributeError::NotStorable { name: (**name).into() }),
    };
    let value = StoredValue { kind, pieces: vec![bytes] };
    Ok(AttributeWrite::Set(StoredAttribute { name: Arc::clone(name), order, value }))
}

fn decode(value: &StoredValue) -> Option<AttributeValue> {
    let [bytes] = &value.pieces[..] else { return None };
    match value.kind {
        ValueKind::Integer => Some(Scalar::Integer(i64::from_le_bytes(bytes[..].try_into().ok()?)).into()),
        ValueKind::Text => Some(Scalar::Text(bytes.clone().try_into().ok()?).into()),
        _ => None,
    }
}
