//! What can be told of a number from its digits.

/// How a number of JSON is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digits<'a> {
    is_negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: i32,
}

impl<'a> Digits<'a> {
    /// Takes a number of JSON apart; an exponent that nobody means is taken for one that is very large.
    pub(super) fn of(number: &'a str) -> Self {
        let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
        let is_negative = mantissa.starts_with('-');
        let mantissa = mantissa.trim_start_matches('-');
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        Self { is_negative, whole, fraction, exponent: exponent.parse().unwrap_or(i32::MAX) }
    }

    /// Whether it is written as a whole number.
    pub(super) fn is_integer(self) -> bool {
        self.fraction.is_empty() && self.exponent == 0
    }

    /// How many digits stand before the point and how many behind it, if it is written without an exponent.
    pub(super) fn places(self) -> Option<(usize, usize)> {
        let whole = self.whole.trim_start_matches('0').len();
        (self.exponent == 0).then_some((whole, self.fraction.len()))
    }

    /// Its digits without zeros at either end, and the power of ten of the last one: equal for numbers that are equal.
    fn normal(self) -> (bool, String, i64) {
        let digits = format!("{}{}", self.whole, self.fraction);
        let power = i64::from(self.exponent) - i64::try_from(self.fraction.len()).unwrap_or(i64::MAX);
        let kept = digits.trim_end_matches('0');
        let power = power + i64::try_from(digits.len() - kept.len()).unwrap_or(0);
        let kept = kept.trim_start_matches('0');
        if kept.is_empty() { (false, String::new(), 0) } else { (self.is_negative, kept.to_owned(), power) }
    }
}

/// Whether a real of 64 bits is written again as the same number: nothing of it is rounded.
pub(super) fn is_exact_real(number: &str) -> bool {
    // Every decimal of 15 digits is a different real (IEEE 754, section 5.12.2), as long as it is in the range.
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    if digits <= 15 && !number.contains(['e', 'E']) {
        return true;
    }
    let Ok(real) = number.parse::<f64>() else { return false };
    real.is_finite() && Digits::of(ryu::Buffer::new().format_finite(real)).normal() == Digits::of(number).normal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_real_is_exact_if_it_is_written_again_as_the_same_number() {
        for exact in ["0", "-0.0", "1.50", "0.30000000000000004", "1e3", "1.5e300", "123456789012345680000", "5e-324"] {
            assert!(is_exact_real(exact), "{exact}");
        }
        for rounded in [
            "12345678901234567890.12",
            "0.12345678901234567891",
            "9007199254740993",
            "1e400",
            "1e-400",
            "1e99999999999",
        ] {
            assert!(!is_exact_real(rounded), "{rounded}");
        }
    }

    #[test]
    fn the_places_of_a_decimal_are_counted() {
        assert_eq!(Digits::of("-0012.340").places(), Some((2, 3)));
        assert_eq!(Digits::of("1e3").places(), None);
        assert!(Digits::of("-12").is_integer() && !Digits::of("1.0").is_integer());
    }
}
