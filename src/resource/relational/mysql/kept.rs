//! Rows that were read ahead of whoever wants them.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use tokio::task::spawn_blocking;

use crate::block::Block;
use crate::resource::ResourceError;

/// How many bytes of rows are kept in memory. What is beyond lies in a temporary file that has no name.
const MEMORY_BYTES: usize = 4 * 1024 * 1024;

/// Blocks of rows in the order in which they came: the first in memory, the rest in a file.
#[derive(Debug, Default)]
pub(super) struct KeptRows {
    memory: VecDeque<RecordBatch>,
    memory_bytes: usize,
    file: Option<KeptFile>,
}

impl KeptRows {
    /// Keeps a block behind those that are there. All are kept before the first is taken.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Unavailable`] when the file can't be written.
    pub(super) async fn push(mut self, rows: RecordBatch) -> Result<Self, ResourceError> {
        if self.file.is_none() {
            self.memory_bytes += Block::Rows(rows.clone()).byte_size();
            if self.memory_bytes <= MEMORY_BYTES {
                self.memory.push_back(rows);
                return Ok(self);
            }
        }
        on_blocking_thread(move || {
            let mut file = match self.file.take() {
                Some(file) => file,
                None => KeptFile::new()?,
            };
            file.push(&rows)?;
            self.file = Some(file);
            Ok(self)
        })
        .await
    }

    /// Takes the next block; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Unavailable`] when the file can't be read.
    pub(super) async fn pop(mut self) -> Result<(Self, Option<RecordBatch>), ResourceError> {
        if let Some(rows) = self.memory.pop_front() {
            return Ok((self, Some(rows)));
        }
        let Some(mut file) = self.file.take().filter(|file| !file.is_at_end()) else { return Ok((self, None)) };
        on_blocking_thread(move || {
            let rows = file.pop()?;
            self.file = Some(file);
            Ok((self, Some(rows)))
        })
        .await
    }
}

/// Blocks in a temporary file: each its length and an Arrow stream of its own, because the types of columns may differ from
/// block to block.
#[derive(Debug)]
struct KeptFile {
    file: File,
    read_at: u64,
    end: u64,
}

impl KeptFile {
    fn new() -> io::Result<Self> {
        Ok(Self { file: tempfile::tempfile()?, read_at: 0, end: 0 })
    }

    fn is_at_end(&self) -> bool {
        self.read_at == self.end
    }

    /// Behind those that are there, before any is read.
    fn push(&mut self, rows: &RecordBatch) -> io::Result<()> {
        let mut writer = StreamWriter::try_new(Vec::new(), &rows.schema()).map_err(io::Error::other)?;
        writer.write(rows).map_err(io::Error::other)?;
        let bytes = writer.into_inner().map_err(io::Error::other)?;
        let length = bytes.len() as u64;
        self.file.write_all(&length.to_le_bytes())?;
        self.file.write_all(&bytes)?;
        self.end += size_of::<u64>() as u64 + length;
        Ok(())
    }

    fn pop(&mut self) -> io::Result<RecordBatch> {
        self.file.seek(SeekFrom::Start(self.read_at))?;
        let mut length = [0; size_of::<u64>()];
        self.file.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        self.file.read_exact(&mut bytes)?;
        self.read_at += size_of::<u64>() as u64 + length;
        let mut reader = StreamReader::try_new(&*bytes, None).map_err(io::Error::other)?;
        let rows = reader.next().ok_or_else(|| io::Error::other("a block is missing"))?;
        rows.map_err(io::Error::other)
    }
}

async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, ResourceError> {
    let not_kept = |error: io::Error| ResourceError::Unavailable {
        message: format!("rows that were read ahead can't be kept in a temporary file: {error}"),
    };
    spawn_blocking(work).await.map_err(|error| not_kept(error.into()))?.map_err(not_kept)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;
    use arrow_array::{ArrayRef, Int64Array, StringArray};

    use super::*;

    #[tokio::test]
    async fn rows_come_back_in_order_whatever_their_types_and_however_many() {
        let block = |number: i64| {
            let numbers: ArrayRef = Arc::new(Int64Array::from(vec![number; 16 * 1024]));
            RecordBatch::try_from_iter([("n", numbers)]).unwrap()
        };
        let text: ArrayRef = Arc::new(StringArray::from(vec![Some("wide"), None]));
        let text = RecordBatch::try_from_iter([("n", text)]).unwrap();
        let mut kept = KeptRows::default();
        // 128 KiB each: most lie in the file.
        for number in 0..100 {
            kept = kept.push(block(number)).await.unwrap();
        }
        kept = kept.push(text.clone()).await.unwrap();
        assert!(kept.memory.len() <= 32 && kept.file.is_some());
        for number in 0..100 {
            let rows;
            (kept, rows) = kept.pop().await.unwrap();
            let rows = rows.unwrap();
            assert_eq!((rows.num_rows(), rows.column(0).as_primitive::<Int64Type>().value(7)), (16 * 1024, number));
        }
        let (kept, rows) = kept.pop().await.unwrap();
        assert_eq!(rows, Some(text));
        assert!(kept.pop().await.unwrap().1.is_none());
    }
}
