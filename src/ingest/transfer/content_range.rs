/// `Content-Range` in bytes (RFC 9110, section 14.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentRange {
    /// The first and the last byte, from 0; `None` in an answer that has none of them.
    pub bytes: Option<(u64, u64)>,
    /// How many bytes the whole has, if that is known.
    pub total: Option<u64>,
}

impl ContentRange {
    /// Reads the value of the header: `bytes 5-9/10`, `bytes 5-9/*`, `bytes */10`.
    ///
    /// ```
    /// use rejoin::ingest::transfer::ContentRange;
    ///
    /// let range = ContentRange::parse("bytes 5-9/10").unwrap();
    /// assert_eq!((range.bytes, range.total), (Some((5, 9)), Some(10)));
    /// assert_eq!(ContentRange::parse("bytes 9-5/10"), None);
    /// ```
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let (unit, rest) = value.trim().split_once(' ')?;
        if !unit.eq_ignore_ascii_case("bytes") {
            return None;
        }
        let (range, total) = rest.trim().split_once('/')?;
        let total = if total == "*" { None } else { Some(number(total)?) };
        let bytes = if range == "*" {
            None
        } else {
            let (first, last) = range.split_once('-')?;
            Some((number(first)?, number(last)?)).filter(|(first, last)| first <= last)
        };
        let is_inside = bytes.zip(total).is_none_or(|((_, last), total)| last < total);
        let says_something = bytes.is_some() || (range == "*" && total.is_some());
        (is_inside && says_something).then_some(Self { bytes, total })
    }
}

fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_or_is_none() {
        let range = |bytes, total| Some(ContentRange { bytes, total });
        assert_eq!(ContentRange::parse("Bytes 0-0/1"), range(Some((0, 0)), Some(1)));
        assert_eq!(ContentRange::parse("bytes 5-9/*"), range(Some((5, 9)), None));
        assert_eq!(ContentRange::parse("bytes */10"), range(None, Some(10)));
        for wrong in [
            "",
            "bytes",
            "bytes 5-9",
            "lines 5-9/10",
            "bytes 5-10/10",
            "bytes 9-5/10",
            "bytes */*",
            "bytes -5/10",
            "bytes 5-99999999999999999999/*",
            "bytes +5-9/10",
        ] {
            assert_eq!(ContentRange::parse(wrong), None, "{wrong}");
        }
    }
}
