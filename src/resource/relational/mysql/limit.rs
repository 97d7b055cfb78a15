use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::block::BlockWriter;
use crate::resource::ResourceError;

/// What a statement is bound by: whether anybody still wants it, and for how long it may go on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit<'a> {
    pub(super) cancel: &'a CancellationToken,
    pub(super) time: Option<Duration>,
    /// Where its rows go: it is over when nobody reads them any more.
    pub(super) reader: Option<&'a BlockWriter>,
}

impl Limit<'_> {
    /// Waits for a statement, as long as it may take. Who gives up has the statement stopped in the server.
    pub(super) async fn keep<T>(
        &self,
        work: impl Future<Output = Result<T, ResourceError>>,
    ) -> Result<T, ResourceError> {
        tokio::select! {
            biased;
            done = work => done,
            error = self.over() => Err(error),
        }
    }

    /// Returns when it is over, and why.
    pub(super) async fn over(&self) -> ResourceError {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => ResourceError::Cancelled,
            () = self.reader_gone() => ResourceError::Cancelled,
            error = self.time_out() => error,
        }
    }

    async fn reader_gone(&self) {
        match self.reader {
            None => std::future::pending().await,
            Some(reader) => reader.closed().await,
        }
    }

    async fn time_out(&self) -> ResourceError {
        match self.time {
            None => std::future::pending().await,
            Some(time) => {
                tokio::time::sleep(time).await;
                ResourceError::TimedOut {
                    message: format!("the statement took longer than {} ms, and was stopped", time.as_millis()),
                }
            }
        }
    }
}
