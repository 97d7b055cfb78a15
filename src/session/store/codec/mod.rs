//! Values of attributes as bytes, and back.
//!
//! A scalar is one piece. A stream has one stored piece for each piece that was appended to it, so that appending to a long
//! stream writes no more than what is new. docs/session-store.md, "Values", describes the format for other programs.
//!
//! What is read is hostile until it is proved otherwise: nothing panics, and nothing takes memory that the bytes do not
//! account for.

mod append;
mod blocks;
mod compact;
mod error;
mod messages;
mod piece;
mod rows;
#[cfg(test)]
mod samples;
mod scalar;
mod stream;
#[cfg(test)]
mod tests;

use super::{StoredValue, ValueKind};
use crate::session::AttributeValue;
pub use error::ValueError;

impl StoredValue {
    /// The value as it is stored.
    ///
    /// ```
    /// use rejoin::block::Scalar;
    /// use rejoin::session::{AttributeValue, StoredValue, ValueKind};
    ///
    /// let stored = StoredValue::encode(&Scalar::Integer(258).into())?;
    /// assert_eq!(stored.kind, ValueKind::Integer);
    /// assert_eq!(stored.pieces[0][..], [2, 1, 0, 0, 0, 0, 0, 0]);
    /// assert!(matches!(stored.decode()?, AttributeValue::Scalar(Scalar::Integer(258))));
    /// # Ok::<(), rejoin::session::ValueError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ValueError::Alive`] for what lives with the process or belongs to the configuration, [`ValueError::Unsupported`] for
    /// rows that Arrow IPC has no form for.
    pub fn encode(value: &AttributeValue) -> Result<Self, ValueError> {
        match value {
            AttributeValue::Scalar(scalar) => Ok(scalar::encode(scalar)),
            AttributeValue::Stream(stream) => stream::encode(stream),
            AttributeValue::Live(_) | AttributeValue::Static(_) => {
                Err(ValueError::Alive { type_name: value.type_name() })
            }
        }
    }

    /// The value that is stored.
    ///
    /// A stream has the same pieces again and takes as many bytes of its session's as when it was stored
    /// ([`AttributeValue::byte_size`]), whatever it takes of memory now.
    ///
    /// # Errors
    ///
    /// [`ValueError::Damaged`] when the bytes are not what was written, [`ValueError::TooNew`] when a newer version wrote
    /// them.
    pub fn decode(&self) -> Result<AttributeValue, ValueError> {
        match self.kind {
            ValueKind::Text | ValueKind::Integer | ValueKind::Real | ValueKind::Boolean | ValueKind::Xml => {
                Ok(scalar::decode(self.kind, &self.pieces)?.into())
            }
            ValueKind::RowStream | ValueKind::TextStream | ValueKind::ByteStream | ValueKind::EmptyStream => {
                Ok(stream::decode(self.kind, &self.pieces)?.into())
            }
        }
    }
}
