//! Cursors: queries whose rows are fetched as they are wanted.
//!
//! Outside of a transaction a cursor has a connection of its own, on which its rows come one after the other: what nobody has
//! fetched waits in the server, but for some blocks. In the transaction of a session that connection is needed for the next
//! statement, and so the rows are read at once, and kept: the first in memory, many in a file.

use std::collections::VecDeque;
use std::fmt;

use arrow_array::RecordBatch;
use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::kept::KeptRows;
use super::limit::Limit;
use super::pool::cancellable;
use crate::block::{Block, BlockReader, BlockWriter};
use crate::resource::ResourceError;
use crate::resource::relational::{CursorOptions, Fetch, FetchEnd, FetchFrom, QueryEnd, RowCursor};

/// A forward cursor.
pub(super) struct MySqlCursor {
    state: Mutex<State>,
    time: Option<std::time::Duration>,
}

enum State {
    Open(Rows),
    Closed,
}

/// The rows that were not fetched yet.
struct Rows {
    /// Those that are here already.
    here: VecDeque<RecordBatch>,
    /// Those behind them.
    rest: Rest,
    /// A block without rows, for the fetch that finds none.
    empty: RecordBatch,
}

/// Rows that are not here yet.
enum Rest {
    /// They come from the server.
    Coming(Coming),
    /// They were read ahead.
    Kept(KeptRows),
}

struct Coming {
    reader: BlockReader,
    query: JoinHandle<Result<QueryEnd, ResourceError>>,
    /// Stops the query when it is dropped.
    _stop: DropGuard,
}

impl Coming {
    /// The next block, or `None` at the end.
    async fn next(&mut self) -> Result<Option<RecordBatch>, ResourceError> {
        match self.reader.next().await {
            Ok(Some(Block::Rows(rows))) => Ok(Some(rows)),
            Ok(Some(_)) | Err(_) => Err(self.failure().await),
            Ok(None) => Ok(None),
        }
    }

    async fn failure(&mut self) -> ResourceError {
        match (&mut self.query).await {
            Ok(Err(error)) => error,
            Ok(Ok(_)) => ResourceError::Cancelled,
            Err(error) => ResourceError::Unavailable { message: format!("the query of a cursor broke off: {error}") },
        }
    }
}

/// Cursors of MariaDB go forward.
pub(super) fn check_options(options: CursorOptions) -> Result<(), ResourceError> {
    if options.scrollable {
        return Err(ResourceError::unsupported(
            "cursors of MariaDB go forward only: open one without `scrollable`, or keep the rows in the session",
        ));
    }
    Ok(())
}

impl MySqlCursor {
    /// A cursor over a query that runs as a task and writes into that pipe. Returns when its first rows are there.
    pub(super) async fn open(
        reader: BlockReader,
        query: JoinHandle<Result<QueryEnd, ResourceError>>,
        stop: DropGuard,
        limit: &Limit<'_>,
    ) -> Result<Self, ResourceError> {
        let mut coming = Coming { reader, query, _stop: stop };
        // A query always sends a block.
        let first = limit.keep(coming.next()).await?.ok_or(ResourceError::Cancelled)?;
        let rows = Rows { empty: first.slice(0, 0), here: VecDeque::from([first]), rest: Rest::Coming(coming) };
        Ok(Self { state: Mutex::new(State::Open(rows)), time: limit.time })
    }

    /// A cursor over rows that were read ahead.
    pub(super) async fn over(rows: KeptRows) -> Result<Self, ResourceError> {
        let (rest, first) = rows.pop().await?;
        // A query always sends a block.
        let first = first.ok_or(ResourceError::Cancelled)?;
        let rows = Rows { empty: first.slice(0, 0), here: VecDeque::from([first]), rest: Rest::Kept(rest) };
        Ok(Self { state: Mutex::new(State::Open(rows)), time: None })
    }
}

/// Reads all rows of a query, and keeps them.
pub(super) async fn gather(mut reader: BlockReader) -> Result<KeptRows, ResourceError> {
    let mut kept = KeptRows::default();
    // What breaks the stream is reported by the query.
    while let Ok(Some(Block::Rows(rows))) = reader.next().await {
        kept = kept.push(rows).await?;
    }
    Ok(kept)
}

impl Rows {
    /// Sends that many rows, and gives how many there were.
    async fn send(&mut self, wanted: u64, output: &BlockWriter) -> Result<u64, ResourceError> {
        let mut sent = 0;
        let mut has_sent = false;
        while sent < wanted {
            let Some(rows) = self.next().await? else { break };
            let room = usize::try_from(wanted - sent).unwrap_or(usize::MAX);
            let (now, later) = if rows.num_rows() > room {
                (rows.slice(0, room), Some(rows.slice(room, rows.num_rows() - room)))
            } else {
                (rows, None)
            };
            if let Some(later) = later {
                self.here.push_front(later);
            }
            if now.num_rows() == 0 {
                continue;
            }
            sent += now.num_rows() as u64;
            has_sent = true;
            output.send(Block::Rows(now)).await.map_err(|_| ResourceError::Cancelled)?;
        }
        if !has_sent {
            output.send(Block::Rows(self.empty.clone())).await.map_err(|_| ResourceError::Cancelled)?;
        }
        Ok(sent)
    }

    async fn next(&mut self) -> Result<Option<RecordBatch>, ResourceError> {
        if let Some(rows) = self.here.pop_front() {
            return Ok(Some(rows));
        }
        match &mut self.rest {
            Rest::Coming(coming) => coming.next().await,
            Rest::Kept(kept) => {
                let (rest, rows) = std::mem::take(kept).pop().await?;
                *kept = rest;
                Ok(rows)
            }
        }
    }
}

#[async_trait]
impl RowCursor for MySqlCursor {
    async fn fetch(
        &self,
        fetch: Fetch,
        output: BlockWriter,
        cancel: CancellationToken,
    ) -> Result<FetchEnd, ResourceError> {
        if fetch.from != FetchFrom::Next {
            return Err(ResourceError::unsupported("a cursor of MariaDB goes forward only: fetch the next rows"));
        }
        let mut state = cancellable(&cancel, async { Ok(self.state.lock().await) }).await?;
        // Whoever is cancelled leaves it closed.
        let State::Open(mut rows) = std::mem::replace(&mut *state, State::Closed) else {
            return Err(super::error::sql("the cursor is closed"));
        };
        let limit = Limit { cancel: &cancel, time: self.time, reader: Some(&output), stopper: None };
        let sent = limit.keep(rows.send(fetch.rows, &output)).await?;
        let at_end = sent < fetch.rows;
        *state = State::Open(rows);
        drop(state);
        output.finish().await;
        Ok(FetchEnd { rows: sent, at_end })
    }

    async fn close(&self) -> Result<(), ResourceError> {
        let closed = std::mem::replace(&mut *self.state.lock().await, State::Closed);
        if let State::Open(Rows { rest: Rest::Coming(Coming { reader, query, _stop: stop }), .. }) = closed {
            drop((reader, stop));
            // What it says now is that it was stopped.
            let _ = query.await;
        }
        Ok(())
    }
}

impl fmt::Debug for MySqlCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlCursor").finish_non_exhaustive()
    }
}
