use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::control::Control;
use crate::block::{Block, BlockWriter, NotSent};
use crate::resource::ResourceError;

/// How much is kept of a query whose reader does not take it while others wait for the connection.
const HELD_BYTES: usize = 64 * 1024 * 1024;

/// How often somebody who can't go on looks whether others wait for him.
const LOOK: Duration = Duration::from_millis(10);

/// Where the blocks of a query go.
///
/// The statements of a transaction share one connection. A query whose reader does not read, because he waits for another
/// statement, would keep that statement from its turn for ever: so it keeps its blocks for a while, and lets the other go first.
#[derive(Debug)]
pub(super) struct Outlet<'a> {
    output: &'a BlockWriter,
    /// How many others wait for the connection; without it, nobody does.
    waiting: Option<&'a AtomicUsize>,
    held: VecDeque<Block>,
    held_bytes: usize,
}

impl<'a> Outlet<'a> {
    /// For a query that has a connection for itself.
    pub(super) fn alone(output: &'a BlockWriter) -> Self {
        Self { output, waiting: None, held: VecDeque::new(), held_bytes: 0 }
    }

    /// For a query on a connection for which so many others wait.
    pub(super) fn sharing(output: &'a BlockWriter, waiting: &'a AtomicUsize) -> Self {
        Self { waiting: Some(waiting), ..Self::alone(output) }
    }

    /// Returns once the reader has gone.
    pub(super) async fn closed(&self) {
        self.output.closed().await;
    }

    /// Sends a block, or keeps it.
    pub(super) async fn send(&mut self, block: Block, control: &Control) -> Result<(), ResourceError> {
        let block = if self.held.is_empty() {
            match self.output.try_send(block) {
                Ok(()) => return Ok(()),
                Err(NotSent::ReaderGone) => return Err(ResourceError::Cancelled),
                Err(NotSent::Full(block)) => block,
            }
        } else {
            block
        };
        self.hold(block)?;
        let Some(waiting) = self.waiting else { return self.flush(control).await };
        while !self.held.is_empty() && waiting.load(Ordering::Acquire) == 0 {
            let first = self.held.front().cloned();
            let sent = async {
                tokio::select! {
                    biased;
                    room = self.output.reserve() => room.map(|room| first.map(|block| room.send(block)).is_some()),
                    () = tokio::time::sleep(LOOK) => Ok(false),
                }
            };
            if control.wait(sent).await?.map_err(|_| ResourceError::Cancelled)? {
                self.let_go();
            }
        }
        Ok(())
    }

    fn hold(&mut self, block: Block) -> Result<(), ResourceError> {
        self.held_bytes += block.byte_size();
        self.held.push_back(block);
        if self.waiting.is_none() || self.held_bytes <= HELD_BYTES {
            return Ok(());
        }
        Err(ResourceError::unsupported(
            "in a transaction, another statement waits for a query of which more than 64 MiB are left to read; read it to its end \
             first, or run it outside of the transaction",
        ))
    }

    fn let_go(&mut self) {
        if let Some(block) = self.held.pop_front() {
            self.held_bytes -= block.byte_size().min(self.held_bytes);
        }
    }

    /// Sends all that is kept.
    pub(super) async fn flush(&mut self, control: &Control) -> Result<(), ResourceError> {
        while let Some(block) = self.held.pop_front() {
            control.wait(self.output.send(block)).await?.map_err(|_| ResourceError::Cancelled)?;
        }
        self.held_bytes = 0;
        Ok(())
    }
}
