use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use tokio_util::sync::CancellationToken;

use crate::block::{Block, BlockReader};
use crate::resource::ResourceError;
use crate::resource::relational::mysql::error::sql as sql_error;
use crate::resource::relational::mysql::pool::cancellable;

/// The rows to be loaded, of which the first block is there.
#[derive(Debug)]
pub(in crate::resource::relational::mysql) struct AwaitedBlocks {
    schema: SchemaRef,
    first: Option<RecordBatch>,
    rest: BlockReader,
    cancel: CancellationToken,
}

impl AwaitedBlocks {
    /// Awaits the first block, which tells the columns. No connection is held meanwhile.
    pub(in crate::resource::relational::mysql) async fn gather(
        rest: BlockReader,
        cancel: &CancellationToken,
    ) -> Result<Self, ResourceError> {
        let schema = SchemaRef::new(arrow_schema::Schema::empty());
        let mut blocks = Self { schema, first: None, rest, cancel: cancel.clone() };
        let Some(first) = blocks.next().await? else {
            return Err(sql_error("there are no rows, and no columns to load them into"));
        };
        blocks.schema = first.schema();
        blocks.first = Some(first);
        Ok(blocks)
    }

    /// The columns of the first block.
    pub(in crate::resource::relational::mysql) fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.schema)
    }

    /// The next block, or `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<RecordBatch>, ResourceError> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        // What broke the stream is reported where it happened.
        let next = async { self.rest.next().await.map_err(|_| ResourceError::Cancelled) };
        match cancellable(&self.cancel, next).await? {
            None => Ok(None),
            Some(Block::Rows(rows)) => Ok(Some(rows)),
            Some(other) => Err(sql_error(format!("the input carries {}; rows expected", other.stream_type()))),
        }
    }
}
