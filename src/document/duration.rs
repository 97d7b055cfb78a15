//! Durations as the documents write them: milliseconds as a whole number, or an `xs:duration`.

use std::fmt::Write;
use std::time::Duration;

/// The longest duration that is read: a thousand years of milliseconds, far inside of every clock's range.
const LONGEST_MILLIS: u64 = 1000 * 366 * 24 * 60 * 60 * 1000;

/// Reads milliseconds or an `xs:duration` of days, hours, minutes and seconds. Years and months have no fixed length and are
/// not read; neither is what is negative, longer than a thousand years, or written with more than twelve digits (nine behind
/// the point). What is shorter than a millisecond counts as a whole one.
///
/// `schemas/types.xsd` says the same.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let millis = match text.strip_prefix('P') {
        Some(rest) => parse_xs_duration(rest)?,
        None => digits(text, 14)?,
    };
    (millis <= LONGEST_MILLIS).then(|| Duration::from_millis(millis))
}

/// The part after `P`: `nDTnHnMn.nS`, each part at most once and at least one in all.
fn parse_xs_duration(text: &str) -> Option<u64> {
    let (days, time) = match text.split_once('T') {
        Some((_, "")) => return None,
        Some((days, time)) => (days, time),
        None if text.is_empty() => return None,
        None => (text, ""),
    };
    let mut millis: u64 = 0;
    if !days.is_empty() {
        millis = scaled(days.strip_suffix('D')?, 24 * 60 * 60 * 1000)?;
    }
    let mut rest = time;
    for (unit, scale) in [('H', 60 * 60 * 1000), ('M', 60 * 1000)] {
        if let Some((number, after)) = rest.split_once(unit) {
            millis = millis.checked_add(scaled(number, scale)?)?;
            rest = after;
        }
    }
    if !rest.is_empty() {
        millis = millis.checked_add(parse_seconds(rest.strip_suffix('S')?)?)?;
    }
    Some(millis)
}

fn parse_seconds(text: &str) -> Option<u64> {
    let Some((whole, fraction)) = text.split_once('.') else {
        return scaled(text, 1000);
    };
    let width = u32::try_from(fraction.len()).ok()?;
    let nanos = digits(fraction, 9)? * 10_u64.pow(9 - width);
    scaled(whole, 1000)?.checked_add(nanos.div_ceil(1_000_000))
}

fn scaled(text: &str, scale: u64) -> Option<u64> {
    digits(text, 12)?.checked_mul(scale)
}

fn digits(text: &str, most: usize) -> Option<u64> {
    if text.is_empty() || text.len() > most || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// The form in which durations are written: whole milliseconds.
pub(super) fn write(duration: Duration) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    let _ = write!(text, "{}", duration.as_millis());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_and_xs_durations_are_read() {
        for (text, millis) in [
            ("0", 0),
            ("600000", 600_000),
            ("PT10M", 600_000),
            ("PT24H", 86_400_000),
            ("P1D", 86_400_000),
            ("P1DT1H1M1.5S", 90_061_500),
            ("PT0.0019S", 2),
            ("PT0.000000001S", 1),
            ("PT0.000S", 0),
            ("P366000D", 31_622_400_000_000),
            ("31622400000000", 31_622_400_000_000),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_has_no_fixed_or_sensible_length_is_refused() {
        for text in [
            "",
            "-1",
            "+1",
            "1.5",
            "P",
            "PT",
            "P1Y",
            "P1M",
            "P1DT",
            "PT1S1M",
            "-PT1S",
            "PT.5S",
            "PT1.S",
            "1e3",
            "PT99999999999999H",
            "PT999999999999H",
            "P366001D",
            "P366000DT0.000000001S",
            "PT0.0000000001S",
            "000000000000001",
            "PTS",
            "PT1H1H",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
