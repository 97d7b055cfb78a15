//! Dates, times and time stamps.

use super::{Ascii, Style};

/// How many microseconds a day has.
pub(crate) const DAY_MICROSECONDS: i64 = 86_400_000_000;

/// Appends a date, given in days since 1970.
///
/// A year has four digits or more. One before the first is `0044-03-15 BC` in SQL and `-0043-03-15` in ISO 8601, which has a
/// year 0.
#[inline]
pub(crate) fn push_date<S: Style>(out: &mut String, days: i32) {
    let mut text = Ascii::new();
    let is_before_christ = put_date::<S>(&mut text, days.into());
    put_end::<S>(&mut text, is_before_christ);
    out.push_str(text.as_str());
}

/// Appends a time of day, given in microseconds: `08:00:00`, with as much of a fraction as there is.
#[inline]
pub(crate) fn push_time(out: &mut String, microseconds: i64) {
    let mut text = Ascii::new();
    put_time(&mut text, microseconds);
    out.push_str(text.as_str());
}

/// Appends a time stamp, given in microseconds since 1970: `2026-11-21 08:00:00+00` in SQL and `2026-11-21T08:00:00Z` in
/// ISO 8601; without the zone unless it has one, which is always UTC.
#[inline]
pub(crate) fn push_timestamp<S: Style>(out: &mut String, microseconds: i64, has_zone: bool) {
    let mut text = Ascii::new();
    let is_before_christ = put_date::<S>(&mut text, microseconds.div_euclid(DAY_MICROSECONDS));
    text.push(if S::SQL_TIMES { b' ' } else { b'T' });
    put_time(&mut text, microseconds.rem_euclid(DAY_MICROSECONDS));
    if has_zone {
        text.push_all(if S::SQL_TIMES { "+00" } else { "Z" });
    }
    put_end::<S>(&mut text, is_before_christ);
    out.push_str(text.as_str());
}

/// Puts the date without the letters behind it, and says whether there have to be some.
#[inline]
fn put_date<S: Style>(text: &mut Ascii, days: i64) -> bool {
    let (year, month, day) = civil(days);
    let is_before_christ = year <= 0;
    let shown = if is_before_christ && S::SQL_TIMES { 1 - year } else { year };
    if let Ok(shown @ 0..=9999) = u32::try_from(shown) {
        text.push_pair(shown / 100);
        text.push_pair(shown % 100);
    } else {
        if shown < 0 {
            text.push(b'-');
        }
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(shown.unsigned_abs());
        (digits.len()..4).for_each(|_| text.push(b'0'));
        text.push_all(digits);
    }
    text.push(b'-');
    text.push_pair(month);
    text.push(b'-');
    text.push_pair(day);
    is_before_christ
}

#[inline]
fn put_end<S: Style>(text: &mut Ascii, is_before_christ: bool) {
    if is_before_christ && S::SQL_TIMES {
        text.push_all(" BC");
    }
}

#[inline]
fn put_time(text: &mut Ascii, microseconds: i64) {
    // A time of day is never negative and below a hundred hours: 24:00:00 is the last.
    let seconds = u32::try_from(microseconds / 1_000_000).unwrap_or_default();
    let fraction = u32::try_from(microseconds % 1_000_000).unwrap_or_default();
    text.push_pair(seconds / 3600);
    text.push(b':');
    text.push_pair(seconds / 60 % 60);
    text.push(b':');
    text.push_pair(seconds % 60);
    text.push_fraction(fraction, 6);
}

/// Year, month and day of a number of days since 1970, in the Gregorian calendar, which is taken to have held always.
///
/// Years are counted from March, so that the day that a leap year has more is its last.
#[inline]
fn civil(days: i64) -> (i64, u32, u32) {
    /// From the first of March of the year 0 to 1970.
    const BEFORE_1970: i64 = 719_468;
    /// How many days four hundred years have.
    const ERA: i64 = 146_097;

    let day = days + BEFORE_1970;
    let (era, day) = (day.div_euclid(ERA), day.rem_euclid(ERA));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    // Both are small.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    (400 * era + year + next_year, month as u32, day_of_month as u32)
}

#[cfg(test)]
mod tests {
    use super::super::{Iso, Sql};
    use super::*;

    fn date<S: Style>(days: i32) -> String {
        let mut out = String::new();
        push_date::<S>(&mut out, days);
        out
    }

    fn timestamp<S: Style>(microseconds: i64, has_zone: bool) -> String {
        let mut out = String::new();
        push_timestamp::<S>(&mut out, microseconds, has_zone);
        out
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        let first = chrono::NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
        for days in (-800_000..2_900_000).step_by(97) {
            let expected = first + chrono::Duration::days(days.into());
            let (year, month, day) = civil(days.into());
            assert_eq!(expected, chrono::NaiveDate::from_ymd_opt(i32::try_from(year).unwrap(), month, day).unwrap());
        }
    }

    #[test]
    fn years_of_any_length_are_written() {
        assert_eq!(date::<Sql>(20_778), "2026-11-21");
        assert_eq!(date::<Iso>(-719_162), "0001-01-01");
        assert_eq!((date::<Sql>(-719_163), date::<Iso>(-719_163)), ("0001-12-31 BC".into(), "0000-12-31".into()));
        assert_eq!((date::<Sql>(-735_160), date::<Iso>(-735_160)), ("0044-03-15 BC".into(), "-0043-03-15".into()));
        assert_eq!((date::<Sql>(2_932_897), date::<Iso>(2_932_897)), ("10000-01-01".into(), "10000-01-01".into()));
        assert_eq!(date::<Sql>(i32::MAX), "5881580-07-11");
        assert_eq!(date::<Iso>(i32::MIN), "-5877641-06-23");
    }

    #[test]
    fn time_stamps_have_the_fraction_that_they_have() {
        let moment = 20_778 * DAY_MICROSECONDS + 8 * 3_600_000_000;
        assert_eq!(timestamp::<Sql>(moment + 500_000, false), "2026-11-21 08:00:00.5");
        assert_eq!(timestamp::<Sql>(moment, true), "2026-11-21 08:00:00+00");
        assert_eq!(timestamp::<Iso>(moment + 1, true), "2026-11-21T08:00:00.000001Z");
        assert_eq!(timestamp::<Iso>(-1, false), "1969-12-31T23:59:59.999999");
        assert_eq!(timestamp::<Sql>(-735_160 * DAY_MICROSECONDS, true), "0044-03-15 00:00:00+00 BC");
        assert_eq!(timestamp::<Iso>(i64::MIN, false), "-290308-12-21T19:59:05.224192");
    }

    #[test]
    fn a_day_ends_at_its_24th_hour() {
        let time = |microseconds| {
            let mut out = String::new();
            push_time(&mut out, microseconds);
            out
        };
        assert_eq!(time(0), "00:00:00");
        assert_eq!(time(DAY_MICROSECONDS - 1), "23:59:59.999999");
        assert_eq!(time(DAY_MICROSECONDS), "24:00:00");
    }
}
