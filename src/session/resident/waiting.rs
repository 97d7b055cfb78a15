//! Waiting for a session that another request holds.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::aftermath::Aftermath;
use super::lock::Ticket;
use super::shared::Shared;
use super::slot::{Grant, Slot};
use crate::session::{Moment, SessionError};

/// A place in the queue for a session. Dropping it leaves the queue, or hands on what it was handed.
pub(super) struct Place {
    shared: Arc<Shared>,
    slot: Arc<Slot>,
    ticket: Ticket,
    request: Uuid,
    /// Whether the wait is over.
    left: bool,
}

impl Place {
    pub(super) fn new(shared: Arc<Shared>, slot: Arc<Slot>, ticket: Ticket, request: Uuid) -> Self {
        shared.waiters.fetch_add(1, Ordering::Relaxed);
        Self { shared, slot, ticket, request, left: false }
    }

    /// Waits for the lock, until `deadline` at the latest.
    pub(super) async fn wait(mut self, deadline: Moment) -> Result<Grant, SessionError> {
        let mut alarm = self.alarm(deadline);
        poll_fn(|context| self.poll(context, &mut alarm, deadline)).await
    }

    fn poll(
        &mut self,
        context: &mut Context<'_>,
        alarm: &mut BoxFuture<'static, ()>,
        deadline: Moment,
    ) -> Poll<Result<Grant, SessionError>> {
        loop {
            if let Some(result) = self.look(context, deadline) {
                self.left = true;
                return Poll::Ready(result);
            }
            if alarm.poll_unpin(context).is_pending() {
                return Poll::Pending;
            }
            *alarm = self.alarm(deadline);
        }
    }

    /// One look at how things stand.
    fn look(&self, context: &Context<'_>, deadline: Moment) -> Option<Result<Grant, SessionError>> {
        let time = self.shared.time();
        let mut aftermath = Aftermath::default();
        let result = if time.now < deadline {
            self.slot.poll(self.ticket, context.waker(), self.request, time, &mut aftermath)
        } else {
            Some(self.slot.give_up(self.ticket, self.request, time, &mut aftermath))
        };
        self.shared.settle(&self.slot, aftermath);
        result
    }

    /// Rings when there is something to look for that nobody wakes for: the wait is over, or the holder has overstayed.
    fn alarm(&self, deadline: Moment) -> BoxFuture<'static, ()> {
        let clock = &self.shared.clock;
        clock.sleep_until(deadline.min(self.slot.next_look(clock.now())))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.waiters.fetch_sub(1, Ordering::Relaxed);
        if !self.left {
            let mut aftermath = Aftermath::default();
            self.slot.withdraw(self.ticket, self.shared.time(), &mut aftermath);
            self.shared.settle(&self.slot, aftermath);
        }
    }
}
