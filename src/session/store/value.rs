//! Attributes as a store keeps them.

use std::sync::Arc;

use bytes::Bytes;

/// An attribute as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAttribute {
    /// Its name.
    pub name: Arc<str>,
    /// Rises with every attribute of the session that is set.
    pub order: u64,
    /// What it holds.
    pub value: StoredValue,
}

/// The value of an attribute as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredValue {
    /// What the bytes are.
    pub kind: ValueKind,
    /// The bytes: one piece of a scalar; of a stream as many as were appended to it, none if it is empty.
    pub pieces: Vec<Bytes>,
}

/// What the bytes of a stored value are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// UTF-8.
    Text,
    /// Eight bytes, the lowest first.
    Integer,
    /// Eight bytes of an IEEE 754 number, the lowest first.
    Real,
    /// One byte, 0 or 1.
    Boolean,
    /// UTF-8.
    Xml,
    /// A stream of rows: each piece is a head and Arrow IPC streams.
    RowStream,
    /// A stream of text blocks: each piece is a head and blocks with their lengths.
    TextStream,
    /// A stream of byte blocks: the same.
    ByteStream,
    /// A stream that has no blocks yet, and takes those of any type.
    EmptyStream,
}

impl ValueKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Text,
        Self::Integer,
        Self::Real,
        Self::Boolean,
        Self::Xml,
        Self::RowStream,
        Self::TextStream,
        Self::ByteStream,
        Self::EmptyStream,
    ];
}
