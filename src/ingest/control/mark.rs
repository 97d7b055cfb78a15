use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::session::Moment;

/// When something is decided, and by what chance.
#[derive(Debug, Clone, Copy)]
pub struct Occasion {
    /// On the clock that nobody sets: it alone decides while the process lives.
    pub moment: Moment,
    /// The time of day: kept for another process, and what `Retry-After` with a date is compared to.
    pub wall: DateTime<Utc>,
    /// A number from 0 to 1, drawn by lot: the jitter of a wait.
    pub chance: f64,
}

/// A moment to come that outlives the process.
///
/// Which clock is trusted: in the process that made it, the monotonic one alone, so a step of the wall clock changes nothing.
/// In another process that clock means nothing; what is left then is what the wall clock says, but never more than was left
/// when it was last kept. A wall clock that was set back in between can't lengthen the wait, one that was set forward looks
/// like a service that was down for longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    #[serde(skip, default = "unknown")]
    moment: Moment,
    /// Milliseconds since 1970.
    wall: i64,
    /// How many milliseconds were left when it was kept.
    left: u64,
}

fn unknown() -> Moment {
    Moment::NEVER
}

impl Mark {
    /// So long from now.
    #[must_use]
    pub fn after(duration: Duration, at: Occasion) -> Self {
        let left = millis(duration);
        let wall = at.wall.timestamp_millis().saturating_add(i64::try_from(left).unwrap_or(i64::MAX));
        Self { moment: at.moment.after(duration), wall, left }
    }

    /// The moment on this process's clock.
    #[must_use]
    pub fn moment(self) -> Moment {
        self.moment
    }

    /// Notes how much is left, before it is kept.
    pub fn keep(&mut self, at: Occasion) {
        if self.moment != Moment::NEVER {
            self.left = millis(self.moment.since(at.moment));
        }
    }

    /// Finds the moment on the clock of this process, after it was kept by another.
    pub fn resume(&mut self, at: Occasion) {
        let by_wall = self.wall.saturating_sub(at.wall.timestamp_millis());
        self.left = self.left.min(u64::try_from(by_wall).unwrap_or(0));
        self.moment = at.moment.after(Duration::from_millis(self.left));
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn at(seconds: u64, wall: i64) -> Occasion {
        let moment = Moment::ORIGIN.after(Duration::from_secs(seconds));
        Occasion { moment, wall: DateTime::UNIX_EPOCH + TimeDelta::seconds(1_000_000 + wall), chance: 0.0 }
    }

    /// Kept after 10 of 100 seconds, and read by another process whose clock begins anew.
    fn kept_and_resumed(wall: i64) -> Duration {
        let mut mark = Mark::after(Duration::from_secs(100), at(50, 0));
        mark.keep(at(60, 10));
        let text = serde_json::to_string(&mark).unwrap();
        let mut mark: Mark = serde_json::from_str(&text).unwrap();
        mark.resume(at(1, wall));
        mark.moment().since(at(1, wall).moment)
    }

    #[test]
    fn r09_a_deadline_goes_on_after_a_restart() {
        assert_eq!(kept_and_resumed(30), Duration::from_secs(70));
        assert_eq!(kept_and_resumed(500), Duration::ZERO);
    }

    #[test]
    fn r09_a_wall_clock_that_is_set_back_lengthens_no_deadline() {
        assert_eq!(kept_and_resumed(-3600), Duration::from_secs(90));
    }
}
