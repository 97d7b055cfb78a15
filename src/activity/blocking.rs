//! Work of activities that would hold up others on the threads of the async runtime.

use super::ActivityError;

/// Does work on a thread that may block, and waits for it. Work that was begun is done to its end, even if nobody waits any
/// more.
pub(super) async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ActivityError> + Send + 'static,
) -> Result<T, ActivityError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(ActivityError::server("Internal", format!("the work of an activity has failed: {error}"))),
    }
}
