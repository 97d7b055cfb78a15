//! Values in the text form of MariaDB, and decimals from it.

use std::io::Write;

use arrow_buffer::i256;
use chrono::{DateTime, Datelike, NaiveDate, Timelike};
use mysql_async::Value;

/// Days from 0001-01-01 to 1970-01-01, as `chrono` counts them.
const EPOCH: i32 = 719_163;

const MICROS: i64 = 1_000_000;

/// The day, counted from 1970; `None` if the calendar does not have it.
pub(super) fn day(year: u16, month: u8, day: u8) -> Option<i32> {
    let date = NaiveDate::from_ymd_opt(i32::from(year), u32::from(month), u32::from(day))?;
    Some(date.num_days_from_ce() - EPOCH)
}

/// The microseconds of a time of day.
pub(super) fn time_of_day(hour: u8, minute: u8, second: u8, micros: u32) -> i64 {
    ((i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second)) * MICROS + i64::from(micros)
}

/// The microseconds of a moment from 1970 on.
pub(super) fn moment(day: i32, time_of_day: i64) -> i64 {
    i64::from(day) * 86_400 * MICROS + time_of_day
}

/// Writes a value as the server would, with `decimals` digits of a fraction where it has one. `is_date`: without a time.
pub(super) fn write(out: &mut Vec<u8>, value: &Value, decimals: u8, is_date: bool) {
    // Writing to memory does not fail.
    let _ = match value {
        Value::NULL => Ok(()),
        Value::Bytes(bytes) => out.write_all(bytes),
        Value::Int(value) => write!(out, "{value}"),
        Value::UInt(value) => write!(out, "{value}"),
        Value::Float(value) => write!(out, "{value}"),
        Value::Double(value) => write!(out, "{value}"),
        Value::Date(year, month, day, ..) if is_date => write!(out, "{year:04}-{month:02}-{day:02}"),
        Value::Date(year, month, day, hour, minute, second, micros) => {
            let _ = write!(out, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}");
            write_fraction(out, *micros, decimals)
        }
        Value::Time(is_negative, days, hours, minutes, seconds, micros) => {
            let sign = if *is_negative { "-" } else { "" };
            let hours = days * 24 + u32::from(*hours);
            let _ = write!(out, "{sign}{hours:02}:{minutes:02}:{seconds:02}");
            write_fraction(out, *micros, decimals)
        }
    };
}

fn write_fraction(out: &mut Vec<u8>, micros: u32, decimals: u8) -> std::io::Result<()> {
    if decimals == 0 && micros == 0 {
        return Ok(());
    }
    let digits = format!("{micros:06}");
    let decimals = if decimals == 0 { 6 } else { usize::from(decimals.min(6)) };
    write!(out, ".{}", &digits[..decimals])
}

/// The value that a day stands for.
pub(super) fn day_value(day: i32) -> Value {
    date_value(moment(day, 0))
}

/// The value that the microseconds of a moment stand for.
pub(super) fn date_value(micros: i64) -> Value {
    let Some(moment) = DateTime::from_timestamp_micros(micros) else { return Value::NULL };
    let moment = moment.naive_utc();
    // They came out of a value with these very fields.
    let small = |number: u32| u8::try_from(number).unwrap_or_default();
    Value::Date(
        u16::try_from(moment.year()).unwrap_or_default(),
        small(moment.month()),
        small(moment.day()),
        small(moment.hour()),
        small(moment.minute()),
        small(moment.second()),
        moment.nanosecond() / 1000,
    )
}

/// The value that the microseconds of a time of day stand for, which may be 24 hours.
pub(super) fn time_value(micros: i64) -> Value {
    const DAY: i64 = 86_400 * MICROS;
    let days = u32::try_from(micros.div_euclid(DAY)).unwrap_or_default();
    match date_value(micros.rem_euclid(DAY)) {
        Value::Date(_, _, _, hour, minute, second, micros) => Value::Time(false, days, hour, minute, second, micros),
        other => other,
    }
}

/// The days, and the microseconds, of which the server has a date: from year 1 to year 9999.
pub(super) fn has_day(day: i32) -> bool {
    const LAST: i32 = 2_932_896;
    (1 - EPOCH..=LAST).contains(&day)
}

/// As [`has_day`], of a moment.
pub(super) fn has_moment(micros: i64) -> bool {
    i32::try_from(micros.div_euclid(86_400 * MICROS)).is_ok_and(has_day)
}

/// The digits of a decimal as one number, without the point; `None` if it has another scale, or is none.
pub(super) fn unscaled(text: &[u8], scale: usize) -> Option<i128> {
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let (whole, fraction) = parts(digits, scale)?;
    let mut value: i128 = 0;
    for digit in whole.iter().chain(fraction) {
        value = value.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
    }
    Some(if is_negative { -value } else { value })
}

/// As [`unscaled`], of as many digits as a decimal can have.
pub(super) fn unscaled_wide(text: &[u8], scale: usize) -> Option<i256> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, fraction) = parts(digits, scale)?;
    let mut joined = String::with_capacity(text.len());
    joined.push_str(if digits.len() < text.len() { "-" } else { "" });
    joined.extend(whole.iter().chain(fraction).map(|digit| char::from(*digit)));
    i256::from_string(&joined)
}

/// The digits before and behind the point, of which there must be `scale`.
fn parts(digits: &[u8], scale: usize) -> Option<(&[u8], &[u8])> {
    let (whole, fraction) = match memchr::memchr(b'.', digits) {
        Some(point) => (&digits[..point], &digits[point + 1..]),
        None => (digits, &[][..]),
    };
    let is_number = !whole.is_empty() && whole.iter().chain(fraction).all(u8::is_ascii_digit);
    (is_number && fraction.len() == scale).then_some((whole, fraction))
}

/// Writes a number of digits with its point.
pub(super) fn write_decimal(out: &mut Vec<u8>, unscaled: &str, scale: usize) {
    let (sign, digits) = unscaled.strip_prefix('-').map_or(("", unscaled), |digits| ("-", digits));
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    out.extend_from_slice(sign.as_bytes());
    out.extend_from_slice(whole.as_bytes());
    if scale > 0 {
        out.push(b'.');
        out.extend_from_slice(fraction.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &Value, decimals: u8) -> String {
        let mut out = Vec::new();
        write(&mut out, value, decimals, false);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn moments_are_written_as_the_server_writes_them() {
        assert_eq!(written(&Value::Date(0, 0, 0, 0, 0, 0, 0), 0), "0000-00-00 00:00:00");
        assert_eq!(written(&Value::Date(2026, 11, 0, 8, 5, 0, 500_000), 3), "2026-11-00 08:05:00.500");
        assert_eq!(written(&Value::Time(true, 34, 22, 59, 59, 0), 0), "-838:59:59");
        assert_eq!(written(&Value::Time(false, 0, 8, 0, 1, 7), 6), "08:00:01.000007");
    }

    #[test]
    fn moments_come_back_as_what_they_were() {
        for (year, month, date) in [(1970, 1, 1), (1, 1, 1), (9999, 12, 31), (2024, 2, 29)] {
            let days = day(year, month, date).unwrap();
            assert_eq!(day_value(days), Value::Date(year, month, date, 0, 0, 0, 0));
            let micros = moment(days, time_of_day(23, 59, 58, 999_999));
            assert_eq!(date_value(micros), Value::Date(year, month, date, 23, 59, 58, 999_999));
        }
        let (first, last) = (day(1, 1, 1).unwrap(), day(9999, 12, 31).unwrap());
        assert!(has_day(first) && has_day(last) && !has_day(first - 1) && !has_day(last + 1));
        assert!(has_moment(moment(first, 0)) && !has_moment(moment(first, -1)) && !has_moment(moment(last + 1, 0)));
        assert_eq!(day(2026, 2, 30), None);
        assert_eq!(day(2026, 0, 1), None);
        assert_eq!(written(&time_value(time_of_day(24, 0, 0, 0)), 6), "24:00:00.000000");
        assert_eq!(time_value(time_of_day(23, 1, 2, 3)), Value::Time(false, 0, 23, 1, 2, 3));
    }

    #[test]
    fn decimals_keep_each_digit() {
        for (text, scale, number) in [("-12.50", 2, -1250), ("0.05", 2, 5), ("7", 0, 7), ("-0.1", 1, -1)] {
            assert_eq!(unscaled(text.as_bytes(), scale), Some(number));
            assert_eq!(unscaled_wide(text.as_bytes(), scale), Some(i256::from_i128(number)));
            let mut out = Vec::new();
            write_decimal(&mut out, &number.to_string(), scale);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
        for wrong in ["", "1.5", "x", "1e5", "--1", "1.2.3"] {
            assert_eq!(unscaled(wrong.as_bytes(), 2), None, "{wrong}");
        }
    }
}
