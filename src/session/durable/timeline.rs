//! The timeline of a store.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;

use crate::session::{BootTime, Clock, Moment, Recovery};

/// A clock whose moments outlive the process.
#[derive(Debug)]
pub(super) struct Timeline {
    clock: Arc<dyn Clock>,
    /// A moment of the clock and the same on the timeline.
    start: Moment,
    resumed: Moment,
}

impl Timeline {
    pub(super) fn resume(clock: Arc<dyn Clock>, recovery: &Recovery) -> Self {
        let wall = u64::try_from(clock.wall().timestamp_nanos_opt().unwrap_or(0)).unwrap_or(0);
        let last = recovery.last_moment.unwrap_or(Moment::ORIGIN);
        let resumed = Moment::from_nanos(wall).max(last);
        Self { start: clock.now(), clock, resumed }
    }
}

impl Clock for Timeline {
    fn now(&self) -> Moment {
        self.resumed.after(self.clock.now().since(self.start))
    }

    fn wall(&self) -> DateTime<Utc> {
        self.clock.wall()
    }

    fn sleep_until(&self, moment: Moment) -> BoxFuture<'static, ()> {
        if moment == Moment::NEVER {
            return self.clock.sleep_until(moment);
        }
        self.clock.sleep_until(self.start.after(moment.since(self.resumed)))
    }

    fn boot(&self) -> Option<BootTime> {
        self.clock.boot()
    }
}
