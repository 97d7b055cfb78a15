//! Dates, times and time stamps, in the forms of SQL and of ISO 8601.

use arrow_schema::DataType;

use crate::format::text::DAY_MICROSECONDS;

/// Reads a date into days since 1970: `2026-11-21`, `0044-03-15 BC`, `-0043-03-15`.
pub(crate) fn parse_date(text: &str) -> Option<i32> {
    match text.strip_suffix(" BC") {
        Some(text) => days_of(text, true),
        None => days_of(text, false),
    }
    .and_then(|days| days.try_into().ok())
}

/// Reads a time of day into microseconds: `08:00`, `08:00:00.5`. 24:00:00 is one.
pub(super) fn parse_time(text: &str) -> Option<i64> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let mut parts = clock.split(':').map(two_digits);
    let (hours, minutes) = (parts.next()??, parts.next()??);
    let seconds = match parts.next() {
        Some(seconds) => seconds?,
        None if clock.len() == text.len() => 0,
        None => return None,
    };
    let microseconds = microseconds_of(fraction)?;
    let time = (hours * 3600 + minutes * 60 + seconds) * 1_000_000 + microseconds;
    (parts.next().is_none() && minutes < 60 && seconds < 60 && time <= DAY_MICROSECONDS).then_some(time)
}

/// Reads a time stamp into microseconds since 1970: a date, a space or a `T`, a time. With a zone it needs one (`Z`, `+00`,
/// `-03:30`), and is turned into UTC; without one it has none.
pub(crate) fn parse_timestamp(text: &str, has_zone: bool) -> Option<i64> {
    let (text, is_before_christ) = text.strip_suffix(" BC").map_or((text, false), |text| (text, true));
    let (date, time) = text.split_once(['T', ' '])?;
    let (time, offset) = if has_zone { split_zone(time)? } else { (time, 0) };
    let days = days_of(date, is_before_christ)?;
    let moment = i128::from(days) * i128::from(DAY_MICROSECONDS) + i128::from(parse_time(time)? - offset);
    moment.try_into().ok()
}

/// Reads a date, time or time stamp that is given in milliseconds since 1970, as Java's reader wants them: into days for a
/// date, into microseconds for the others. `None` for other types, and for what is no such number.
///
/// A date is taken for the day whose beginning is nearest, because Java writes the beginning of the day in its own zone.
pub(crate) fn milliseconds(text: &str, data_type: &DataType) -> Option<i64> {
    const DAY: i64 = DAY_MICROSECONDS / 1000;
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_temporal = matches!(data_type, DataType::Date32 | DataType::Time64(_) | DataType::Timestamp(..));
    if !is_temporal || digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let milliseconds: i64 = text.parse().ok()?;
    match data_type {
        DataType::Date32 => Some(milliseconds.checked_add(DAY / 2)?.div_euclid(DAY)),
        DataType::Time64(_) if milliseconds == DAY => Some(DAY_MICROSECONDS),
        DataType::Time64(_) => Some(milliseconds.rem_euclid(DAY) * 1000),
        _ => milliseconds.checked_mul(1000),
    }
}

/// Parts a time from its zone, and gives the difference of that to UTC in microseconds.
fn split_zone(time: &str) -> Option<(&str, i64)> {
    if let Some(time) = time.strip_suffix('Z') {
        return Some((time, 0));
    }
    let (time, zone) = time.split_at_checked(time.find(['+', '-'])?)?;
    let digits: String = zone.get(1..)?.chars().filter(|character| *character != ':').collect();
    let part = |from: usize| match digits.get(from..from + 2) {
        Some(part) => two_digits(part),
        None => (digits.len() <= from).then_some(0),
    };
    let seconds = part(0)? * 3600 + part(2)? * 60 + part(4)?;
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    ((2..=6).contains(&digits.len()) && seconds < 86_400).then_some((time, sign * seconds * 1_000_000))
}

/// A number of exactly two digits.
fn two_digits(text: &str) -> Option<i64> {
    match text.as_bytes() {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some(i64::from(10 * (tens - b'0') + (ones - b'0'))),
        _ => None,
    }
}

/// Six digits, or fewer; more only where they are zero.
fn microseconds_of(fraction: &str) -> Option<i64> {
    let digits = fraction.trim_end_matches('0');
    if fraction.is_empty() || digits.len() > 6 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{digits:0<6}").parse().ok()
}

/// Days since 1970 of a date, in the Gregorian calendar, which is taken to have held always.
fn days_of(text: &str, is_before_christ: bool) -> Option<i64> {
    let (year, rest) = text.get(1..)?.split_once('-').map(|(year, rest)| (&text[..=year.len()], rest))?;
    let (month, day) = rest.split_once('-')?;
    let (month, day) = (two_digits(month)?, two_digits(day)?);
    let digits = year.strip_prefix('-').unwrap_or(year);
    if digits.len() < 4 || digits.len() > 7 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut year: i64 = year.parse().ok()?;
    if is_before_christ {
        if year < 1 {
            return None;
        }
        year = 1 - year;
    }
    ((1..=12).contains(&month) && (1..=days_of_month(year, month)).contains(&day))
        .then(|| days_from_civil(year, month, day))
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Years are counted from March, so that the day that a leap year has more is its last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::text::{Iso, Sql, push_date, push_time, push_timestamp};

    #[test]
    fn what_is_written_is_read() {
        for step in -4_000..4_000_i32 {
            let days = step * 536_003 + step;
            let microseconds = i64::from(step) * 2_305_843_009_213_693 + i64::from(step * step);
            let time = microseconds.rem_euclid(DAY_MICROSECONDS + 1);
            let mut texts: [String; 5] = std::array::from_fn(|_| String::new());
            push_date::<Sql>(&mut texts[0], days);
            push_date::<Iso>(&mut texts[1], days);
            push_timestamp::<Sql>(&mut texts[2], microseconds, true);
            push_timestamp::<Iso>(&mut texts[3], microseconds, false);
            push_time(&mut texts[4], time);
            assert_eq!([parse_date(&texts[0]), parse_date(&texts[1])], [Some(days); 2], "{texts:?}");
            assert_eq!(parse_timestamp(&texts[2], true), Some(microseconds), "{texts:?}");
            assert_eq!(parse_timestamp(&texts[3], false), Some(microseconds), "{texts:?}");
            assert_eq!(parse_time(&texts[4]), Some(time), "{texts:?}");
        }
    }

    #[test]
    fn a_zone_is_turned_into_utc() {
        let noon = parse_timestamp("2026-11-21 12:00:00", false);
        for text in [
            "2026-11-21T12:00:00Z",
            "2026-11-21 13:00+01",
            "2026-11-21T08:30:00.000000000-03:30",
            "2026-11-21T12:00:30+00:00:30",
            "2026-11-22T01:45:00+1345",
        ] {
            assert_eq!(parse_timestamp(text, true), noon, "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in
            ["2026-02-29", "2026-13-01", "2026-1-1", "26-01-01", "2026-01-01 ", "", "-", "0000-00-00", "0000-01-01 BC"]
        {
            assert_eq!(parse_date(text), None, "{text}");
        }
        for text in ["24:00:00.000001", "08", "08:60", "8:00", "08:00:00.0000001", "08:00.5", "08:00:00.", "-08:00:00"]
        {
            assert_eq!(parse_time(text), None, "{text}");
        }
        for text in ["2026-11-21", "2026-11-21 08:00:00", "2026-11-21 08:00:00+1", "2026-11-21 08:00:00+24", "infinity"]
        {
            assert_eq!(parse_timestamp(text, true), None, "{text}");
        }
        assert_eq!(parse_timestamp("2026-11-21 08:00:00Z", false), None);
        assert_eq!(parse_timestamp("9999999-01-01 00:00:00", false), None);
    }
}
