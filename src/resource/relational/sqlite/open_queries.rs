use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::resource::ResourceError;

/// How many queries may be open in this process.
const IN_THIS_PROCESS: usize = 128;

/// How many queries may be open at a time: running, waiting for a place, or waiting for their readers.
///
/// An open query holds a thread that may block while its reader keeps it waiting. The runtime has a bounded number of
/// them (512), which spooling and compression need too, so the bound is one for all databases of the process. Who finds
/// none free waits, in the order of arrival, and gives up when for a while nobody became free at all.
///
/// ```
/// use rejoin::resource::relational::sqlite::{OpenQueries, SqliteSettings};
///
/// let few = SqliteSettings { open_queries: OpenQueries::at_most(4), ..SqliteSettings::default() };
/// # drop(few);
/// ```
#[derive(Clone)]
pub struct OpenQueries {
    shared: Arc<Shared>,
}

struct Shared {
    limit: usize,
    free: Arc<Semaphore>,
    /// When a query was done most recently: a sign that those who wait will be served.
    last_done: Mutex<Option<Instant>>,
}

impl OpenQueries {
    /// The bound that all databases of this process share: 128.
    #[must_use]
    pub fn of_this_process() -> Self {
        static SHARED: LazyLock<OpenQueries> = LazyLock::new(|| OpenQueries::at_most(IN_THIS_PROCESS));
        SHARED.clone()
    }

    /// A bound of one's own; at least one query may be open.
    #[must_use]
    pub fn at_most(limit: usize) -> Self {
        let limit = limit.clamp(1, Semaphore::MAX_PERMITS);
        let free = Arc::new(Semaphore::new(limit));
        Self { shared: Arc::new(Shared { limit, free, last_done: Mutex::default() }) }
    }

    /// Waits until one more query may be open.
    ///
    /// Gives up as [`ResourceError::Busy`] when no query was done for as long as `patience`: while others are done, the
    /// queue moves and the wait has an end.
    pub(super) async fn enter(
        &self,
        patience: Duration,
        cancel: &CancellationToken,
    ) -> Result<OpenQuery, ResourceError> {
        // There is nothing free while anybody waits, so this overtakes nobody.
        if let Ok(permit) = Arc::clone(&self.shared.free).try_acquire_owned() {
            return Ok(self.opened(permit));
        }
        let arrived = Instant::now();
        let mut turn = std::pin::pin!(Arc::clone(&self.shared.free).acquire_owned());
        let mut deadline = arrived + patience;
        loop {
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(ResourceError::Cancelled),
                permit = &mut turn => return permit.map(|permit| self.opened(permit)).map_err(|_| self.busy()),
                () = tokio::time::sleep_until(deadline) => {
                    let last_done = *self.shared.last_done.lock();
                    deadline = later_deadline(deadline, last_done, patience).ok_or_else(|| self.busy())?;
                }
            }
        }
    }

    fn opened(&self, permit: OwnedSemaphorePermit) -> OpenQuery {
        OpenQuery { shared: Arc::clone(&self.shared), _permit: permit }
    }

    fn busy(&self) -> ResourceError {
        ResourceError::Busy {
            message: format!("{} queries are open, and none of them makes way; try again", self.shared.limit),
        }
    }
}

impl fmt::Debug for OpenQueries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenQueries")
            .field("limit", &self.shared.limit)
            .field("free", &self.shared.free.available_permits())
            .finish()
    }
}

/// Until when to wait on when a deadline has passed, or `None` when nobody was done for too long.
fn later_deadline(passed: Instant, last_done: Option<Instant>, patience: Duration) -> Option<Instant> {
    last_done.map(|done| done + patience).filter(|deadline| *deadline > passed)
}

/// The right to be an open query; given back when dropped.
pub(super) struct OpenQuery {
    shared: Arc<Shared>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for OpenQuery {
    fn drop(&mut self) {
        // Before the permit is given back, so that nobody who waits misses the sign.
        *self.shared.last_done.lock() = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_mins(1);

    async fn enter(open: &OpenQueries) -> Result<OpenQuery, ResourceError> {
        open.enter(PATIENCE, &CancellationToken::new()).await
    }

    #[tokio::test]
    async fn who_waits_is_served_in_the_order_of_arrival() {
        let open = OpenQueries::at_most(1);
        let first = enter(&open).await.unwrap();
        let mut second = Box::pin(enter(&open));
        let mut third = Box::pin(enter(&open));
        assert!(futures_util::poll!(&mut second).is_pending());
        assert!(futures_util::poll!(&mut third).is_pending());
        drop(first);
        assert!(futures_util::poll!(&mut third).is_pending());
        let second = second.await.unwrap();
        assert!(futures_util::poll!(&mut third).is_pending());
        drop(second);
        third.await.unwrap();
    }

    #[tokio::test]
    async fn who_waits_gives_up_when_nobody_is_done_in_time() {
        let open = OpenQueries::at_most(1);
        let _first = enter(&open).await.unwrap();
        let (since, patience) = (Instant::now(), Duration::from_millis(20));
        let error = open.enter(patience, &CancellationToken::new()).await.err().unwrap();
        assert!(matches!(error, ResourceError::Busy { .. }), "{error:?}");
        assert!(since.elapsed() >= patience);
    }

    #[test]
    fn who_waits_goes_on_waiting_while_others_are_done() {
        let arrived = Instant::now();
        let deadline = arrived + PATIENCE;
        let second = Duration::from_secs(1);
        assert_eq!(later_deadline(deadline, None, PATIENCE), None);
        assert_eq!(later_deadline(deadline, Some(arrived - second), PATIENCE), None, "that was before the wait");
        let moved = deadline + second;
        assert_eq!(later_deadline(deadline, Some(arrived + second), PATIENCE), Some(moved));
        assert_eq!(later_deadline(moved, Some(arrived + second), PATIENCE), None);
    }

    #[tokio::test]
    async fn who_leaves_the_queue_is_skipped() {
        let open = OpenQueries::at_most(1);
        let first = enter(&open).await.unwrap();
        let cancel = CancellationToken::new();
        let mut second = Box::pin(open.enter(PATIENCE, &cancel));
        assert!(futures_util::poll!(&mut second).is_pending());
        let mut third = Box::pin(enter(&open));
        assert!(futures_util::poll!(&mut third).is_pending());
        cancel.cancel();
        assert_eq!(second.await.err(), Some(ResourceError::Cancelled));
        drop(first);
        third.await.unwrap();
    }
}
