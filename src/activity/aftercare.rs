//! What has to be done after a request, whatever became of it.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};
use tracing::Instrument;
use uuid::Uuid;

/// So many names are remembered of what was settled: those of the last ones.
const REMEMBERED: usize = 65_536;

/// Work that outlives its request: a job of a remote service that is cancelled when the request is, say. The service sees it
/// through before it ends, for as long as it has time. A clone is the same.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use rejoin::activity::Aftercare;
///
/// let aftercare = Aftercare::default();
/// let work = aftercare.spawn(async { 7 });
/// aftercare.done().await;
/// assert_eq!(work.await.unwrap(), 7);
/// # });
/// ```
#[derive(Clone, Default)]
pub struct Aftercare(Arc<Shared>);

#[derive(Default)]
struct Shared {
    running: AtomicUsize,
    /// Rings when nothing runs any more.
    idle: Notify,
    settled: Mutex<Settled>,
    /// The service ends.
    stopping: CancellationToken,
    place: Mutex<Place>,
}

/// Where work is done that comes from no task.
#[derive(Default)]
struct Place {
    runtime: Option<Handle>,
    /// What waits for it.
    waiting: Vec<BoxFuture<'static, ()>>,
}

/// Names, the oldest of which are forgotten.
#[derive(Debug, Default)]
struct Settled {
    names: HashSet<Uuid>,
    order: VecDeque<Uuid>,
}

impl Aftercare {
    /// Does work in a task of its own, which nobody cancels but the end of the process. The work bounds its time itself.
    pub fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        let counted = self.count();
        let work = async move {
            let _counted = counted;
            work.await
        };
        tokio::spawn(work.in_current_span())
    }

    /// Leaves work to be done, from wherever: in the runtime of the service, as soon as that is served.
    pub fn leave(&self, work: impl Future<Output = ()> + Send + 'static) {
        let counted = self.count();
        let work = async move {
            let _counted = counted;
            work.await;
        };
        let mut place = self.0.place.lock();
        match place.runtime.clone().or_else(|| Handle::try_current().ok()) {
            Some(runtime) => drop(runtime.spawn(work.in_current_span())),
            None => place.waiting.push(Box::pin(work)),
        }
    }

    /// The service is served, in the runtime of the caller: what was left before is done now.
    pub fn attend(&self) {
        let runtime = Handle::current();
        let mut place = self.0.place.lock();
        for work in std::mem::take(&mut place.waiting) {
            drop(runtime.spawn(work));
        }
        place.runtime = Some(runtime);
    }

    /// The service ends and waits no longer: tells what goes on so, while the requests that it belongs to still hold their sessions.
    pub fn stop(&self) {
        self.0.stopping.cancel();
    }

    /// Returns once the service ends: what is left to be done has to come to its end.
    pub fn stopping(&self) -> WaitForCancellationFuture<'_> {
        self.0.stopping.cancelled()
    }

    fn count(&self) -> Counted {
        self.0.running.fetch_add(1, Ordering::SeqCst);
        Counted(Arc::clone(&self.0))
    }

    /// Returns once nothing runs.
    pub async fn done(&self) {
        loop {
            let idle = self.0.idle.notified();
            if self.0.running.load(Ordering::SeqCst) == 0 {
                return;
            }
            idle.await;
        }
    }

    /// Settles what has that name: answers whether nobody has before. Of several who could do the same thing, one does it.
    #[must_use]
    pub fn settle(&self, name: Uuid) -> bool {
        let mut settled = self.0.settled.lock();
        let is_first = settled.names.insert(name);
        if is_first {
            settled.order.push_back(name);
        }
        if settled.order.len() > REMEMBERED
            && let Some(oldest) = settled.order.pop_front()
        {
            settled.names.remove(&oldest);
        }
        is_first
    }

    /// Whether somebody has settled what has that name.
    #[must_use]
    pub fn is_settled(&self, name: Uuid) -> bool {
        self.0.settled.lock().names.contains(&name)
    }
}

impl fmt::Debug for Aftercare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aftercare").field("running", &self.0.running).finish_non_exhaustive()
    }
}

/// A piece of work, as long as it lasts.
struct Counted(Arc<Shared>);

impl Drop for Counted {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn work_is_waited_for_though_nobody_else_waits() {
        let aftercare = Aftercare::default();
        aftercare.done().await;
        let (go, gone) = oneshot::channel::<()>();
        let (told, done) = oneshot::channel();
        drop(aftercare.spawn(async move {
            gone.await.unwrap();
            told.send(7).unwrap();
        }));
        go.send(()).unwrap();
        aftercare.done().await;
        assert_eq!(done.await, Ok(7));
    }

    #[test]
    fn one_settles_what_several_could() {
        let aftercare = Aftercare::default();
        let name = Uuid::from_u128(1);
        assert!(!aftercare.is_settled(name));
        assert!(aftercare.settle(name));
        assert!(!aftercare.clone().settle(name) && aftercare.is_settled(name));
        for other in 2..=u128::try_from(REMEMBERED).unwrap() + 1 {
            assert!(aftercare.settle(Uuid::from_u128(other)));
        }
        assert!(!aftercare.is_settled(name), "the oldest is forgotten");
    }
}
