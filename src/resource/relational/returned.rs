//! The rows that an update gives.

use arrow_array::RecordBatch;

use crate::block::Block;
use crate::resource::ResourceError;

/// How many bytes the rows of one update take at the most.
const MOST: usize = 64 * 1024 * 1024;

/// What an update that ran to its end has done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UpdateEnd {
    /// How many rows of the database it changed altogether.
    pub changed: u64,
    /// The rows that it gave, in the order of its rows of parameters: at least one block, unless it did not run at all because
    /// there were no parameters.
    pub rows: Vec<RecordBatch>,
}

/// The rows of an update (`RETURNING`), kept until it has ended: before, nobody knows whether they hold, and whoever read them
/// slowly would keep others waiting for what it has locked.
#[derive(Debug, Default)]
pub(super) struct ReturnedRows {
    blocks: Vec<RecordBatch>,
    bytes: usize,
}

impl ReturnedRows {
    /// Keeps a block. Of too many nothing is kept, but they are taken, so that the connection comes to the end of them.
    pub(super) fn push(&mut self, block: RecordBatch) {
        let block = Block::Rows(block);
        self.bytes = self.bytes.saturating_add(block.byte_size());
        match block {
            Block::Rows(rows) if self.bytes <= MOST => self.blocks.push(rows),
            _ => self.blocks.clear(),
        }
    }

    /// Whether no block has come yet.
    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// All of them; to be asked for while the update can still be taken back.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Sql`] when they are too many.
    pub(super) fn finish(self) -> Result<Vec<RecordBatch>, ResourceError> {
        if self.bytes <= MOST {
            return Ok(self.blocks);
        }
        Err(sql_error(
            "54000",
            format!(
                "the rows that the statement gives take more than {} MiB: let `RETURNING` give less, or change fewer rows at a time",
                MOST / (1024 * 1024)
            ),
        ))
    }
}

/// The error of a statement that is to give rows and has none.
pub(super) fn gives_no_rows() -> ResourceError {
    sql_error(
        "42000",
        "the statement gives no rows; with `RETURNING` it would give those that it changes, otherwise leave `returnedRows` out"
            .into(),
    )
}

fn sql_error(code: &'static str, message: String) -> ResourceError {
    ResourceError::Sql { message, code: code.into(), offset: None }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, StringArray};

    use super::*;

    fn block(bytes: usize) -> RecordBatch {
        let text: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(bytes)]));
        RecordBatch::try_from_iter([("text", text)]).unwrap()
    }

    #[test]
    fn rows_are_kept_up_to_a_limit() {
        let mut rows = ReturnedRows::default();
        rows.push(block(1));
        rows.push(block(MOST - 1024));
        assert_eq!(rows.finish().unwrap().len(), 2);
        let mut rows = ReturnedRows::default();
        for _ in 0..3 {
            rows.push(block(MOST / 2));
        }
        assert!(rows.is_empty());
        assert!(rows.finish().unwrap_err().to_string().contains("64 MiB"));
    }
}
