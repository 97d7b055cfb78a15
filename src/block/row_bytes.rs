use arrow_array::{Array, RecordBatch};
use arrow_buffer::Buffer;
use arrow_data::ArrayData;

/// How much memory rows hold, in bytes.
///
/// Rows that were read from Arrow IPC have all their buffers in one piece of memory, and each of those buffers says that it
/// holds all of it: what they share counts once.
pub(super) fn row_bytes(rows: &RecordBatch) -> usize {
    let mut seen = Vec::with_capacity(2 * rows.num_columns());
    for column in rows.columns() {
        note_buffers(&column.to_data(), &mut seen);
    }
    let all: usize = seen.iter().map(|(_, bytes)| bytes).sum();
    seen.sort_unstable();
    seen.dedup();
    let held: usize = seen.iter().map(|(_, bytes)| bytes).sum();
    rows.get_array_memory_size().saturating_sub(all - held)
}

/// Adds the memory behind each buffer: its address and its size.
fn note_buffers(data: &ArrayData, seen: &mut Vec<(usize, usize)>) {
    let mut note = |buffer: &Buffer| seen.push((buffer.data_ptr().as_ptr().addr(), buffer.capacity()));
    data.buffers().iter().for_each(&mut note);
    if let Some(nulls) = data.nulls() {
        note(nulls.buffer());
    }
    for child in data.child_data() {
        note_buffers(child, seen);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int64Array};
    use arrow_buffer::ScalarBuffer;

    use super::*;

    fn rows(columns: [ArrayRef; 2]) -> RecordBatch {
        let [first, second] = columns;
        RecordBatch::try_from_iter([("a", first), ("b", second)]).unwrap()
    }

    #[test]
    fn memory_that_columns_share_counts_once() {
        let numbers = || Buffer::from_vec((0..1000_i64).collect::<Vec<_>>());
        let column = |buffer: &Buffer, from: usize| -> ArrayRef {
            Arc::new(Int64Array::new(ScalarBuffer::new(buffer.clone(), from, 500), None))
        };
        let (one, other) = (numbers(), numbers());
        let shared = row_bytes(&rows([column(&one, 0), column(&one, 500)]));
        let apart = rows([column(&one, 0), column(&other, 0)]);
        assert_eq!(row_bytes(&apart), apart.get_array_memory_size());
        assert_eq!(row_bytes(&apart), shared + 8000);
    }
}
