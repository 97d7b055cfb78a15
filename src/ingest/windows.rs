//! The windows of the units of an ingestion that begins now.

use chrono::{DateTime, Utc};

use super::settings::{Window, WindowEnd, WindowSettings};

/// The most windows that one is cut into.
const MOST_WINDOWS: usize = 100_000;

/// The windows of the units of an ingestion that begins now, the earliest first: [`WindowSettings::windows`], up to a hundred
/// thousand.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use rejoin::ingest::settings::{WindowEnd, WindowSettings, WindowStep};
/// use rejoin::ingest::windows;
///
/// let moment = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
/// let settings = WindowSettings {
///     from: WindowEnd::Fixed(moment("2026-01-01T08:00:00Z")),
///     to: WindowEnd::Now,
///     step: Some(WindowStep::Day),
///     is_last_partial: false,
/// };
/// assert_eq!(windows(&settings, moment("2026-01-03T12:00:00Z")).len(), 2);
/// ```
#[must_use]
pub fn windows(settings: &WindowSettings, now: DateTime<Utc>) -> Vec<Window> {
    settings.windows(now).take(MOST_WINDOWS).collect()
}

/// The moment that an end of a window means, in an ingestion that begins now.
#[must_use]
pub fn window_end(end: WindowEnd, now: DateTime<Utc>) -> DateTime<Utc> {
    end.moment(now)
}
