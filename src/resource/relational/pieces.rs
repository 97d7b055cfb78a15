//! Values of any length in the column of a block that is being built, and the room for them.

use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, StringArray};
use arrow_buffer::{NullBuffer, OffsetBuffer};

use crate::block::{BLOCK_ROWS, ROWS_BYTES};

/// How many bytes of room a column may keep without a need.
const MUCH_SPARE: usize = 4096;

/// Values of any length, end to end.
#[derive(Debug)]
pub(super) struct Pieces {
    offsets: Vec<i32>,
    pub(super) bytes: Vec<u8>,
}

impl Pieces {
    pub(super) fn with_capacity(rows: usize, bytes: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self { offsets, bytes: Vec::with_capacity(bytes) }
    }

    /// So many values without a byte.
    pub(super) fn empty(values: usize) -> Self {
        Self { offsets: vec![0; values + 1], bytes: Vec::new() }
    }

    #[inline]
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.end_value();
    }

    /// Ends the value whose bytes were appended.
    #[inline]
    pub(super) fn end_value(&mut self) {
        // A block holds little more than one value beyond its limit, and values are bounded at 1 GiB.
        self.offsets.push(i32::try_from(self.bytes.len()).unwrap_or(i32::MAX));
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The bytes of a value.
    pub(super) fn value(&self, index: usize) -> &[u8] {
        let place = |offset: i32| usize::try_from(offset).unwrap_or(0);
        &self.bytes[place(self.offsets[index])..place(self.offsets[index + 1])]
    }

    /// The values as bytes.
    pub(super) fn into_binary(self, nulls: Option<NullBuffer>) -> ArrayRef {
        let Self { offsets, bytes } = self;
        Arc::new(BinaryArray::new(OffsetBuffer::new(fitted(offsets).into()), fitted(bytes).into(), nulls))
    }

    /// The values as text; the row of the first that is none, if there is one.
    pub(super) fn into_text(self, nulls: Option<NullBuffer>) -> Result<ArrayRef, usize> {
        // The text of the whole block is looked at once, which is far faster than value by value.
        if std::str::from_utf8(&self.bytes).is_err() {
            let bad = (0..self.len()).find(|index| std::str::from_utf8(self.value(*index)).is_err());
            return Err(bad.unwrap_or(0));
        }
        let Self { offsets, bytes } = self;
        let offsets = OffsetBuffer::new(fitted(offsets).into());
        StringArray::try_new(offsets, fitted(bytes).into(), nulls)
            .map(|array| Arc::new(array) as ArrayRef)
            .map_err(|_| 0)
    }
}

/// Values without the room that was left over, where that is much: a block may wait long for its reader.
pub(super) fn fitted<T>(mut values: Vec<T>) -> Vec<T> {
    let spare = values.capacity() - values.len();
    if spare * size_of::<T>() > MUCH_SPARE && spare > values.len() / 4 {
        values.shrink_to_fit();
    }
    values
}

/// How much room a column makes for the values of a block.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Room {
    pub(super) rows: usize,
    /// Of texts or bytes.
    pub(super) bytes: usize,
}

impl Room {
    /// For the first block, which is small.
    pub(super) const FIRST: Self = Self { rows: 8, bytes: 64 };

    /// For a column of a full block, by what its part of some rows took: `column` bytes of text or bytes, out of `bytes`
    /// altogether.
    pub(super) fn like(column: usize, bytes: usize, rows: usize) -> Self {
        // One more than fits, because the row that fills the block is in it.
        let full = (ROWS_BYTES / (bytes / rows).max(1) + 1).min(BLOCK_ROWS);
        // An eighth more, because no two rows are alike.
        let bytes = (column / rows + 1) * full;
        Self { rows: full, bytes: (bytes + bytes / 8).min(2 * ROWS_BYTES) }
    }
}
