//! The join lock of one session: who holds it, and who waits for it in which order.
//!
//! A plain value without a clock, a runtime or a mutex of its own: a slot keeps it under the mutex of the session, and a
//! model checker can drive every interleaving of its few calls.
//!
//! What keeps wake-ups from being lost: the lock is never free while somebody waits. Whoever lets it go hands it to the first
//! waiter in the same step, and a waiter that goes away without taking what it was handed hands it on ([`JoinLock::hand_over`]).

use std::collections::VecDeque;
use std::task::Waker;

use uuid::Uuid;

use crate::session::Moment;

/// A number that rises with every hand-over of the lock. It names one holding of it: who comes with an older one has lost it.
pub(super) type Fence = u64;

/// A place in the queue. Tickets rise, so the queue is sorted by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

/// As many wait as may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

/// How things stand for a waiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It holds the lock now.
    Taken(Fence),
    /// Its turn is still to come.
    Waiting,
    /// It was sent away, or was handed the lock and did not come for it in time.
    Lost,
}

#[derive(Debug, Default)]
pub(super) struct JoinLock {
    fence: Fence,
    held: Held,
    /// Most sessions never have one.
    queue: Option<Box<Queue>>,
    last_number: u64,
}

/// Who holds the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Holder {
    /// `None` as long as the waiter that it was handed to has not come for it.
    pub(super) request: Option<Uuid>,
    pub(super) since: Moment,
}

#[derive(Debug, Default)]
struct Queue {
    waiters: VecDeque<Waiter>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// Nobody holds the lock, and nobody waits.
    #[default]
    No,
    /// It was handed to a waiter that has not come for it yet.
    Granted { ticket: Ticket, since: Moment },
    /// A request holds it.
    Yes {
        request: Uuid,
        since: Moment,
        /// It was told to stop.
        stopped: bool,
    },
}

#[derive(Debug)]
struct Waiter {
    ticket: Ticket,
    waker: Option<Waker>,
}

impl JoinLock {
    /// The fence of the last hand-over.
    pub(super) fn fence(&self) -> Fence {
        self.fence
    }

    /// Whether somebody holds the lock or has been handed it.
    pub(super) fn is_held(&self) -> bool {
        self.held != Held::No
    }

    /// Who holds the lock or has been handed it.
    pub(super) fn holder(&self) -> Option<Holder> {
        match self.held {
            Held::No => None,
            Held::Granted { since, .. } => Some(Holder { request: None, since }),
            Held::Yes { request, since, .. } => Some(Holder { request: Some(request), since }),
        }
    }

    /// Whether this holding is still the current one.
    pub(super) fn is_held_under(&self, fence: Fence) -> bool {
        matches!(self.held, Held::Yes { .. }) && self.fence == fence
    }

    /// Tells the request that holds the lock to stop. It holds it still, but may not commit. Answers whether there is one.
    pub(super) fn stop(&mut self) -> bool {
        let Held::Yes { stopped, .. } = &mut self.held else { return false };
        *stopped = true;
        true
    }

    /// Whether the request that holds the lock was told to stop.
    pub(super) fn is_stopped(&self) -> bool {
        matches!(self.held, Held::Yes { stopped: true, .. })
    }

    /// How many wait.
    pub(super) fn waiters(&self) -> usize {
        self.queue.as_ref().map_or(0, |queue| queue.waiters.len())
    }

    /// The next holding of the lock has a higher fence than that.
    pub(super) fn raise(&mut self, fence: Fence) {
        self.fence = self.fence.max(fence);
    }

    /// A number that was not given before, to name a waiter or whoever else.
    pub(super) fn number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// A request takes the lock if it is free.
    pub(super) fn try_take(&mut self, request: Uuid, now: Moment) -> Option<Fence> {
        if self.is_held() {
            return None;
        }
        self.held = Held::Yes { request, since: now, stopped: false };
        self.fence += 1;
        Some(self.fence)
    }

    /// Takes the last place of the queue. To be called when the lock is held.
    pub(super) fn enqueue(&mut self, max_waiters: usize) -> Result<Ticket, Full> {
        debug_assert!(self.is_held(), "a free lock is taken, not waited for");
        if self.waiters() >= max_waiters {
            return Err(Full);
        }
        let ticket = Ticket(self.number());
        self.queue.get_or_insert_default().waiters.push_back(Waiter { ticket, waker: None });
        Ok(ticket)
    }

    /// What a waiter does when it is woken: takes the lock if it was handed to it, else leaves word where to wake it.
    pub(super) fn poll(&mut self, ticket: Ticket, request: Uuid, now: Moment, waker: &Waker) -> Turn {
        let turn = self.claim(ticket, request, now);
        if turn == Turn::Waiting
            && let Some(waiter) = self.waiter(ticket)
        {
            match &mut waiter.waker {
                Some(known) => known.clone_from(waker),
                unknown => *unknown = Some(waker.clone()),
            }
        }
        turn
    }

    /// Takes the lock if it was handed to that waiter.
    pub(super) fn claim(&mut self, ticket: Ticket, request: Uuid, now: Moment) -> Turn {
        if self.is_granted_to(ticket) {
            self.held = Held::Yes { request, since: now, stopped: false };
            Turn::Taken(self.fence)
        } else if self.waiter(ticket).is_some() {
            Turn::Waiting
        } else {
            Turn::Lost
        }
    }

    /// Whether the lock was handed to that waiter, which did not come for it yet.
    pub(super) fn is_granted_to(&self, ticket: Ticket) -> bool {
        matches!(self.held, Held::Granted { ticket: granted, .. } if granted == ticket)
    }

    /// A waiter that was not handed the lock goes away. Its waker is of no more use; it is dropped outside of the mutex.
    pub(super) fn leave(&mut self, ticket: Ticket) -> Option<Waker> {
        let waiters = &mut self.queue.as_mut()?.waiters;
        let index = waiters.binary_search_by_key(&ticket, |waiter| waiter.ticket).ok()?;
        waiters.remove(index)?.waker
    }

    /// Lets the lock go: to the first waiter, whose waker is to be woken outside of the mutex, or to nobody.
    pub(super) fn hand_over(&mut self, now: Moment) -> Option<Waker> {
        let Some(first) = self.queue.as_mut().and_then(|queue| queue.waiters.pop_front()) else {
            self.held = Held::No;
            self.queue = None;
            return None;
        };
        self.held = Held::Granted { ticket: first.ticket, since: now };
        self.fence += 1;
        first.waker
    }

    /// Takes the lock from whoever holds it. As [`JoinLock::hand_over`], and the fence rises even if nobody waits, so that the
    /// one who lost it can tell.
    pub(super) fn evict(&mut self, now: Moment) -> Option<Waker> {
        if self.waiters() == 0 {
            self.fence += 1;
        }
        self.hand_over(now)
    }

    /// Lets the lock go to nobody: the session has ended, and whoever waits is sent away.
    pub(super) fn let_go(&mut self) {
        self.held = Held::No;
    }

    /// Takes back what was handed to a waiter that has not come for it yet.
    pub(super) fn take_back_grant(&mut self) {
        if matches!(self.held, Held::Granted { .. }) {
            self.held = Held::No;
        }
    }

    /// Sends all waiters away: those wakers are to be woken, outside of the mutex. Who holds the lock still holds it.
    pub(super) fn dismiss(&mut self) -> Vec<Waker> {
        let queue = self.queue.take().unwrap_or_default();
        queue.waiters.into_iter().filter_map(|waiter| waiter.waker).collect()
    }

    fn waiter(&mut self, ticket: Ticket) -> Option<&mut Waiter> {
        let waiters = &mut self.queue.as_mut()?.waiters;
        let index = waiters.binary_search_by_key(&ticket, |waiter| waiter.ticket).ok()?;
        waiters.get_mut(index)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    const NOW: Moment = Moment::ORIGIN;

    #[derive(Default)]
    struct Bell(AtomicUsize);

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn held() -> JoinLock {
        let mut lock = JoinLock::default();
        lock.try_take(Uuid::nil(), NOW).unwrap();
        lock
    }

    #[test]
    fn waiters_get_the_lock_in_the_order_in_which_they_came() {
        // Behaviour 13.
        let mut lock = held();
        let tickets: Vec<_> = (0..3).map(|_| lock.enqueue(8).unwrap()).collect();
        for ticket in tickets {
            assert_eq!(lock.claim(ticket, Uuid::nil(), NOW), Turn::Waiting);
            lock.hand_over(NOW);
            assert!(matches!(lock.claim(ticket, Uuid::nil(), NOW), Turn::Taken(fence) if lock.is_held_under(fence)));
        }
        lock.hand_over(NOW);
        assert!(!lock.is_held());
    }

    #[test]
    fn a_newcomer_never_overtakes_a_waiter() {
        let mut lock = held();
        let ticket = lock.enqueue(8).unwrap();
        lock.hand_over(NOW);
        assert_eq!(lock.try_take(Uuid::nil(), NOW), None);
        assert!(matches!(lock.claim(ticket, Uuid::nil(), NOW), Turn::Taken(_)));
    }

    #[test]
    fn a_waiter_that_left_is_skipped() {
        // Behaviour 17.
        let mut lock = held();
        let (first, second) = (lock.enqueue(8).unwrap(), lock.enqueue(8).unwrap());
        assert!(lock.leave(first).is_none());
        lock.hand_over(NOW);
        assert_eq!(lock.claim(first, Uuid::nil(), NOW), Turn::Lost);
        assert!(matches!(lock.claim(second, Uuid::nil(), NOW), Turn::Taken(_)));
    }

    #[test]
    fn a_lock_handed_to_a_waiter_that_left_goes_to_the_next() {
        let mut lock = held();
        let (first, second) = (lock.enqueue(8).unwrap(), lock.enqueue(8).unwrap());
        let bell = Arc::new(Bell::default());
        assert_eq!(lock.poll(second, Uuid::nil(), NOW, &Waker::from(Arc::clone(&bell))), Turn::Waiting);
        lock.hand_over(NOW);
        assert!(lock.is_granted_to(first));
        lock.hand_over(NOW).unwrap().wake();
        assert_eq!(bell.0.load(Ordering::SeqCst), 1);
        assert_eq!(lock.claim(first, Uuid::nil(), NOW), Turn::Lost);
        assert!(matches!(lock.claim(second, Uuid::nil(), NOW), Turn::Taken(_)));
    }

    #[test]
    fn the_fence_rises_with_every_holding() {
        // Behaviour 20.
        let mut lock = JoinLock::default();
        let first = lock.try_take(Uuid::nil(), NOW).unwrap();
        let ticket = lock.enqueue(8).unwrap();
        lock.hand_over(NOW);
        assert!(!lock.is_held_under(first));
        assert!(matches!(lock.claim(ticket, Uuid::nil(), NOW), Turn::Taken(second) if second > first));
    }

    #[test]
    fn who_lost_the_lock_is_left_with_an_old_fence() {
        // Behaviour 20.
        let mut lock = JoinLock::default();
        for waiters in 0..2 {
            let lost = lock.try_take(Uuid::nil(), NOW).unwrap();
            let tickets: Vec<_> = (0..waiters).map(|_| lock.enqueue(8).unwrap()).collect();
            lock.evict(NOW);
            assert!(lock.fence() > lost && !lock.is_held_under(lost));
            assert_eq!(lock.is_held(), !tickets.is_empty());
        }
    }

    #[test]
    fn no_more_wait_than_may() {
        // Behaviour 16.
        let mut lock = held();
        lock.enqueue(1).unwrap();
        assert_eq!(lock.enqueue(1), Err(Full));
    }

    #[test]
    fn those_who_are_sent_away_are_told() {
        let mut lock = held();
        let ticket = lock.enqueue(8).unwrap();
        let bell = Arc::new(Bell::default());
        lock.poll(ticket, Uuid::nil(), NOW, &Waker::from(Arc::clone(&bell)));
        lock.dismiss().into_iter().for_each(Waker::wake);
        assert_eq!(bell.0.load(Ordering::SeqCst), 1);
        assert_eq!(lock.claim(ticket, Uuid::nil(), NOW), Turn::Lost);
        assert!(lock.is_held());
    }
}
