use chrono::{DateTime, Utc};

use super::TimeZone;

/// The window of time that an ingestion is about, and how it is cut: `ms.watermark` of the type `datetime`,
/// `ms.work.unit.partition`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowSettings {
    /// Where it begins.
    pub from: WindowEnd,
    /// Where it ends.
    pub to: WindowEnd,
    /// How long the windows are that it is cut into, one unit each. `None`: it is one.
    pub step: Option<WindowStep>,
    /// `ms.work.unit.partial.partition`: whether the last one may be shorter. If not, it is left out.
    pub is_last_partial: bool,
}

/// An end of a window of time, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowEnd {
    /// `2026-01-01`: a moment.
    Fixed(DateTime<Utc>),
    /// `-`: when the ingestion begins.
    Now,
    /// `P7D`, `P0D.UTC`, `P1DT6H`: so long before, cut to its smallest part.
    Before {
        /// Days.
        days: u32,
        /// Hours, if they are named: then the moment is cut to the hour and not to the day.
        hours: Option<u32>,
        /// Minutes, if they are named: then it is cut to the minute.
        minutes: Option<u32>,
        /// Whose days and hours.
        zone: TimeZone,
    },
}

/// How long a window is that a longer one is cut into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WindowStep {
    /// An hour.
    Hour,
    /// A day of the calendar of a zone.
    Day,
    /// Seven of them.
    Week,
    /// A month of the calendar.
    Month,
}

/// A window of time: from its beginning up to, and without, its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Where it begins.
    pub low: DateTime<Utc>,
    /// Where it ends.
    pub high: DateTime<Utc>,
}
