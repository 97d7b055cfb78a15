//! Time, as sessions see it: a monotonic clock that decides, and a wall clock that is only shown.

use std::fmt;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::BoxFuture;
use uuid::Uuid;

/// A point on a monotonic clock, in nanoseconds from an origin that means nothing.
///
/// Smaller than [`Instant`], and it can be made by a clock that a test drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// The origin of a clock.
    pub const ORIGIN: Self = Self(0);

    /// Later than everything that happens: 584 years after the origin.
    pub const NEVER: Self = Self(u64::MAX);

    /// The moment that much later; [`Moment::NEVER`] where that is out of range.
    ///
    /// ```
    /// use std::time::Duration;
    /// use rejoin::session::Moment;
    ///
    /// let later = Moment::ORIGIN.after(Duration::from_secs(2));
    /// assert_eq!(later.since(Moment::ORIGIN), Duration::from_secs(2));
    /// assert_eq!(Moment::ORIGIN.since(later), Duration::ZERO);
    /// ```
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }

    /// The moment so many nanoseconds after the origin.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// How many nanoseconds after the origin it is.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was; zero if it is still to come.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Where sessions get their time from.
///
/// What is decided (expiry, waiting, limits) is decided by [`Clock::now`], which never jumps; [`Clock::wall`] is only shown.
/// Waiting goes through the clock as well, so that a test that drives it needs no sleep.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The moment on the monotonic clock.
    fn now(&self) -> Moment;

    /// The time of day. It may jump either way.
    fn wall(&self) -> DateTime<Utc>;

    /// Resolves once `moment` has come.
    fn sleep_until(&self, moment: Moment) -> BoxFuture<'static, ()>;

    /// How long the machine has been up, if that is known: a clock that outlives the process and that nobody sets.
    fn boot(&self) -> Option<BootTime> {
        None
    }
}

/// How long a machine has been up since it was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BootTime {
    /// Names the start.
    pub id: Uuid,
    /// The time since, sleep included.
    pub uptime: Duration,
}

impl BootTime {
    /// Reads it from the forms of `/proc/sys/kernel/random/boot_id` and `/proc/uptime`; `None` for anything else.
    ///
    /// ```
    /// use std::time::Duration;
    /// use rejoin::session::BootTime;
    ///
    /// let boot = BootTime::parse("66d03f8a-8bd0-4f8a-a6f3-0ab6bd1bd1c0\n", "350735.47 234388.90\n").unwrap();
    /// assert_eq!(boot.uptime, Duration::from_millis(350_735_470));
    /// ```
    #[must_use]
    pub fn parse(boot_id: &str, uptime: &str) -> Option<Self> {
        let id = Uuid::try_parse(boot_id.trim()).ok()?;
        let seconds = uptime.split_ascii_whitespace().next()?.parse().ok()?;
        Some(Self { id, uptime: Duration::try_from_secs_f64(seconds).ok()? })
    }
}

/// The clock of the machine. Its sleeps need a Tokio runtime.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

/// All system clocks of a process share their origin.
static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        Moment::ORIGIN.after(Instant::now().saturating_duration_since(*ORIGIN))
    }

    fn wall(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn sleep_until(&self, moment: Moment) -> BoxFuture<'static, ()> {
        match ORIGIN.checked_add(moment.since(Moment::ORIGIN)) {
            Some(instant) if moment != Moment::NEVER => Box::pin(tokio::time::sleep_until(instant.into())),
            _ => Box::pin(std::future::pending()),
        }
    }

    /// What Linux says; elsewhere it is not known.
    fn boot(&self) -> Option<BootTime> {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        BootTime::parse(&id, &std::fs::read_to_string("/proc/uptime").ok()?)
    }
}

/// One look at both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Time {
    pub(super) now: Moment,
    pub(super) wall: DateTime<Utc>,
}

impl Time {
    pub(super) fn read(clock: &dyn Clock) -> Self {
        Self { now: clock.now(), wall: clock.wall() }
    }

    /// What the wall clock will show, or showed, at another moment; `None` for [`Moment::NEVER`] and beyond the calendar.
    pub(super) fn wall_at(self, moment: Moment) -> Option<DateTime<Utc>> {
        if moment == Moment::NEVER {
            return None;
        }
        if moment >= self.now {
            self.wall.checked_add_signed(TimeDelta::from_std(moment.since(self.now)).ok()?)
        } else {
            self.wall.checked_sub_signed(TimeDelta::from_std(self.now.since(moment)).ok()?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_system_clock_sleeps_until_the_moment_has_come() {
        let clock = SystemClock;
        let moment = clock.now().after(Duration::from_millis(2));
        clock.sleep_until(moment).await;
        assert!(clock.now() >= moment);
    }

    #[test]
    fn a_boot_time_is_read_or_it_is_not_known() {
        let id = "66d03f8a-8bd0-4f8a-a6f3-0ab6bd1bd1c0";
        assert_eq!(BootTime::parse(id, "0.05 0.00").unwrap().uptime, Duration::from_millis(50));
        for (id, uptime) in
            [(id, ""), (id, "x"), (id, "-1.0 2"), (id, "NaN"), (id, "inf"), ("", "1.0"), ("66d03f8a", "1.0")]
        {
            assert_eq!(BootTime::parse(id, uptime), None, "{id:?} {uptime:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_clock_knows_since_when_the_machine_has_been_up() {
        let (one, other) = (SystemClock.boot().unwrap(), SystemClock.boot().unwrap());
        assert_eq!(one.id, other.id);
        assert!(one.uptime <= other.uptime);
    }

    #[test]
    fn moments_saturate() {
        assert_eq!(Moment::ORIGIN.after(Duration::MAX), Moment::NEVER);
        assert_eq!(Moment::NEVER.after(Duration::from_secs(1)), Moment::NEVER);
    }

    #[test]
    fn wall_times_of_other_moments_follow_from_the_distance() {
        let now = Moment::ORIGIN.after(Duration::from_secs(100));
        let time = Time { now, wall: DateTime::UNIX_EPOCH + TimeDelta::days(1000) };
        let second = TimeDelta::seconds(1);
        assert_eq!(time.wall_at(now.after(Duration::from_secs(1))), Some(time.wall + second));
        assert_eq!(time.wall_at(Moment::ORIGIN), Some(time.wall - second * 100));
        assert_eq!(time.wall_at(Moment::NEVER), None);
    }
}
