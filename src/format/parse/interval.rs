use arrow_buffer::IntervalMonthDayNano;

/// How many nanoseconds an hour, a minute and a second have.
const UNITS: [(char, i64); 3] = [('H', 3_600_000_000_000), ('M', 60_000_000_000), ('S', 1_000_000_000)];

/// Reads a span of time as ISO 8601 has it: `P1Y2M3DT4H5M6.7S`, with a sign at each part that is negative, or one before all
/// of them.
pub(super) fn parse_interval(text: &str) -> Option<IntervalMonthDayNano> {
    let (text, sign) = text.strip_prefix('-').map_or((text, 1), |text| (text, -1));
    let text = text.strip_prefix('P')?;
    let (date, time) = text.split_once('T').map_or((text, None), |(date, time)| (date, Some(time)));
    if (date.is_empty() && time.is_none()) || time == Some("") {
        return None;
    }
    let (mut months, mut days, mut nanoseconds) = (0_i64, 0_i64, 0_i64);
    let mut rest = date;
    let mut before = 0;
    while !rest.is_empty() {
        let (number, unit, after) = part(rest)?;
        let number: i64 = number.parse().ok()?;
        let place = "YMWD".find(unit)? + 1;
        if place <= before {
            return None;
        }
        before = place;
        match unit {
            'Y' => months = months.checked_add(number.checked_mul(12)?)?,
            'M' => months = months.checked_add(number)?,
            'W' => days = days.checked_add(number.checked_mul(7)?)?,
            _ => days = days.checked_add(number)?,
        }
        rest = after;
    }
    let mut rest = time.unwrap_or("");
    let mut units = UNITS.iter();
    while !rest.is_empty() {
        let (number, unit, after) = part(rest)?;
        let (_, length) = units.find(|(known, _)| *known == unit)?;
        nanoseconds = nanoseconds.checked_add(nanoseconds_of(number, unit, *length)?)?;
        rest = after;
    }
    let months = i32::try_from(months.checked_mul(sign)?).ok()?;
    let days = i32::try_from(days.checked_mul(sign)?).ok()?;
    Some(IntervalMonthDayNano::new(months, days, nanoseconds.checked_mul(sign)?))
}

/// A number, its unit, and what follows.
fn part(text: &str) -> Option<(&str, char, &str)> {
    let end = text.find(|character: char| character.is_ascii_uppercase())?;
    let (number, rest) = text.split_at(end);
    let unit = rest.chars().next()?;
    let is_number = number.strip_prefix('-').unwrap_or(number).starts_with(|first: char| first.is_ascii_digit());
    is_number.then_some((number, unit, &rest[1..]))
}

fn nanoseconds_of(number: &str, unit: char, length: i64) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let whole = whole.parse::<i64>().ok()?.checked_mul(length)?;
    let digits = fraction.trim_end_matches('0');
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit()) && digits.len() <= 9;
    if !is_fraction || (unit != 'S' && number.contains('.')) {
        return None;
    }
    let fraction: i64 = format!("{digits:0<9}").parse().ok()?;
    if number.starts_with('-') { whole.checked_sub(fraction) } else { whole.checked_add(fraction) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::text::push_interval;

    #[test]
    fn what_is_written_is_read() {
        for (months, days, nanoseconds) in [
            (14, 3, 14_400_000_000_000),
            (0, 0, 0),
            (-14, 3, -14_706_789_000_000),
            (0, 0, -250_000_000),
            (i32::MAX, i32::MIN, i64::MAX),
            (i32::MIN, i32::MAX, i64::MIN),
            (1, 0, 1),
        ] {
            let span = IntervalMonthDayNano::new(months, days, nanoseconds);
            let mut text = String::new();
            push_interval(&mut text, span);
            assert_eq!(parse_interval(&text), Some(span), "{text}");
        }
    }

    #[test]
    fn a_span_may_be_negative_as_a_whole_and_have_weeks() {
        assert_eq!(parse_interval("-P1MT1S"), Some(IntervalMonthDayNano::new(-1, 0, -1_000_000_000)));
        assert_eq!(parse_interval("P2W"), Some(IntervalMonthDayNano::new(0, 14, 0)));
        for text in [
            "",
            "P",
            "PT",
            "P1",
            "1D",
            "P1H",
            "PT1D",
            "P1D2Y",
            "PT1S1S",
            "P1.5D",
            "PT1.S",
            "PT0.0000000001S",
            "P+1D",
            "PTS",
        ] {
            assert_eq!(parse_interval(text), None, "{text}");
        }
    }
}
