use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::resource::ResourceError;

/// What a statement is bound by: whether anybody still wants it, and for how long it may go on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit<'a> {
    pub(super) cancel: &'a CancellationToken,
    pub(super) time: Option<Duration>,
}

impl Limit<'_> {
    /// Waits for a statement, as long as it may take. Who gives up has the statement stopped in the server.
    pub(super) async fn keep<T>(
        &self,
        work: impl Future<Output = Result<T, ResourceError>>,
    ) -> Result<T, ResourceError> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(ResourceError::Cancelled),
            done = work => done,
            error = self.time_out() => Err(error),
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
