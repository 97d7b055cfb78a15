//! Moments as the documents write them: `xs:dateTime` in UTC.

use chrono::{DateTime, SecondsFormat, Utc};

/// Reads `2026-11-21T21:40:00Z`, with up to nine digits of a fraction. Other time zones, leap seconds and the year 0 are not
/// read. `schemas/types.xsd` says the same.
pub(super) fn parse(text: &str) -> Option<DateTime<Utc>> {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    let (seconds, rest) = text.split_at_checked(SHAPE.len())?;
    let fits = |(byte, shape): (u8, &u8)| if *shape == b'0' { byte.is_ascii_digit() } else { byte == *shape };
    let fraction = rest.strip_suffix('Z')?;
    let fraction_is_good = match fraction.strip_prefix('.') {
        Some(digits) => (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()),
        None => fraction.is_empty(),
    };
    if !seconds.bytes().zip(SHAPE).all(fits)
        || !fraction_is_good
        || seconds.starts_with("0000")
        || seconds.ends_with("60")
    {
        return None;
    }
    Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc())
}

/// Writes a moment to the millisecond.
pub(super) fn write(time: &DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_and_written() {
        for (text, written) in [
            ("2026-11-21T21:40:00Z", "2026-11-21T21:40:00.000Z"),
            ("2026-11-21T21:40:00.5Z", "2026-11-21T21:40:00.500Z"),
            ("2024-02-29T23:59:59.999999999Z", "2024-02-29T23:59:59.999Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(parse(text).map(|time| write(&time)).as_deref(), Some(written));
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            "2026-11-21",
            "2026-11-21T21:40:00",
            "2026-11-21T21:40:00+00:00",
            "2026-11-21t21:40:00Z",
            "2026-11-21T21:40:00z",
            "2026-11-21 21:40:00Z",
            "2026-11-21T21:40:00.Z",
            "2026-11-21T21:40:00.0000000000Z",
            "2026-11-21T24:00:00Z",
            "2026-11-21T21:40:60Z",
            "2026-02-29T21:40:00Z",
            "0000-01-01T00:00:00Z",
            "-2026-11-21T21:40:00Z",
            "12026-11-21T21:40:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
