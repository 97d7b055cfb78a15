//! A request's part in a session.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Either, pending, ready};
use uuid::Uuid;

use super::aftermath::Aftermath;
use super::checkpoints::Holding;
use super::kept::Ledger;
use super::lock::Fence;
use super::shared::Shared;
use super::slot::{Farewell, Slot};
use crate::session::clock::Time;
use crate::session::key::SessionKey;
use crate::session::{
    Checkpoints, Departure, EndReason, Interruption, Leaving, Moment, Outcome, Participation, Releasing,
    RequestProgress, SessionError, SessionStreams, StagedAttributes, SystemClock,
};

/// A request's part in a session.
pub(super) struct Part {
    pub(super) shared: Arc<Shared>,
    pub(super) slot: Arc<Slot>,
    pub(super) request: Uuid,
    pub(super) since: Moment,
    /// Until when it may last.
    pub(super) limit: Moment,
    /// Under which it holds the lock; `None` with read access.
    pub(super) fence: Option<Fence>,
    /// Why the session ends with it, if it does.
    pub(super) ends: Option<EndReason>,
    /// With which id it came, if it asked for a new one.
    pub(super) rotated: Option<SessionKey>,
    /// What makes its checkpoints, if there are any.
    pub(super) holding: Option<Arc<Holding>>,
    /// Whether its client was told that it runs.
    pub(super) anchored: AtomicBool,
}

impl Participation for Part {
    fn interrupted(&self) -> BoxFuture<'static, Interruption> {
        Box::pin(Interrupted {
            slot: Arc::clone(&self.slot),
            fence: self.fence,
            alarm: self.shared.clock.sleep_until(self.limit),
            watch: None,
        })
    }

    fn streams(&self) -> Arc<SessionStreams> {
        let streams = self.slot.streams();
        self.shared.watch_streams(&self.slot, &streams);
        streams
    }

    fn report(&self, request: Uuid, activities: Vec<Box<str>>) -> Arc<RequestProgress> {
        let progress = Arc::new(RequestProgress::new(request, activities, Arc::clone(&self.shared.clock)));
        self.slot.report(Arc::clone(&progress));
        progress
    }

    fn anchor(&self) -> BoxFuture<'static, Result<(), SessionError>> {
        let (shared, slot) = (Arc::clone(&self.shared), Arc::clone(&self.slot));
        if self.anchored.swap(true, Ordering::Relaxed) {
            return Box::pin(ready(Ok(())));
        }
        Box::pin(async move { shared.anchor(&slot).await })
    }

    fn checkpoints(&self) -> Option<Arc<dyn Checkpoints>> {
        let holding = Arc::clone(self.holding.as_ref()?);
        Some(holding)
    }

    fn release(self: Box<Self>, leaving: Leaving) -> Releasing {
        match self.holding.clone() {
            Some(holding) => holding.release(self, leaving),
            None => self.release_now_or_written(leaving),
        }
    }
}

impl Part {
    /// Releases the session, when that is written if a store keeps it.
    pub(super) fn release_now_or_written(self: Box<Self>, leaving: Leaving) -> Releasing {
        if self.shared.keeper.is_some() { self.release_kept(leaving) } else { self.release_at_once(leaving) }
    }

    /// Releases the session in memory.
    pub(super) fn release_at_once(&self, leaving: Leaving) -> Releasing {
        Either::Left(ready(self.release_now(leaving)))
    }

    pub(super) fn release_now(&self, leaving: Leaving) -> Result<Departure, SessionError> {
        let Leaving { outcome, staged, remember, ends } = leaving;
        let remember = remember.filter(|_| outcome != Outcome::Withdraw);
        let time = self.shared.time();
        let result = self.make_changes(outcome, staged);
        let outcome = if result.is_ok() { outcome } else { Outcome::Discard };
        self.tell_released(outcome, time);
        // The lock is still held, so the next request comes in after all of this.
        self.weigh_anchor();
        let departure = self.leave(ends.or_else(|| self.end_of_session(outcome, time)), time);
        if let (Some(remember), Ok(())) = (remember, &result) {
            self.shared.remember(&self.slot, remember, &departure);
        }
        result.map(|()| departure)
    }

    /// How many clients were told that it runs: one, or none.
    pub(super) fn anchors(&self) -> u32 {
        u32::from(self.anchored.load(Ordering::Relaxed))
    }

    pub(super) fn weigh_anchor(&self) {
        if self.anchored.swap(false, Ordering::Relaxed) {
            self.slot.note(Ledger::weigh_anchor);
        }
    }

    /// What follows from it that the request is done, while it still has the session.
    pub(super) fn tell_released(&self, outcome: Outcome, time: Time) {
        if let Some(by) = self.rotated.as_ref().filter(|_| outcome != Outcome::Commit) {
            self.slot.rotation_failed(by);
        }
        let held = time.now.since(self.since);
        self.shared.tell(&self.slot, |listener, event| listener.released(event, self.request, outcome, held));
    }

    fn make_changes(&self, outcome: Outcome, staged: StagedAttributes) -> Result<(), SessionError> {
        let (result, dropped) = match (outcome, self.fence) {
            (Outcome::Commit, Some(fence)) => self.slot.commit(fence, staged),
            _ => (Ok(()), self.slot.discard(staged)),
        };
        dropped.close(self.slot.handle);
        result
    }

    /// Why the session ends with the request, if it does.
    pub(super) fn end_of_session(&self, outcome: Outcome, time: Time) -> Option<EndReason> {
        let overran = outcome == Outcome::Discard && self.limit <= time.now;
        match self.ends {
            Some(EndReason::Terminated) if outcome == Outcome::Withdraw => None,
            None if overran && self.slot.policy.settings.join.overrun_ends => Some(EndReason::Killed),
            ends => ends,
        }
    }

    fn leave(&self, ends: Option<EndReason>, time: Time) -> Departure {
        let mut aftermath = Aftermath::default();
        let farewell = match self.fence {
            Some(fence) => self.slot.leave(fence, ends, time, &mut aftermath),
            None => self.slot.leave_reading(time, &mut aftermath),
        };
        self.shared.settle(&self.slot, aftermath);
        match farewell {
            Farewell::Alive => self.departure(time),
            Farewell::Ended(reason) => Departure { ended: Some(reason), ..Departure::default() },
            Farewell::Lost => Departure::default(),
        }
    }
}

impl Part {
    /// How the session stands that stays when it is released at that time.
    pub(super) fn departure(&self, time: Time) -> Departure {
        Departure {
            idle_expires: self.slot.idle_expiry(time),
            lifetime_expires: time.wall_at(self.slot.lifetime),
            ended: None,
        }
    }
}

/// Resolves when a request has to stop.
struct Interrupted {
    slot: Arc<Slot>,
    fence: Option<Fence>,
    alarm: BoxFuture<'static, ()>,
    watch: Option<u64>,
}

impl Future for Interrupted {
    type Output = Interruption;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Interruption> {
        let this = &mut *self;
        if let Some(interruption) = this.slot.watch(this.fence, &mut this.watch, context.waker()) {
            return Poll::Ready(interruption);
        }
        this.alarm.poll_unpin(context).map(|()| Interruption::ExecutionLimit)
    }
}

impl Drop for Interrupted {
    fn drop(&mut self) {
        if let Some(watch) = self.watch {
            drop(self.slot.forget_watcher(watch));
        }
    }
}

/// A request that ends a session that has ended: there is nothing to take part in.
pub(super) struct Detached {
    pub(super) reason: EndReason,
}

impl Participation for Detached {
    fn interrupted(&self) -> BoxFuture<'static, Interruption> {
        Box::pin(pending())
    }

    fn streams(&self) -> Arc<SessionStreams> {
        Arc::new(SessionStreams::of_ended_session())
    }

    fn report(&self, request: Uuid, activities: Vec<Box<str>>) -> Arc<RequestProgress> {
        Arc::new(RequestProgress::new(request, activities, Arc::new(SystemClock)))
    }

    fn release(self: Box<Self>, _leaving: Leaving) -> Releasing {
        let departure = Departure { ended: Some(self.reason), ..Departure::default() };
        Either::Left(ready(Ok(departure)))
    }
}
