use std::fmt;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::block::BlockWriter;
use crate::document::activities::FetchFrom;
use crate::resource::ResourceError;

/// How a cursor is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CursorOptions {
    /// Whether it can go back and jump.
    pub scrollable: bool,
}

/// Which rows a fetch wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetch {
    /// Where it begins.
    pub from: FetchFrom,
    /// How many rows it wants at the most.
    pub rows: u64,
}

/// What a fetch has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchEnd {
    /// How many rows it gave.
    pub rows: u64,
    /// Whether there is none behind them. It may not be known before a fetch that gives fewer than were wanted.
    pub at_end: bool,
}

/// An open cursor: a query whose rows are fetched as they are wanted, never all of them at once.
///
/// One that is dropped is closed. One of a transaction is closed with it.
#[async_trait]
pub trait RowCursor: Send + Sync + fmt::Debug {
    /// Sends the rows that were asked for into `output`, as a query does. One fetch runs at a time; others wait.
    ///
    /// # Errors
    ///
    /// As [`SqlExecutor::query`](super::SqlExecutor::query); [`ResourceError::Unsupported`] for a place that a forward cursor
    /// can't go to. A fetch that was cancelled leaves the cursor closed, because nobody knows where it stands.
    async fn fetch(
        &self,
        fetch: Fetch,
        output: BlockWriter,
        cancel: CancellationToken,
    ) -> Result<FetchEnd, ResourceError>;

    /// Closes the cursor and gives its connection back. Closing a closed one does nothing.
    ///
    /// # Errors
    ///
    /// Whatever the database says to it; the cursor is closed all the same.
    async fn close(&self) -> Result<(), ResourceError>;
}
