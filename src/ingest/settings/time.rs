use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, FixedOffset, Offset, Timelike, Utc};

/// A time zone by its name in the tz database: `UTC`, `America/Los_Angeles`; or an offset such as `+02:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeZone(Zone);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Zone {
    Named(chrono_tz::Tz),
    Fixed(FixedOffset),
}

impl TimeZone {
    /// Universal time.
    pub const UTC: Self = Self(Zone::Named(chrono_tz::Tz::UTC));

    /// The zone that holds for DIL's properties where none is named.
    pub const LOS_ANGELES: Self = Self(Zone::Named(chrono_tz::Tz::America__Los_Angeles));

    /// Finds a zone. `None`: there is none of that name.
    ///
    /// ```
    /// use rejoin::ingest::settings::TimeZone;
    ///
    /// assert!(TimeZone::parse("Europe/Vienna").is_some());
    /// assert!(TimeZone::parse("-08:00").is_some());
    /// assert!(TimeZone::parse("Europe/Viena").is_none());
    /// ```
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "Z" | "GMT" => Some(Self::UTC),
            _ if name.starts_with(['+', '-']) => {
                FixedOffset::from_str(name).ok().map(|offset| Self(Zone::Fixed(offset)))
            }
            _ => chrono_tz::Tz::from_str(name).ok().map(|zone| Self(Zone::Named(zone))),
        }
    }

    /// The names of the tz database, for a suggestion.
    pub fn names() -> impl Iterator<Item = &'static str> {
        chrono_tz::TZ_VARIANTS.iter().copied().map(chrono_tz::Tz::name)
    }

    /// A moment as the clocks of the zone show it.
    #[must_use]
    pub fn at(self, moment: DateTime<Utc>) -> DateTime<FixedOffset> {
        match self.0 {
            Zone::Named(zone) => moment.with_timezone(&zone).fixed_offset(),
            Zone::Fixed(offset) => moment.with_timezone(&offset),
        }
    }

    /// The moment at which the clocks of the zone show that time: the first of two, and where they jump over it, as if they
    /// hadn't.
    #[must_use]
    pub fn moment(self, local: chrono::NaiveDateTime) -> DateTime<Utc> {
        use chrono::TimeZone as _;
        let found = match self.0 {
            Zone::Named(zone) => zone.from_local_datetime(&local).map(|time| time.to_utc()),
            Zone::Fixed(offset) => offset.from_local_datetime(&local).map(|time| time.to_utc()),
        };
        // In a gap the offset of the day before holds.
        found.earliest().unwrap_or_else(|| {
            let offset = self.at(local.and_utc() - chrono::TimeDelta::days(1)).offset().fix();
            (local - offset).and_utc()
        })
    }
}

/// How a moment is written: a pattern of Joda-Time and Java, such as `yyyy-MM-dd'T'HH:mm:ss.SSSZZ`.
///
/// | letters | what |
/// |---|---|
/// | `y`, `u`, `x`, `Y` | year; `yy` its last two digits |
/// | `M` | month: `M` 7, `MM` 07, `MMM` Jul, `MMMM` July |
/// | `d`, `D` | day of the month, of the year |
/// | `E`, `e` | day of the week: `E` Tue, `EEEE` Tuesday, `e` 2 |
/// | `w` | week of the year (ISO) |
/// | `H`, `k`, `h`, `K` | hour: 0 to 23, 1 to 24, 1 to 12, 0 to 11 |
/// | `a` | AM or PM |
/// | `m`, `s`, `S` | minute, second, digits of a fraction |
/// | `Z`, `ZZ`, `XXX` | offset: `-0800`, `-08:00`, `-08:00` or `Z` |
/// | `'text'`, `''` | text, a quote |
///
/// `YYYY` is the year, as in Joda-Time: patterns that mean Java's week year don't exist in the configurations of DIL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimePattern {
    text: Box<str>,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(Box<str>),
    Letters(char, usize),
}

const LETTERS: &str = "yuxYMdDEewHkhKamsSZX";

impl TimePattern {
    /// Reads a pattern.
    ///
    /// ```
    /// use chrono::DateTime;
    /// use rejoin::ingest::settings::{TimePattern, TimeZone};
    ///
    /// let moment = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    /// let pattern = TimePattern::parse("yyyy-MM-dd'T'HH:mm:ssZZ").unwrap();
    /// assert_eq!(pattern.format(TimeZone::UTC.at(moment)), "2023-11-14T22:13:20+00:00");
    /// assert!(TimePattern::parse("yyyy-MM-ddTHH:mm").unwrap_err().contains("'T'"));
    /// ```
    ///
    /// # Errors
    ///
    /// What is wrong, as a sentence without an end.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text.chars().peekable();
        while let Some(letter) = rest.next() {
            if letter == '\'' {
                if rest.next_if_eq(&'\'').is_some() {
                    plain.push('\'');
                    continue;
                }
                quoted(&mut rest, &mut plain)?;
            } else if letter.is_ascii_alphabetic() {
                if !LETTERS.contains(letter) {
                    return Err(format!(
                        "`{letter}` stands for nothing in a pattern; text stands in quotes: '{letter}'"
                    ));
                }
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain).into()));
                }
                let mut count = 1;
                while rest.next_if_eq(&letter).is_some() {
                    count += 1;
                }
                if count > 9 {
                    return Err(format!("{count} times `{letter}` are too many: 9 may be"));
                }
                parts.push(Part::Letters(letter, count));
            } else {
                plain.push(letter);
            }
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain.into()));
        }
        Ok(Self { text: text.into(), parts })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Writes a moment.
    #[must_use]
    pub fn format(&self, time: DateTime<FixedOffset>) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Letters(letter, count) => text.push_str(&field(*letter, *count, time)),
            }
        }
        text
    }
}

/// The text up to the closing quote.
fn quoted(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, plain: &mut String) -> Result<(), String> {
    loop {
        match rest.next() {
            Some('\'') if rest.next_if_eq(&'\'').is_some() => plain.push('\''),
            Some('\'') => return Ok(()),
            Some(other) => plain.push(other),
            None => return Err("a quote is not closed".to_owned()),
        }
    }
}

fn field(letter: char, count: usize, time: DateTime<FixedOffset>) -> String {
    let padded = |number: u32| format!("{number:0count$}");
    match letter {
        'y' | 'u' | 'Y' | 'x' if count == 2 => format!("{:02}", time.year().rem_euclid(100)),
        'y' | 'u' | 'Y' | 'x' => format!("{:0count$}", time.year()),
        'M' if count == 3 => time.format("%b").to_string(),
        'M' if count > 3 => time.format("%B").to_string(),
        'M' => padded(time.month()),
        'd' => padded(time.day()),
        'D' => padded(time.ordinal()),
        'E' if count > 3 => time.format("%A").to_string(),
        'E' => time.format("%a").to_string(),
        'e' => padded(time.weekday().number_from_monday()),
        'w' => padded(time.iso_week().week()),
        'H' => padded(time.hour()),
        'k' => padded(if time.hour() == 0 { 24 } else { time.hour() }),
        'h' => padded(time.hour12().1),
        'K' => padded(time.hour() % 12),
        'a' => time.format("%p").to_string(),
        'm' => padded(time.minute()),
        's' => padded(time.second()),
        'S' => format!("{:09}", time.nanosecond() % 1_000_000_000)[..count].to_owned(),
        'X' if time.offset().local_minus_utc() == 0 => "Z".to_owned(),
        'Z' if count == 1 => time.format("%z").to_string(),
        'X' if count < 3 => time.format("%z").to_string(),
        _ => time.format("%:z").to_string(),
    }
}

impl fmt::Display for TimePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(seconds: i64, nanos: u32) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, nanos).unwrap()
    }

    #[test]
    fn patterns_are_written_as_joda_time_writes_them() {
        let zone = TimeZone::parse("America/Los_Angeles").unwrap();
        // 2023-07-04, a Tuesday, five past midnight in universal time.
        let time = zone.at(moment(1_688_429_106, 123_000_000));
        for (pattern, text) in [
            ("yyyy-MM-dd", "2023-07-03"),
            ("yyyyMMdd", "20230703"),
            ("yyyy-MM-dd'T'HH:mm:ss.SSSZ", "2023-07-03T17:05:06.123-0700"),
            ("yyyy-MM-dd'T'HH:mm:ss.SSSSSSZZ", "2023-07-03T17:05:06.123000-07:00"),
            ("d/M/yy h:mm a", "3/7/23 5:05 PM"),
            ("EEE, dd MMM yyyy HH:mm:ss", "Mon, 03 Jul 2023 17:05:06"),
            ("EEEE MMMM DDD", "Monday July 184"),
            ("'week' w, e 'o''clock' K k", "week 27, 1 o'clock 5 17"),
            ("''yyyy''", "'2023'"),
        ] {
            assert_eq!(TimePattern::parse(pattern).unwrap().format(time), text, "{pattern}");
        }
        let utc = TimeZone::UTC.at(moment(0, 0));
        assert_eq!(TimePattern::parse("yyyy-MM-dd'T'HH:mm:ssXXX").unwrap().format(utc), "1970-01-01T00:00:00Z");
        assert_eq!(TimePattern::parse("h K k H a").unwrap().format(utc), "12 0 24 0 AM");
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for pattern in ["yyyy-MM-ddTHH", "'open", "yyyyyyyyyyy", "G"] {
            assert!(TimePattern::parse(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn a_time_that_clocks_jump_over_is_as_if_they_had_not() {
        let zone = TimeZone::LOS_ANGELES;
        let local = |text: &str| chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
        assert_eq!(zone.moment(local("2026-03-08 02:30")).to_rfc3339(), "2026-03-08T10:30:00+00:00");
        assert_eq!(zone.moment(local("2026-11-01 01:30")).to_rfc3339(), "2026-11-01T08:30:00+00:00");
        assert_eq!(zone.moment(local("2026-07-01 00:00")).to_rfc3339(), "2026-07-01T07:00:00+00:00");
    }
}
