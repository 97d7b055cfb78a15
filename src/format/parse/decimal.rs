use arrow_buffer::i256;

/// Reads a decimal into an integer of so many digits, `scale` of them behind the point. One that has more of them behind the
/// point, or more altogether, is none: nothing is rounded.
pub(super) fn parse_decimal128(text: &str, precision: u8, scale: i8) -> Option<i128> {
    let digits = Digits::of(text, precision, scale)?;
    digits.text.parse::<i128>().ok().map(|value| if digits.is_negative { -value } else { value })
}

/// [`parse_decimal128`] for up to 76 digits.
pub(super) fn parse_decimal256(text: &str, precision: u8, scale: i8) -> Option<i256> {
    let digits = Digits::of(text, precision, scale)?;
    let value = i256::from_string(&digits.text)?;
    Some(if digits.is_negative { value.wrapping_neg() } else { value })
}

struct Digits {
    is_negative: bool,
    /// At least one.
    text: String,
}

impl Digits {
    fn of(text: &str, precision: u8, scale: i8) -> Option<Self> {
        let is_negative = text.starts_with('-');
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        if (whole.is_empty() && fraction.is_empty())
            || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit())
        {
            return None;
        }
        let places = usize::try_from(scale).ok()?;
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        if fraction.len() > places || whole.len() + places > usize::from(precision) {
            return None;
        }
        let mut digits = format!("{whole}{fraction:0<places$}");
        if digits.is_empty() {
            digits.push('0');
        }
        Some(Self { is_negative, text: digits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_rounded() {
        let parse = |text| parse_decimal128(text, 5, 2);
        assert_eq!(parse("123.4"), Some(12_340));
        assert_eq!(parse("-0.05"), Some(-5));
        assert_eq!(parse("+1"), Some(100));
        assert_eq!(parse(".5"), Some(50));
        assert_eq!(parse("0001.5000"), Some(150));
        assert_eq!(parse("0"), Some(0));
        for text in ["1.234", "1234", "", ".", "-", "1e2", "1,5", "NaN", "--1", "1.2.3"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_longest_are_read() {
        let nines = "9".repeat(76);
        assert_eq!(parse_decimal256(&format!("-{nines}"), 76, 0), i256::from_string(&format!("-{nines}")));
        assert_eq!(parse_decimal128(&"9".repeat(38), 38, 0), Some(i128::pow(10, 38) - 1));
    }
}
