//! From a window of time as it is written to the windows of the units.

use chrono::{DateTime, Datelike, Months, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc};

use super::settings::{TimeZone, Window, WindowEnd, WindowSettings, WindowStep};

/// The most windows that one is cut into.
const MOST_WINDOWS: usize = 100_000;

/// The windows of the units of an ingestion that begins now, the earliest first.
///
/// Days, weeks and months are those of the calendar of universal time, or of the zone that an end names.
///
/// ```
/// use chrono::{DateTime, Utc};
/// use rejoin::ingest::settings::{WindowEnd, WindowSettings, WindowStep};
/// use rejoin::ingest::windows;
///
/// let moment = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
/// let settings = WindowSettings {
///     from: WindowEnd::Fixed(moment("2026-01-01T00:00:00Z")),
///     to: WindowEnd::Now,
///     step: Some(WindowStep::Day),
///     is_last_partial: false,
/// };
/// assert_eq!(windows(&settings, moment("2026-01-03T12:00:00Z")).len(), 2);
/// ```
#[must_use]
pub fn windows(settings: &WindowSettings, now: DateTime<Utc>) -> Vec<Window> {
    let (low, high) = (window_end(settings.from, now), window_end(settings.to, now));
    let Some(step) = settings.step else { return vec![Window { low, high }] };
    let zone = zone_of(settings);
    let mut windows = Vec::new();
    let mut from = low;
    while from < high && windows.len() < MOST_WINDOWS {
        let to = after(from, step, zone);
        if to > high && !settings.is_last_partial {
            break;
        }
        windows.push(Window { low: from, high: to.min(high) });
        from = to;
    }
    windows
}

/// The moment that an end of a window means, in an ingestion that begins now.
#[must_use]
pub fn window_end(end: WindowEnd, now: DateTime<Utc>) -> DateTime<Utc> {
    match end {
        WindowEnd::Fixed(moment) => moment,
        WindowEnd::Now => now,
        WindowEnd::Before { days, hours, minutes, zone } => {
            let time = TimeDelta::hours(hours.unwrap_or(0).into()) + TimeDelta::minutes(minutes.unwrap_or(0).into());
            let local = zone.at(now).naive_local() - TimeDelta::days(days.into()) - time;
            let hour = if hours.is_some() || minutes.is_some() { local.hour() } else { 0 };
            let minute = if minutes.is_some() { local.minute() } else { 0 };
            zone.moment(local.date().and_time(NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default()))
        }
    }
}

fn zone_of(settings: &WindowSettings) -> TimeZone {
    match (settings.from, settings.to) {
        (WindowEnd::Before { zone, .. }, _) | (_, WindowEnd::Before { zone, .. }) => zone,
        _ => TimeZone::UTC,
    }
}

fn after(from: DateTime<Utc>, step: WindowStep, zone: TimeZone) -> DateTime<Utc> {
    let local = zone.at(from).naive_local();
    let later = match step {
        WindowStep::Hour => return from + TimeDelta::hours(1),
        WindowStep::Day => local + TimeDelta::days(1),
        WindowStep::Week => local + TimeDelta::weeks(1),
        WindowStep::Month => first_of_next_month(local),
    };
    // A day of the calendar may have 23 hours, but never none.
    zone.moment(later).max(from + TimeDelta::hours(1))
}

/// The first day of the next month, so that windows of months are those of the calendar.
fn first_of_next_month(local: NaiveDateTime) -> NaiveDateTime {
    let first = local.date().with_day(1).unwrap_or(local.date());
    first.checked_add_months(Months::new(1)).unwrap_or(first).and_time(NaiveTime::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn cut(from: &str, to: &str, step: WindowStep, is_last_partial: bool) -> Vec<String> {
        let settings = WindowSettings {
            from: WindowEnd::Fixed(moment(from)),
            to: WindowEnd::Fixed(moment(to)),
            step: Some(step),
            is_last_partial,
        };
        let windows = windows(&settings, DateTime::UNIX_EPOCH);
        windows
            .iter()
            .map(|window| format!("{} {}", window.low.format("%m-%dT%H"), window.high.format("%m-%dT%H")))
            .collect()
    }

    #[test]
    fn a_window_is_cut_into_steps_of_the_calendar() {
        let (from, to) = ("2026-01-30T00:00:00Z", "2026-02-01T12:00:00Z");
        assert_eq!(cut(from, to, WindowStep::Day, false), ["01-30T00 01-31T00", "01-31T00 02-01T00"]);
        assert_eq!(cut(from, to, WindowStep::Month, true), ["01-30T00 02-01T00", "02-01T00 02-01T12"]);
        assert_eq!(cut(from, to, WindowStep::Week, true), ["01-30T00 02-01T12"]);
        assert!(cut(to, from, WindowStep::Hour, true).is_empty());
    }

    #[test]
    fn an_end_may_be_so_long_before_now() {
        let zone = TimeZone::parse("Europe/Vienna").unwrap();
        let now = moment("2026-06-10T00:30:40Z");
        let before = |hours, minutes| window_end(WindowEnd::Before { days: 1, hours, minutes, zone }, now).to_rfc3339();
        assert_eq!(before(None, None), "2026-06-08T22:00:00+00:00");
        assert_eq!(before(Some(1), None), "2026-06-08T23:00:00+00:00");
        assert_eq!(before(Some(1), Some(5)), "2026-06-08T23:25:00+00:00");
    }
}
