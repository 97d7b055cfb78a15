//! Values in PostgreSQL's own text form, as its `DateStyle` ISO and `IntervalStyle` `iso_8601` write them.

use std::fmt::Write;

use super::calendar::{Date, MICROSECONDS_PER_DAY};

/// Appends a real: the shortest digits, with an exponent where it is below -4 or above 14.
pub(super) fn push_real(out: &mut String, value: f64) {
    if value.is_finite() {
        push_digits(out, ryu::Buffer::new().format_finite(value), 15);
    } else {
        push_not_finite(out, value);
    }
}

/// Appends a real of single precision, in its own shortest digits: an exponent above 5.
pub(super) fn push_small_real(out: &mut String, value: f32) {
    if value.is_finite() {
        push_digits(out, ryu::Buffer::new().format_finite(value), 6);
    } else {
        push_not_finite(out, f64::from(value));
    }
}

fn push_not_finite(out: &mut String, value: f64) {
    out.push_str(if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    });
}

/// Lays out the digits that `shortest` has, in whatever form, as C's `%g` would with this precision.
fn push_digits(out: &mut String, shortest: &str, precision: i32) {
    let (sign, shortest) = shortest.strip_prefix('-').map_or(("", shortest), |rest| ("-", rest));
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((shortest, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = [whole, fraction].concat();
    let leading = all.bytes().take_while(|byte| *byte == b'0').count();
    let digits = all[leading..].trim_end_matches('0');
    out.push_str(sign);
    if digits.is_empty() {
        return out.push('0');
    }
    let point = |count: usize| i32::try_from(count).unwrap_or(0);
    // The power of ten of the first digit.
    let power = exponent.parse::<i32>().unwrap_or(0) + point(whole.len()) - point(leading) - 1;
    if power < -4 || power >= precision {
        out.push_str(&digits[..1]);
        if digits.len() > 1 {
            out.push('.');
            out.push_str(&digits[1..]);
        }
        let _ = write!(out, "e{}{:02}", if power < 0 { '-' } else { '+' }, power.abs());
    } else if power < 0 {
        out.push_str("0.");
        (1..-power).for_each(|_| out.push('0'));
        out.push_str(digits);
    } else {
        let whole = usize::try_from(power).unwrap_or(0) + 1;
        out.push_str(&digits[..whole.min(digits.len())]);
        (digits.len()..whole).for_each(|_| out.push('0'));
        if digits.len() > whole {
            out.push('.');
            out.push_str(&digits[whole..]);
        }
    }
}

/// Appends a date by its days since 2000-01-01.
pub(super) fn push_date(out: &mut String, days: i32) {
    match days {
        i32::MAX => out.push_str("infinity"),
        i32::MIN => out.push_str("-infinity"),
        days => {
            let date = Date::of(i64::from(days));
            push_calendar_date(out, &date);
            push_era(out, &date);
        }
    }
}

/// Appends a time by its microseconds since midnight.
pub(super) fn push_time(out: &mut String, microseconds: i64) {
    let (seconds, fraction) = (microseconds / 1_000_000, microseconds % 1_000_000);
    let _ = write!(out, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    push_fraction(out, fraction);
}

/// Appends a moment by its microseconds since 2000-01-01, with the zone `+00` or without one.
pub(super) fn push_timestamp(out: &mut String, microseconds: i64, has_zone: bool) {
    match microseconds {
        i64::MAX => out.push_str("infinity"),
        i64::MIN => out.push_str("-infinity"),
        microseconds => {
            let date = Date::of(microseconds.div_euclid(MICROSECONDS_PER_DAY));
            push_calendar_date(out, &date);
            out.push(' ');
            push_time(out, microseconds.rem_euclid(MICROSECONDS_PER_DAY));
            if has_zone {
                out.push_str("+00");
            }
            push_era(out, &date);
        }
    }
}

/// Appends an interval in the form of ISO 8601.
pub(super) fn push_interval(out: &mut String, months: i32, days: i32, microseconds: i64) {
    if (months, days, microseconds) == (0, 0, 0) {
        return out.push_str("PT0S");
    }
    out.push('P');
    let mut part = |value: i64, unit: char| {
        if value != 0 {
            let _ = write!(out, "{value}{unit}");
        }
    };
    part(i64::from(months / 12), 'Y');
    part(i64::from(months % 12), 'M');
    part(i64::from(days), 'D');
    if microseconds == 0 {
        return;
    }
    out.push('T');
    let seconds = microseconds / 1_000_000;
    let mut part = |value: i64, unit: char| {
        if value != 0 {
            let _ = write!(out, "{value}{unit}");
        }
    };
    part(seconds / 3600, 'H');
    part(seconds / 60 % 60, 'M');
    let (seconds, fraction) = (seconds % 60, microseconds % 1_000_000);
    if seconds != 0 || fraction != 0 {
        if microseconds < 0 {
            out.push('-');
        }
        let _ = write!(out, "{}", seconds.abs());
        push_fraction(out, fraction.abs());
        out.push('S');
    }
}

/// Appends bytes as `\x` and two digits for each.
pub(super) fn push_hex(out: &mut String, bytes: &[u8]) {
    out.push_str("\\x");
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
}

fn push_calendar_date(out: &mut String, date: &Date) {
    let year = if date.year > 0 { date.year } else { 1 - date.year };
    let _ = write!(out, "{year:04}-{:02}-{:02}", date.month, date.day);
}

fn push_era(out: &mut String, date: &Date) {
    if date.year <= 0 {
        out.push_str(" BC");
    }
}

/// Appends the digits behind the second, as many as there are.
fn push_fraction(out: &mut String, microseconds: i64) {
    if microseconds != 0 {
        let digits = format!(".{microseconds:06}");
        out.push_str(digits.trim_end_matches('0'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(push: impl FnOnce(&mut String)) -> String {
        let mut out = String::new();
        push(&mut out);
        out
    }

    #[test]
    fn reals_are_as_the_server_writes_them() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (100.0, "100"),
            (0.1, "0.1"),
            (-1.5, "-1.5"),
            (1e14, "100000000000000"),
            (1e15, "1e+15"),
            (1.5e20, "1.5e+20"),
            (0.0001, "0.0001"),
            (0.000_012, "1.2e-05"),
            (1e-300, "1e-300"),
            (f64::MAX, "1.7976931348623157e+308"),
            (123_456_789.012_345_67, "123456789.01234567"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(written(|out| push_real(out, value)), text);
        }
        for (value, text) in [(0.1, "0.1"), (1e5, "100000"), (1e6, "1e+06"), (f32::INFINITY, "Infinity")] {
            assert_eq!(written(|out| push_small_real(out, value)), text);
        }
    }

    #[test]
    fn moments_are_as_the_server_writes_them() {
        assert_eq!(written(|out| push_date(out, 0)), "2000-01-01");
        assert_eq!(written(|out| push_date(out, -730_120)), "0001-12-31 BC");
        assert_eq!(written(|out| push_date(out, i32::MIN)), "-infinity");
        assert_eq!(written(|out| push_timestamp(out, 500_000, false)), "2000-01-01 00:00:00.5");
        assert_eq!(written(|out| push_timestamp(out, -1, true)), "1999-12-31 23:59:59.999999+00");
        assert_eq!(written(|out| push_time(out, 86_400_000_000)), "24:00:00");
    }

    #[test]
    fn intervals_are_those_of_iso_8601() {
        for ((months, days, microseconds), text) in [
            ((0, 0, 0), "PT0S"),
            ((14, 3, 14_400_000_000), "P1Y2M3DT4H"),
            ((-14, 0, -1_500_000), "P-1Y-2MT-1.5S"),
            ((0, 0, -500_000), "PT-0.5S"),
            ((0, 1, 61_000_000), "P1DT1M1S"),
        ] {
            assert_eq!(written(|out| push_interval(out, months, days, microseconds)), text);
        }
    }

    #[test]
    fn bytes_are_hexadecimal() {
        assert_eq!(written(|out| push_hex(out, &[0, 171])), "\\x00ab");
    }
}
