//! A clock that tests drive.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use uuid::Uuid;

use super::{BootTime, Clock, Moment};

/// A clock that stands still until it is moved: for tests, of users' code as well. Clones show the same time.
///
/// ```
/// use std::time::Duration;
/// use rejoin::session::{Clock, ManualClock, Moment};
///
/// let clock = ManualClock::new();
/// clock.advance(Duration::from_secs(5));
/// assert_eq!(clock.now().since(Moment::ORIGIN), Duration::from_secs(5));
/// ```
#[derive(Debug, Clone)]
pub struct ManualClock {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    now: Moment,
    wall: DateTime<Utc>,
    boot: Option<BootTime>,
    sleepers: BTreeMap<(Moment, u64), Waker>,
    next_sleeper: u64,
}

impl ManualClock {
    /// A clock at its origin; its wall clock shows the first second of 2026, and its machine has just been started.
    #[must_use]
    pub fn new() -> Self {
        let wall = DateTime::UNIX_EPOCH + TimeDelta::seconds(1_767_225_600);
        let boot = Some(BootTime { id: Uuid::nil(), uptime: Duration::ZERO });
        let state = State { now: Moment::ORIGIN, wall, boot, sleepers: BTreeMap::new(), next_sleeper: 0 };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Lets time pass, on all clocks, and wakes whoever slept until then.
    pub fn advance(&self, duration: Duration) {
        let woken = {
            let mut state = self.state.lock();
            state.now = state.now.after(duration);
            if let Ok(delta) = TimeDelta::from_std(duration)
                && let Some(wall) = state.wall.checked_add_signed(delta)
            {
                state.wall = wall;
            }
            if let Some(boot) = &mut state.boot {
                boot.uptime = boot.uptime.saturating_add(duration);
            }
            let later = state.now.after(Duration::from_nanos(1));
            let asleep = state.sleepers.split_off(&(later, 0));
            std::mem::replace(&mut state.sleepers, asleep)
        };
        woken.into_values().for_each(Waker::wake);
    }

    /// Sets the wall clock forward or back, as an administrator or a time server would. Nothing else changes.
    pub fn step_wall(&self, by: TimeDelta) {
        let mut state = self.state.lock();
        if let Some(wall) = state.wall.checked_add_signed(by) {
            state.wall = wall;
        }
    }

    /// Sets how long the machine has been up: with another `id`, as if it was started again; `None`, as if that was not
    /// known. Nothing else changes.
    pub fn set_boot(&self, boot: Option<BootTime>) {
        self.state.lock().boot = boot;
    }

    /// How many sleeps are under way: lets a test see that somebody waits.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        self.state.lock().sleepers.len()
    }

    /// Until when they last, the next first: lets a test see that somebody waits for just that moment.
    #[must_use]
    pub fn alarms(&self) -> Vec<Moment> {
        self.state.lock().sleepers.keys().map(|(until, _)| *until).collect()
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        self.state.lock().now
    }

    fn wall(&self) -> DateTime<Utc> {
        self.state.lock().wall
    }

    fn sleep_until(&self, moment: Moment) -> BoxFuture<'static, ()> {
        Box::pin(Sleep { state: Arc::clone(&self.state), until: moment, registered: None })
    }

    fn boot(&self) -> Option<BootTime> {
        self.state.lock().boot
    }
}

/// A sleep on a manual clock. It leaves the clock when it is dropped.
struct Sleep {
    state: Arc<Mutex<State>>,
    until: Moment,
    registered: Option<(Moment, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut state = this.state.lock();
        if state.now >= this.until {
            return Poll::Ready(());
        }
        let key = if let Some(key) = this.registered {
            key
        } else {
            state.next_sleeper += 1;
            *this.registered.insert((this.until, state.next_sleeper))
        };
        state.sleepers.insert(key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.registered {
            self.state.lock().sleepers.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::poll;

    use super::*;

    #[tokio::test]
    async fn a_sleep_ends_when_the_clock_is_moved_to_its_moment() {
        let clock = ManualClock::new();
        let mut sleep = clock.sleep_until(clock.now().after(Duration::from_secs(2)));
        assert!(poll!(&mut sleep).is_pending());
        clock.advance(Duration::from_millis(1999));
        assert!(poll!(&mut sleep).is_pending());
        clock.advance(Duration::from_millis(1));
        assert!(poll!(&mut sleep).is_ready());
    }

    #[tokio::test]
    async fn moving_the_clock_wakes_a_sleeping_task() {
        let clock = ManualClock::new();
        let task = tokio::spawn(clock.sleep_until(clock.now().after(Duration::from_secs(2))));
        while clock.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        clock.advance(Duration::from_secs(3));
        task.await.unwrap();
        assert_eq!(clock.sleepers(), 0);
    }

    #[tokio::test]
    async fn a_dropped_sleep_leaves_the_clock() {
        let clock = ManualClock::new();
        let mut sleep = clock.sleep_until(Moment::NEVER);
        assert!(poll!(&mut sleep).is_pending());
        assert_eq!(clock.sleepers(), 1);
        drop(sleep);
        assert_eq!(clock.sleepers(), 0);
    }

    #[test]
    fn a_step_of_the_wall_clock_moves_only_the_wall_clock() {
        let clock = ManualClock::new();
        let (now, wall) = (clock.now(), clock.wall());
        clock.step_wall(TimeDelta::hours(-1));
        assert_eq!(clock.now(), now);
        assert_eq!(wall - clock.wall(), TimeDelta::hours(1));
    }

    #[test]
    fn the_time_since_the_start_of_the_machine_passes_too() {
        let clock = ManualClock::new();
        clock.advance(Duration::from_secs(3));
        assert_eq!(clock.boot().unwrap().uptime, Duration::from_secs(3));
        clock.set_boot(None);
        clock.advance(Duration::from_secs(3));
        assert_eq!(clock.boot(), None);
    }
}
