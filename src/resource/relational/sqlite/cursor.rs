//! A cursor: a query that waits on a held connection for whoever fetches from it.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::held::{CursorCall, HeldConnection, gone, serve_cursor};
use crate::block::BlockWriter;
use crate::resource::ResourceError;
use crate::resource::relational::{CursorOptions, Fetch, FetchEnd, FetchFrom, RowCursor, Statement};

/// An open cursor, on the connection of its transaction or on one of its own.
pub(super) struct SqliteCursor {
    /// `None` when it is closed.
    calls: AsyncMutex<Option<mpsc::Sender<CursorCall>>>,
    _held: Arc<HeldConnection>,
}

impl SqliteCursor {
    pub(super) async fn open(
        held: Arc<HeldConnection>,
        statement: Statement,
        options: CursorOptions,
        cancel: CancellationToken,
    ) -> Result<Self, ResourceError> {
        if options.scrollable {
            return Err(forward_only());
        }
        let cancel = cancel.child_token();
        let stop = cancel.clone().drop_guard();
        let (sender, calls) = mpsc::channel(1);
        let (opened, ready) = oneshot::channel();
        held.start(move |desk| Box::pin(serve_cursor(desk, statement, calls, opened, cancel))).await?;
        ready.await.unwrap_or_else(|_| Err(gone()))?;
        stop.disarm();
        Ok(Self { calls: AsyncMutex::new(Some(sender)), _held: held })
    }
}

#[async_trait]
impl RowCursor for SqliteCursor {
    async fn fetch(
        &self,
        fetch: Fetch,
        output: BlockWriter,
        cancel: CancellationToken,
    ) -> Result<FetchEnd, ResourceError> {
        if fetch.from != FetchFrom::Next {
            return Err(forward_only());
        }
        let mut slot = self.calls.lock().await;
        // A fetch that does not come to its end leaves the cursor closed.
        let calls = slot.take().ok_or_else(closed)?;
        let cancel = cancel.child_token();
        let _stop = cancel.clone().drop_guard();
        let (done, end) = oneshot::channel();
        let call = CursorCall { rows: fetch.rows, output, cancel, done };
        calls.send(call).await.map_err(|_| closed())?;
        let end = end.await.unwrap_or_else(|_| Err(closed()))?;
        if !end.at_end {
            *slot = Some(calls);
        }
        Ok(end)
    }

    async fn close(&self) -> Result<(), ResourceError> {
        *self.calls.lock().await = None;
        Ok(())
    }
}

impl fmt::Debug for SqliteCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqliteCursor")
    }
}

fn forward_only() -> ResourceError {
    ResourceError::unsupported(
        "cursors of SQLite go forward only: leave out where to begin, or sort the other way round",
    )
}

fn closed() -> ResourceError {
    super::error::sql(
        "the cursor is closed: it was read to its end, a fetch was broken off, or its transaction is over",
    )
}
