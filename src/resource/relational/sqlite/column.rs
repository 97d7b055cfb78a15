//! One column of a block that is being built.

use arrow_array::{ArrayRef, Float64Array, Int64Array};
use arrow_buffer::{NullBufferBuilder, ScalarBuffer};
use arrow_schema::DataType;
use rusqlite::types::ValueRef;
use std::sync::Arc;

use super::shape::ColumnShape;
use crate::resource::relational::pieces::{Pieces, Room, fitted};

/// Takes the values of one column, straight from `SQLite`, into a typed buffer.
///
/// `SQLite` types values, not columns. The buffer has the type of the stream's column until a value does not fit; then it
/// becomes text, or bytes where there are bytes among the values, for the rest of the block. Nothing is rounded or cut.
#[derive(Debug)]
pub(super) struct ColumnBuilder {
    values: Values,
    nulls: NullBufferBuilder,
}

#[derive(Debug)]
enum Values {
    /// Only NULL so far, and no type was announced.
    Open,
    Integers(Vec<i64>),
    Reals(Vec<f64>),
    Texts(Pieces),
    Blobs(Pieces),
}

impl ColumnBuilder {
    /// A builder for a column of this type; without a type, the values decide.
    pub(super) fn new(data_type: Option<&DataType>, room: Room) -> Self {
        let values = match data_type {
            None => Values::Open,
            Some(DataType::Int64) => Values::Integers(Vec::with_capacity(room.rows)),
            Some(DataType::Float64) => Values::Reals(Vec::with_capacity(room.rows)),
            Some(DataType::Binary) => Values::Blobs(Pieces::with_capacity(room.rows, room.bytes)),
            Some(_) => Values::Texts(Pieces::with_capacity(room.rows, room.bytes)),
        };
        Self { values, nulls: NullBufferBuilder::new(room.rows) }
    }

    /// Appends one value, and gives the number of bytes that it takes.
    #[inline]
    pub(super) fn push(&mut self, value: ValueRef<'_>) -> usize {
        match (&mut self.values, value) {
            (Values::Texts(pieces), ValueRef::Text(bytes)) | (Values::Blobs(pieces), ValueRef::Blob(bytes)) => {
                pieces.push(bytes);
                self.nulls.append_non_null();
                bytes.len() + size_of::<i32>()
            }
            (Values::Integers(values), ValueRef::Integer(value)) => {
                values.push(value);
                self.nulls.append_non_null();
                size_of::<i64>()
            }
            (Values::Reals(values), ValueRef::Real(value)) => {
                values.push(value);
                self.nulls.append_non_null();
                size_of::<f64>()
            }
            (_, ValueRef::Null) => self.push_null(),
            (_, value) => self.push_other(value),
        }
    }

    fn push_null(&mut self) -> usize {
        match &mut self.values {
            Values::Open => {}
            Values::Integers(values) => values.push(0),
            Values::Reals(values) => values.push(0.0),
            Values::Texts(pieces) | Values::Blobs(pieces) => pieces.end_value(),
        }
        self.nulls.append_null();
        size_of::<i32>()
    }

    /// A value that is not of the buffer's type: the buffer changes its type, or the value becomes text.
    #[cold]
    fn push_other(&mut self, value: ValueRef<'_>) -> usize {
        if matches!(self.values, Values::Open) {
            self.values = self.typed_by(value);
            return self.push(value);
        }
        match value {
            ValueRef::Blob(_) => self.become_blobs(),
            _ => self.become_texts(),
        }
        let (Values::Texts(pieces) | Values::Blobs(pieces)) = &mut self.values else { return 0 };
        let before = pieces.bytes.len();
        match value {
            ValueRef::Null => {}
            ValueRef::Integer(value) => push_integer(&mut pieces.bytes, value),
            ValueRef::Real(value) => push_real(&mut pieces.bytes, value),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => pieces.bytes.extend_from_slice(bytes),
        }
        pieces.end_value();
        self.nulls.append_non_null();
        pieces.bytes.len() - before + size_of::<i32>()
    }

    /// Buffers of the type of the first value, behind as many NULL as there were before it.
    fn typed_by(&self, value: ValueRef<'_>) -> Values {
        let nulls = self.nulls.len();
        match value {
            ValueRef::Null => Values::Open,
            ValueRef::Integer(_) => Values::Integers(vec![0; nulls]),
            ValueRef::Real(_) => Values::Reals(vec![0.0; nulls]),
            ValueRef::Text(_) => Values::Texts(Pieces::empty(nulls)),
            ValueRef::Blob(_) => Values::Blobs(Pieces::empty(nulls)),
        }
    }

    /// Turns numbers into text. Text and bytes stay what they are: bytes hold everything.
    fn become_texts(&mut self) {
        let pieces = match &self.values {
            Values::Integers(values) => self.written(values, |bytes, value| push_integer(bytes, *value)),
            Values::Reals(values) => self.written(values, |bytes, value| push_real(bytes, *value)),
            Values::Open | Values::Texts(_) | Values::Blobs(_) => return,
        };
        self.values = Values::Texts(pieces);
    }

    fn become_blobs(&mut self) {
        self.become_texts();
        self.values = match std::mem::replace(&mut self.values, Values::Open) {
            Values::Texts(pieces) => Values::Blobs(pieces),
            other => other,
        };
    }

    fn written<T>(&self, values: &[T], write: impl Fn(&mut Vec<u8>, &T)) -> Pieces {
        let mut pieces = Pieces::with_capacity(values.len(), values.len() * 8);
        for (row, value) in values.iter().enumerate() {
            if self.nulls.is_valid(row) {
                write(&mut pieces.bytes, value);
            }
            pieces.end_value();
        }
        pieces
    }

    /// How many bytes of text or blobs it holds.
    pub(super) fn byte_len(&self) -> usize {
        match &self.values {
            Values::Texts(pieces) | Values::Blobs(pieces) => pieces.bytes.len(),
            Values::Open | Values::Integers(_) | Values::Reals(_) => 0,
        }
    }

    /// The column, once all rows of the block are in it. The error is the row, from 0, of a text that is none.
    pub(super) fn finish(self, shape: &ColumnShape) -> Result<ArrayRef, usize> {
        let Self { values, mut nulls } = self;
        let rows = nulls.len();
        let nulls = nulls.finish();
        Ok(match values {
            Values::Integers(values) => Arc::new(Int64Array::new(ScalarBuffer::from(fitted(values)), nulls)),
            Values::Reals(values) => Arc::new(Float64Array::new(ScalarBuffer::from(fitted(values)), nulls)),
            Values::Texts(pieces) => pieces.into_text(nulls)?,
            Values::Blobs(pieces) => pieces.into_binary(nulls),
            Values::Open => arrow_array::new_null_array(&shape.without_values, rows),
        })
    }
}

fn push_integer(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// The shortest form that reads back as the same number.
fn push_real(out: &mut Vec<u8>, value: f64) {
    out.extend_from_slice(real_text(&mut ryu::Buffer::new(), value).as_bytes());
}

/// As [`ryu::Buffer::format_finite`], and `Infinity` for what is not finite. `SQLite` has no not-a-number: it is NULL.
fn real_text(buffer: &mut ryu::Buffer, value: f64) -> &str {
    if value.is_finite() {
        buffer.format_finite(value)
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}
