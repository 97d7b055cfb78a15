use chrono::{DateTime, Days, Months, TimeDelta, Timelike, Utc};

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

impl WindowSettings {
    /// The windows that there are now, the first one first. None where it ends before it begins.
    ///
    /// Days, weeks and months are those of the calendar of [`TimeZone::LOS_ANGELES`], like all of DIL's that name no zone, or of
    /// the zone that the beginning names. A step that begins on a day that a month doesn't have begins on its last day.
    pub fn windows(&self, now: DateTime<Utc>) -> impl Iterator<Item = Window> + use<> {
        let (from, to) = (self.from.moment(now), self.to.moment(now));
        let zone = match self.from {
            WindowEnd::Before { zone, .. } => zone,
            WindowEnd::Fixed(_) | WindowEnd::Now => TimeZone::LOS_ANGELES,
        };
        let (step, is_last_partial) = (self.step, self.is_last_partial);
        let begin = move |index: u32| match step {
            None => (index == 0).then_some(from),
            Some(step) => step.after(from, index, zone),
        };
        (0_u32..).map_while(move |index| {
            let low = begin(index).filter(|low| *low < to)?;
            let high = if step.is_none() { to } else { begin(index + 1)? };
            (high <= to || is_last_partial).then(|| Window { low, high: high.min(to) })
        })
    }
}

impl WindowEnd {
    /// The moment that it is, seen from now.
    #[must_use]
    pub fn moment(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Fixed(moment) => moment,
            Self::Now => now,
            Self::Before { days, hours, minutes, zone } => {
                let local = zone.at(now).naive_local();
                let hour = if hours.is_some() { local.hour() } else { 0 };
                let minute = if minutes.is_some() { local.minute() } else { 0 };
                let cut = local.date().and_hms_opt(hour, minute, 0).unwrap_or(local);
                let ago = TimeDelta::days(days.into())
                    + TimeDelta::hours(hours.unwrap_or(0).into())
                    + TimeDelta::minutes(minutes.unwrap_or(0).into());
                // What lies before the calendar begins is its beginning.
                cut.checked_sub_signed(ago).map_or(DateTime::<Utc>::MIN_UTC, |local| zone.moment(local))
            }
        }
    }
}

impl WindowStep {
    /// The moment so many steps after another.
    fn after(self, from: DateTime<Utc>, steps: u32, zone: TimeZone) -> Option<DateTime<Utc>> {
        let local = zone.at(from).naive_local();
        let days = |days: u64| Some(zone.moment(local.checked_add_days(Days::new(days))?));
        match self {
            _ if steps == 0 => Some(from),
            Self::Hour => from.checked_add_signed(TimeDelta::hours(steps.into())),
            Self::Day => days(steps.into()),
            Self::Week => days(u64::from(steps) * 7),
            Self::Month => Some(zone.moment(local.checked_add_months(Months::new(steps))?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    fn windows(settings: &WindowSettings, now: &str) -> Vec<String> {
        let text = |moment: DateTime<Utc>| moment.format("%Y-%m-%dT%H").to_string();
        settings.windows(moment(now)).map(|window| format!("{}/{}", text(window.low), text(window.high))).collect()
    }

    fn fixed(text: &str) -> WindowEnd {
        WindowEnd::Fixed(moment(text))
    }

    #[test]
    fn a_window_that_is_not_cut_is_one() {
        let mut settings = WindowSettings {
            from: fixed("2026-01-01T08:00:00Z"),
            to: WindowEnd::Now,
            step: None,
            is_last_partial: true,
        };
        assert_eq!(windows(&settings, "2026-01-03T01:00:00Z"), ["2026-01-01T08/2026-01-03T01"]);
        settings.is_last_partial = false;
        assert_eq!(windows(&settings, "2026-01-03T01:00:00Z"), ["2026-01-01T08/2026-01-03T01"]);
        assert!(windows(&settings, "2025-01-03T01:00:00Z").is_empty());
    }

    #[test]
    fn days_are_those_of_the_calendar_and_the_last_one_may_be_shorter() {
        // Clocks in Los Angeles go forward on March 8.
        let mut settings = WindowSettings {
            from: fixed("2026-03-07T08:00:00Z"),
            to: fixed("2026-03-09T12:00:00Z"),
            step: Some(WindowStep::Day),
            is_last_partial: true,
        };
        let all = ["2026-03-07T08/2026-03-08T08", "2026-03-08T08/2026-03-09T07", "2026-03-09T07/2026-03-09T12"];
        assert_eq!(windows(&settings, "2026-04-01T00:00:00Z"), all);
        settings.is_last_partial = false;
        assert_eq!(windows(&settings, "2026-04-01T00:00:00Z"), all[..2]);
    }

    #[test]
    fn a_day_begins_at_midnight_in_summer_and_in_winter() {
        // Clocks in Los Angeles go back on November 1.
        let settings = WindowSettings {
            from: fixed("2026-10-31T07:00:00Z"),
            to: fixed("2026-11-03T08:00:00Z"),
            step: Some(WindowStep::Day),
            is_last_partial: false,
        };
        let all = ["2026-10-31T07/2026-11-01T07", "2026-11-01T07/2026-11-02T08", "2026-11-02T08/2026-11-03T08"];
        assert_eq!(windows(&settings, "2027-01-01T00:00:00Z"), all);
    }

    #[test]
    fn months_are_counted_from_the_first_one() {
        let settings = WindowSettings {
            from: fixed("2026-01-31T08:00:00Z"),
            to: fixed("2026-04-10T00:00:00Z"),
            step: Some(WindowStep::Month),
            is_last_partial: false,
        };
        let all = ["2026-01-31T08/2026-02-28T08", "2026-02-28T08/2026-03-31T07"];
        assert_eq!(windows(&settings, "2026-05-01T00:00:00Z"), all);
    }

    #[test]
    fn how_long_ago_is_cut_to_its_smallest_part() {
        let now = moment("2026-07-10T15:45:30Z");
        let zone = TimeZone::UTC;
        let before = |days, hours, minutes| WindowEnd::Before { days, hours, minutes, zone }.moment(now).to_rfc3339();
        assert_eq!(before(1, None, None), "2026-07-09T00:00:00+00:00");
        assert_eq!(before(1, Some(2), None), "2026-07-09T13:00:00+00:00");
        assert_eq!(before(0, Some(0), Some(10)), "2026-07-10T15:35:00+00:00");
        assert_eq!(before(100_000, None, None), "1752-09-24T00:00:00+00:00");
    }
}
