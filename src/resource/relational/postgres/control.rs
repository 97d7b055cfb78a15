//! What may end a statement before its time.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::resource::ResourceError;

/// How much longer than the server itself we wait for a statement that has a time limit: the server stops it more gently.
const GRACE: Duration = Duration::from_secs(1);

/// Whoever wants a statement to stop, and when it has to.
#[derive(Debug, Clone)]
pub(super) struct Control {
    cancel: CancellationToken,
    limit: Option<(Option<Instant>, Duration)>,
}

impl Control {
    /// A statement begins now, and may take so long.
    pub(super) fn new(cancel: CancellationToken, limit: Option<Duration>) -> Self {
        let limit = limit.map(|limit| (Instant::now().checked_add(limit.saturating_add(GRACE)), limit));
        Self { cancel, limit }
    }

    /// Another statement begins now, with the same limit.
    pub(super) fn again(&self, cancel: CancellationToken) -> Self {
        Self::new(cancel, self.limit.map(|(_, limit)| limit))
    }

    pub(super) fn cancel(&self) -> &CancellationToken {
        &self.cancel
    }

    /// Waits for something, unless the statement has to stop first.
    pub(super) async fn wait<T>(&self, work: impl Future<Output = T>) -> Result<T, ResourceError> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(ResourceError::Cancelled),
            result = work => Ok(result),
            error = self.timed_out() => Err(error),
        }
    }

    async fn timed_out(&self) -> ResourceError {
        let Some((Some(moment), limit)) = self.limit else { return std::future::pending().await };
        tokio::time::sleep_until(moment).await;
        ResourceError::TimedOut {
            message: format!("the statement took longer than {} s, which is the limit", limit.as_secs_f64()),
        }
    }
}
