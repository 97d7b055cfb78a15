//! What to write of an attribute that was set.

use std::sync::Arc;

use super::stream::{encode_piece, kind_of};
use super::{StoredValue, ValueError};
use crate::session::{AttributeValue, AttributeWrite, StoredAttribute, StoredStream};

impl AttributeWrite {
    /// What to write of an attribute that is `value` from now on: the new pieces alone, if it is the stream that was there
    /// `before` with something appended; otherwise all of it.
    ///
    /// ```
    /// use rejoin::block::{Block, StreamType};
    /// use rejoin::session::{AttributeValue, AttributeWrite, StoredStream};
    ///
    /// let mut stream = StoredStream::new(StreamType::Text);
    /// stream.push(Block::Text("a".into())).unwrap();
    /// let before = AttributeValue::from(stream.clone());
    /// stream.push(Block::Text("b".into())).unwrap();
    /// let write = AttributeWrite::of("log".into(), 7, &stream.into(), Some(&before))?;
    /// assert!(matches!(write, AttributeWrite::Append { order: 7, present: 1, pieces, .. } if pieces.len() == 1));
    /// # Ok::<(), rejoin::session::ValueError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`StoredValue::encode`].
    pub fn of(
        name: Arc<str>,
        order: u64,
        value: &AttributeValue,
        before: Option<&AttributeValue>,
    ) -> Result<Self, ValueError> {
        if let (AttributeValue::Stream(stream), Some(AttributeValue::Stream(before))) = (value, before)
            && let Some(present) = appended_after(stream, before)
        {
            let new = stream.pieces().skip(before.piece_count());
            let pieces = new.map(encode_piece).collect::<Result<_, _>>()?;
            return Ok(Self::Append { name, order, present, pieces });
        }
        Ok(Self::Set(StoredAttribute { name, order, value: StoredValue::encode(value)? }))
    }
}

/// How many pieces were there, if nothing but appending was done since. A stream that had no type before is written whole,
/// because its kind changes.
fn appended_after(stream: &StoredStream, before: &StoredStream) -> Option<u32> {
    let same_kind = kind_of(stream.stream_type()) == kind_of(before.stream_type());
    (same_kind && stream.begins_with(before)).then(|| u32::try_from(before.piece_count()).ok())?
}
