use chrono::{DateTime, Utc};

use crate::session::{BootTime, Moment};

/// How the timeline of a store stood to the clocks of the machine at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeMark {
    /// The moment on the timeline.
    pub moment: Moment,
    /// What the wall clock showed.
    pub wall: DateTime<Utc>,
    /// How long the machine had been up, where that is known.
    pub boot: Option<BootTime>,
}
