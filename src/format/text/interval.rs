use arrow_buffer::IntervalMonthDayNano;

use super::Ascii;

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// Appends a span of time as ISO 8601 has it, in the form that PostgreSQL gives it: `P1Y2M3DT4H5M6.7S`, with a sign at each
/// part that is negative, and `PT0S` for none at all.
///
/// A span is months, days and a time, which can't be turned into each other: not every month has as many days, nor every
/// day as many hours.
pub(crate) fn push_interval(out: &mut String, span: IntervalMonthDayNano) {
    let IntervalMonthDayNano { months, days, nanoseconds } = span;
    if (months, days, nanoseconds) == (0, 0, 0) {
        out.push_str("PT0S");
        return;
    }
    out.push('P');
    push_part(out, (months / 12).into(), 'Y');
    push_part(out, (months % 12).into(), 'M');
    push_part(out, days.into(), 'D');
    if nanoseconds == 0 {
        return;
    }
    out.push('T');
    push_part(out, nanoseconds / HOUR, 'H');
    push_part(out, nanoseconds % HOUR / MINUTE, 'M');
    let rest = nanoseconds % MINUTE;
    if rest != 0 {
        if rest < 0 {
            out.push('-');
        }
        // Less than a minute.
        let (seconds, fraction) = ((rest / SECOND).unsigned_abs(), (rest % SECOND).unsigned_abs());
        out.push_str(itoa::Buffer::new().format(seconds));
        let mut text = Ascii::new();
        text.push_fraction(u32::try_from(fraction).unwrap_or_default(), 9);
        out.push_str(text.as_str());
        out.push('S');
    }
}

fn push_part(out: &mut String, value: i64, unit: char) {
    if value != 0 {
        out.push_str(itoa::Buffer::new().format(value));
        out.push(unit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(months: i32, days: i32, nanoseconds: i64) -> String {
        let mut out = String::new();
        push_interval(&mut out, IntervalMonthDayNano::new(months, days, nanoseconds));
        out
    }

    #[test]
    fn a_span_is_written_part_by_part() {
        assert_eq!(interval(14, 3, 4 * HOUR), "P1Y2M3DT4H");
        assert_eq!(interval(0, 0, 0), "PT0S");
        assert_eq!(interval(0, 0, SECOND / 2), "PT0.5S");
        assert_eq!(interval(12, 0, MINUTE + 5 * SECOND + 1), "P1YT1M5.000000001S");
        assert_eq!(interval(0, -1, 0), "P-1D");
        assert_eq!(interval(0, 0, 100 * HOUR), "PT100H");
    }

    #[test]
    fn every_part_has_a_sign_of_its_own() {
        assert_eq!(
            interval(-14, 3, -(4 * HOUR + 5 * MINUTE + 6 * SECOND + 789 * 1_000_000)),
            "P-1Y-2M3DT-4H-5M-6.789S"
        );
        assert_eq!(interval(0, 0, -SECOND / 4), "PT-0.25S");
        assert_eq!(interval(i32::MIN, i32::MIN, i64::MIN).chars().filter(|c| *c == '-').count(), 6);
    }
}
