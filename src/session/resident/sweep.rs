//! Tidying up: sessions that are over give back their memory and what they hold, whether anybody asks for them or not.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::Duration;

use futures_util::future::select;

use super::aftermath::Aftermath;
use super::shared::Shared;
use crate::session::Clock;
use crate::session::clock::Time;

/// No sweeps follow each other faster.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

impl Shared {
    /// Looks at some of the sessions that may be over at that time: few, so that a million that are over together delay nobody.
    /// Answers whether there may be more, and how many were.
    pub(super) fn sweep_some(&self, time: Time) -> (bool, usize) {
        let (mut any, mut ended) = (false, 0);
        for slot in self.deadlines.take_due(time.now) {
            let mut aftermath = Aftermath::default();
            slot.visit(time, &mut aftermath, |moment| self.deadlines.insert(moment, &slot));
            any = true;
            ended += usize::from(aftermath.ending.is_some());
            self.settle(&slot, aftermath);
        }
        (any, ended)
    }

    /// Takes the lock from requests whose sessions have ended and whose own time is over, and forgets old tombstones.
    pub(super) fn sweep_rest(&self, time: Time) {
        let waiting = std::mem::take(&mut *self.closing.lock());
        for slot in waiting {
            let mut aftermath = Aftermath::default();
            let done = slot.force(time, &mut aftermath);
            self.settle(&slot, aftermath);
            if !done {
                self.closing.lock().push(slot);
            }
        }
        self.tombstones.lock().purge(time.now);
        self.implicit_tombstones.lock().purge(time.now);
        self.answers.lock().purge(time.now);
    }

    /// Everything that is over at this moment. Answers how many sessions were.
    pub(super) fn sweep(&self) -> usize {
        let time = self.time();
        let mut all = 0;
        loop {
            let (more, ended) = self.sweep_some(time);
            all += ended;
            if !more {
                break;
            }
        }
        self.sweep_rest(time);
        self.notify(|listener| listener.swept(all));
        all
    }
}

/// Sweeps again and again as long as the manager lives.
pub(super) async fn maintain(shared: Weak<Shared>, clock: Arc<dyn Clock>) {
    while let Some(manager) = shared.upgrade() {
        let mut all = 0;
        loop {
            let (more, ended) = manager.sweep_some(manager.time());
            all += ended;
            if !more {
                break;
            }
            // Other threads first, if this core has any that wait; then the other tasks of this one.
            std::thread::yield_now();
            pause().await;
        }
        manager.sweep_rest(manager.time());
        all += manager.make_round(manager.time()).await;
        manager.notify(|listener| listener.swept(all));
        let polling_time = manager.policy.read().settings.polling_time.max(SHORTEST_PAUSE);
        let reconfigured = Arc::clone(&manager.reconfigured);
        drop(manager);
        // A polling time that has become shorter counts at once.
        select(clock.sleep_until(clock.now().after(polling_time)), pin!(reconfigured.notified())).await;
    }
}

/// Lets other tasks run.
pub(super) async fn pause() {
    let mut yielded = false;
    poll_fn(|context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
