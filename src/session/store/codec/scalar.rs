//! Scalars: one piece each, whose form the kind says.

use bytes::Bytes;
use bytestring::ByteString;

use super::{StoredValue, ValueError, ValueKind};
use crate::block::Scalar;

pub(super) fn encode(scalar: &Scalar) -> StoredValue {
    let (kind, bytes) = match scalar {
        Scalar::Text(text) => (ValueKind::Text, text.as_bytes().clone()),
        Scalar::Xml(xml) => (ValueKind::Xml, xml.as_bytes().clone()),
        Scalar::Integer(value) => (ValueKind::Integer, Bytes::copy_from_slice(&value.to_le_bytes())),
        Scalar::Real(value) => (ValueKind::Real, Bytes::copy_from_slice(&value.to_le_bytes())),
        Scalar::Boolean(value) => (ValueKind::Boolean, Bytes::from_static(if *value { &[1] } else { &[0] })),
    };
    StoredValue { kind, pieces: vec![bytes] }
}

pub(super) fn decode(kind: ValueKind, pieces: &[Bytes]) -> Result<Scalar, ValueError> {
    let [bytes] = pieces else {
        return Err(ValueError::damaged(format!("a scalar has one piece, and this has {}", pieces.len())));
    };
    Ok(match kind {
        ValueKind::Text => Scalar::Text(text(bytes)?),
        ValueKind::Xml => Scalar::Xml(text(bytes)?),
        ValueKind::Integer => Scalar::Integer(i64::from_le_bytes(eight(bytes)?)),
        ValueKind::Real => Scalar::Real(f64::from_le_bytes(eight(bytes)?)),
        ValueKind::Boolean => match bytes[..] {
            [0] => Scalar::Boolean(false),
            [1] => Scalar::Boolean(true),
            _ => return Err(ValueError::damaged("a boolean is one byte, 0 or 1, and this is not")),
        },
        _ => return Err(ValueError::damaged("a scalar was expected, and this is a stream")),
    })
}

fn text(bytes: &Bytes) -> Result<ByteString, ValueError> {
    ByteString::try_from(bytes.clone()).map_err(|error| ValueError::damaged(format!("text is UTF-8: {error}")))
}

fn eight(bytes: &Bytes) -> Result<[u8; 8], ValueError> {
    let wrong = |_| ValueError::damaged(format!("a number has eight bytes, and this has {}", bytes.len()));
    bytes[..].try_into().map_err(wrong)
}
