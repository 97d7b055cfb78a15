use std::sync::Arc;

use super::{LiveAttribute, StaticSessionAttribute, StoredStream};
use crate::block::{Scalar, StreamType};

/// What a session attribute holds. Cheap to clone: data is shared.
#[derive(Debug, Clone)]
pub enum AttributeValue {
    /// One typed value.
    Scalar(Scalar),
    /// A stream, kept.
    Stream(StoredStream),
    /// Something that is alive and is closed with the session.
    Live(Arc<dyn LiveAttribute>),
    /// A static attribute, from the configuration.
    Static(Arc<dyn StaticSessionAttribute>),
}

impl AttributeValue {
    /// The name of its type: `text`, `integer`, `real`, `boolean`, `xml`; of a stream `rows`, `text` or `bytes`, and `any` as
    /// long as it is empty and could become each of them; otherwise what the live or static value calls itself.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Scalar(scalar) => scalar.scalar_type().name(),
            Self::Stream(stream) => match stream.stream_type() {
                StreamType::Rows => "rows",
                StreamType::Text => "text",
                StreamType::Bytes => "bytes",
                StreamType::Any => "any",
            },
            Self::Live(live) => live.type_name(),
            Self::Static(value) => value.type_name(),
        }
    }

    /// The value as a scalar: that of a scalar, and what a static attribute reads as.
    #[must_use]
    pub fn scalar(&self) -> Option<Scalar> {
        match self {
            Self::Scalar(scalar) => Some(scalar.clone()),
            Self::Static(value) => value.scalar(),
            Self::Stream(_) | Self::Live(_) => None,
        }
    }

    /// How many bytes of the session's it takes. What is alive counts as an attribute, not in bytes.
    #[must_use]
    pub fn byte_size(&self) -> u64 {
        match self {
            Self::Scalar(Scalar::Text(text) | Scalar::Xml(text)) => text.len() as u64,
            Self::Scalar(Scalar::Integer(_) | Scalar::Real(_)) => 8,
            Self::Scalar(Scalar::Boolean(_)) => 1,
            Self::Stream(stream) => stream.byte_size(),
            Self::Live(_) | Self::Static(_) => 0,
        }
    }

    /// Whether both are the same living thing.
    pub(in crate::session) fn is_same_live(&self, live: &Arc<dyn LiveAttribute>) -> bool {
        matches!(self, Self::Live(own) if Arc::ptr_eq(own, live))
    }
}

impl From<Scalar> for AttributeValue {
    fn from(scalar: Scalar) -> Self {
        Self::Scalar(scalar)
    }
}

impl From<StoredStream> for AttributeValue {
    fn from(stream: StoredStream) -> Self {
        Self::Stream(stream)
    }
}
