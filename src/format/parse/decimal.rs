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
        let (mantissa, exponent) =
            unsigned.split_once(['e', 'E']).map_or(Some((unsigned, 0)), |(mantissa, exponent)| {
                Some((mantissa, exponent.parse::<i32>().ok().filter(|exponent| exponent.abs() <= MOST_EXPONENT)?))
            })?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_number = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !is_number {
            return None;
        }
        let moved;
        let (whole, fraction) = if exponent == 0 {
            (whole, fraction)
        } else {
            moved = moved_point(whole, fraction, exponent);
            moved.split_once('.')?
        };
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

/// The largest power of ten that is looked at: no decimal has as many digits.
const MOST_EXPONENT: i32 = 400;

/// The same digits with the point so many places further to the right.
fn moved_point(whole: &str, fraction: &str, places: i32) -> String {
    let zeros = "0".repeat(places.unsigned_abs() as usize);
    let digits = if places < 0 { format!("{zeros}{whole}{fraction}") } else { format!("{whole}{fraction}{zeros}") };
    // In both cases the digits before the point are as many: those that were, and those that were put before or passed over.
    let end = whole.len() + if places < 0 { 0 } else { zeros.len() };
    format!("{}.{}", &digits[..end], &digits[end..])
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
        assert_eq!(parse("1e2"), Some(10_000));
        assert_eq!(parse("0E-10"), Some(0));
        assert_eq!(parse("-12.5E-1"), Some(-125));
        for text in ["1.234", "1234", "", ".", "-", "1e3", "1,5", "1e", "e1", "1e999", "NaN", "--1", "1.2.3"] {
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
