//! Rows as lines of text, as `LOAD DATA` reads them.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;

use super::fields::Fields;
use crate::resource::ResourceError;

/// Writes blocks of rows: fields end with a tab, lines with a line break, and `\N` is NULL.
#[derive(Debug)]
pub(super) struct Lines {
    fields: Fields,
    /// How long the last block was.
    length: usize,
}

impl Lines {
    pub(super) fn of(schema: &SchemaRef) -> Self {
        Self { fields: Fields::of(schema), length: 0 }
    }

    /// The lines of a block.
    pub(super) fn write(&mut self, rows: &RecordBatch) -> Result<Bytes, ResourceError> {
        let mut out = Vec::with_capacity(self.length + self.length / 8);
        let fields = self.fields.of_block(rows)?;
        for row in 0..rows.num_rows() {
            for (index, field) in fields.iter().enumerate() {
                if index > 0 {
                    out.push(b'\t');
                }
                if field.is_null(row) {
                    out.extend_from_slice(b"\\N");
                } else if let Some(text) = field.text(row) {
                    push_text(&mut out, text.as_bytes());
                } else {
                    field.write(row, &mut out);
                }
            }
            out.push(b'\n');
        }
        self.length = out.len();
        Ok(out.into())
    }
}

/// Text with the characters escaped that would end it.
fn push_text(out: &mut Vec<u8>, mut text: &[u8]) {
    while let Some(place) = memchr::memchr3(b'\\', b'\t', b'\n', text) {
        out.extend_from_slice(&text[..place]);
        out.push(b'\\');
        out.push(match text[place] {
            b'\t' => b't',
            b'\n' => b'n',
            other => other,
        });
        text = &text[place + 1..];
    }
    out.extend_from_slice(text);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, BinaryArray, Float64Array, StringArray};

    use super::*;

    #[test]
    fn what_would_end_a_field_is_escaped() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("a\tb\nc\\d"), None, Some("")]));
        let bytes: ArrayRef = Arc::new(BinaryArray::from_opt_vec(vec![Some(b"\x00\xFF"), Some(b""), None]));
        let reals: ArrayRef = Arc::new(Float64Array::from(vec![0.1, 1e300, -5.0]));
        let rows = RecordBatch::try_from_iter([("t", texts), ("b", bytes), ("r", reals)]).unwrap();
        let written = Lines::of(&rows.schema()).write(&rows).unwrap();
        let expected = format!("a\\tb\\nc\\\\d\t00FF\t0.1\n\\N\t\t{}\n\t\\N\t-5\n", 1e300);
        assert_eq!(std::str::from_utf8(&written).unwrap(), expected);
    }
}
