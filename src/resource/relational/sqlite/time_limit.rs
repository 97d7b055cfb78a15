//! How long a statement may take.

use std::pin::pin;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::resource::ResourceError;

/// Runs a statement, which is handed a token of its own: it is cancelled when this is dropped, and when the time is over. Then
/// the statement has stopped before anybody hears of it.
///
/// # Errors
///
/// [`ResourceError::TimedOut`], or whatever the statement answers.
pub(super) async fn within<T, F>(
    limit: Option<Duration>,
    cancel: &CancellationToken,
    statement: impl FnOnce(CancellationToken) -> F,
) -> Result<T, ResourceError>
where
    F: Future<Output = Result<T, ResourceError>>,
{
    let token = cancel.child_token();
    let _stop = token.clone().drop_guard();
    let mut running = pin!(statement(token.clone()));
    let Some(limit) = limit else { return running.await };
    tokio::select! {
        biased;
        done = &mut running => return done,
        () = tokio::time::sleep(limit) => token.cancel(),
    }
    match running.await {
        Err(ResourceError::Cancelled) => Err(ResourceError::TimedOut {
            message: format!("the statement took longer than {} ms, and was stopped", limit.as_millis()),
        }),
        done => done,
    }
}
