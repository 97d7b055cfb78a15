//! PostgreSQL's `numeric` as it travels: digits of base 10,000.

use arrow_buffer::i256;

use super::{Malformed, fixed};

const NEGATIVE: u16 = 0x4000;
const NOT_A_NUMBER: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const MINUS_INFINITY: u16 = 0xF000;

/// A number, as it was received.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numeric<'a> {
    /// The power of 10,000 of the first digit.
    weight: i16,
    sign: u16,
    /// How many decimal digits are shown behind the point.
    scale: u16,
    /// Two bytes each.
    digits: &'a [u8],
}

/// The number has no such decimal: it is not finite, or has too many digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoDecimal;

/// An integer that decimals are made of.
pub(super) trait Unscaled: Sized + Copy {
    fn from_small(value: u16) -> Self;
    /// `self * factor + digit`, if that fits.
    fn appended(self, factor: u16, digit: u16) -> Option<Self>;
    fn negated(self) -> Self;
}

impl Unscaled for i128 {
    fn from_small(value: u16) -> Self {
        Self::from(value)
    }

    #[inline]
    fn appended(self, factor: u16, digit: u16) -> Option<Self> {
        self.checked_mul(Self::from(factor))?.checked_add(Self::from(digit))
    }

    fn negated(self) -> Self {
        -self
    }
}

impl Unscaled for i256 {
    fn from_small(value: u16) -> Self {
        Self::from_i128(i128::from(value))
    }

    fn appended(self, factor: u16, digit: u16) -> Option<Self> {
        self.checked_mul(Self::from_small(factor))?.checked_add(Self::from_small(digit))
    }

    fn negated(self) -> Self {
        self.wrapping_neg()
    }
}

impl<'a> Numeric<'a> {
    pub(super) fn read(raw: &'a [u8]) -> Result<Self, Malformed> {
        let (head, digits) = raw.split_at_checked(8).ok_or(Malformed)?;
        let part = |at: usize| fixed::<2>(&head[at..at + 2]);
        let count = usize::from(u16::from_be_bytes(part(0)?));
        if digits.len() != 2 * count || digits.chunks_exact(2).any(|digit| digit_of(digit) > 9999) {
            return Err(Malformed);
        }
        Ok(Self {
            weight: i16::from_be_bytes(part(2)?),
            sign: u16::from_be_bytes(part(4)?),
            scale: u16::from_be_bytes(part(6)?),
            digits,
        })
    }

    /// The number times ten to the power of `scale`.
    pub(super) fn unscaled<T: Unscaled>(&self, scale: i8) -> Result<T, NoDecimal> {
        if !matches!(self.sign, 0 | NEGATIVE) {
            return Err(NoDecimal);
        }
        let mut value = T::from_small(0);
        // How many decimal digits of the scale are still to come behind the digits so far.
        let mut to_come = i32::from(scale) + 4 * (i32::from(self.weight) + 1);
        for digit in self.digits.chunks_exact(2) {
            let digit = digit_of(digit);
            to_come -= 4;
            let (factor, digit) = match to_come {
                0.. => (10_000, digit),
                -3..=-1 => {
                    let cut = 10_u16.pow(to_come.unsigned_abs());
                    if !digit.is_multiple_of(cut) {
                        return Err(NoDecimal);
                    }
                    (10_000 / cut, digit / cut)
                }
                _ if digit == 0 => continue,
                _ => return Err(NoDecimal),
            };
            value = value.appended(factor, digit).ok_or(NoDecimal)?;
        }
        if !self.digits.is_empty() {
            while to_come > 0 {
                let step = to_come.min(4);
                value = value.appended(10_u16.pow(step.unsigned_abs()), 0).ok_or(NoDecimal)?;
                to_come -= step;
            }
        }
        Ok(if self.sign == NEGATIVE { value.negated() } else { value })
    }

    /// Appends it as the server writes it.
    pub(super) fn push_text(&self, out: &mut Vec<u8>) {
        match self.sign {
            NOT_A_NUMBER => return out.extend_from_slice(b"NaN"),
            INFINITY => return out.extend_from_slice(b"Infinity"),
            MINUS_INFINITY => return out.extend_from_slice(b"-Infinity"),
            NEGATIVE => out.push(b'-'),
            _ => {}
        }
        let whole = i32::from(self.weight) + 1;
        if whole <= 0 {
            out.push(b'0');
        }
        for place in 0..whole {
            let digits = self.four_digits(place);
            let from = if place == 0 { digits[..3].iter().take_while(|digit| **digit == b'0').count() } else { 0 };
            out.extend_from_slice(&digits[from..]);
        }
        if self.scale > 0 {
            out.push(b'.');
            let end = out.len() + usize::from(self.scale);
            let mut place = whole;
            while out.len() < end {
                let digits = self.four_digits(place);
                out.extend_from_slice(&digits[..(end - out.len()).min(4)]);
                place += 1;
            }
        }
    }

    /// The digit at a place from the first one, in four decimal ones.
    fn four_digits(&self, place: i32) -> [u8; 4] {
        let digit =
            usize::try_from(place).ok().and_then(|place| self.digits.chunks_exact(2).nth(place)).map_or(0, digit_of);
        let decimal = |power: u16| b'0' + u8::try_from(digit / power % 10).unwrap_or(0);
        [decimal(1000), decimal(100), decimal(10), decimal(1)]
    }
}

fn digit_of(bytes: &[u8]) -> u16 {
    u16::from_be_bytes([bytes[0], bytes[1]])
}

/// Appends the text of a decimal: its unscaled digits, and how many of them stand behind the point.
pub(super) fn push_decimal(out: &mut Vec<u8>, unscaled: &str, scale: i8) {
    let (sign, digits) = unscaled.strip_prefix('-').map_or(("", unscaled), |digits| ("-", digits));
    let scale = usize::try_from(scale).unwrap_or(0);
    out.extend_from_slice(sign.as_bytes());
    let whole = digits.len().saturating_sub(scale);
    out.extend_from_slice(if whole == 0 { b"0" } else { &digits.as_bytes()[..whole] });
    if scale > 0 {
        out.push(b'.');
        out.resize(out.len() + scale - (digits.len() - whole), b'0');
        out.extend_from_slice(&digits.as_bytes()[whole..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(weight: i16, sign: u16, scale: u16, digits: &[u16]) -> Vec<u8> {
        let count = u16::try_from(digits.len()).unwrap();
        let mut raw = Vec::new();
        raw.extend(count.to_be_bytes());
        raw.extend(weight.to_be_bytes());
        raw.extend(sign.to_be_bytes());
        raw.extend(scale.to_be_bytes());
        raw.extend(digits.iter().flat_map(|digit| digit.to_be_bytes()));
        raw
    }

    fn text(raw: &[u8]) -> String {
        let mut out = Vec::new();
        Numeric::read(raw).unwrap().push_text(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_read_digit_by_digit() {
        for (raw, scale, unscaled, shown) in [
            (raw(0, 0, 0, &[]), 2, 0_i128, "0"),
            (raw(0, 0, 2, &[12, 3400]), 2, 1234, "12.34"),
            (raw(1, NEGATIVE, 3, &[1, 2, 5000]), 3, -10_002_500, "-10002.500"),
            (raw(-1, 0, 5, &[12, 3000]), 5, 123, "0.00123"),
            (raw(-2, 0, 8, &[12]), 8, 12, "0.00000012"),
            (raw(2, 0, 0, &[7]), 1, 7_000_000_000, "700000000"),
        ] {
            assert_eq!(Numeric::read(&raw).unwrap().unscaled::<i128>(scale), Ok(unscaled));
            assert_eq!(Numeric::read(&raw).unwrap().unscaled::<i256>(scale), Ok(i256::from_i128(unscaled)));
            assert_eq!(text(&raw), shown);
        }
    }

    #[test]
    fn the_longest_numbers_fit() {
        // 38 nines, 20 of them behind the point.
        let longest = raw(4, 0, 20, &[99, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999]);
        assert_eq!(Numeric::read(&longest).unwrap().unscaled::<i128>(20), Ok(10_i128.pow(38) - 1));
        let longest = raw(4, 0, 18, &[9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9900]);
        assert_eq!(Numeric::read(&longest).unwrap().unscaled::<i128>(18), Ok(10_i128.pow(38) - 1));
    }

    #[test]
    fn what_is_no_decimal_is_text_alone() {
        for (raw, shown) in [
            (raw(0, NOT_A_NUMBER, 0, &[]), "NaN"),
            (raw(0, INFINITY, 0, &[]), "Infinity"),
            (raw(0, MINUS_INFINITY, 0, &[]), "-Infinity"),
            (raw(0, 0, 4, &[1, 2345]), "1.2345"),
        ] {
            assert_eq!(Numeric::read(&raw).unwrap().unscaled::<i128>(2), Err(NoDecimal));
            assert_eq!(text(&raw), shown);
        }
        for bad in [&[0_u8, 1][..], &raw(0, 0, 0, &[10_000]), &raw(0, 0, 0, &[1])[..9]] {
            assert!(Numeric::read(bad).is_err());
        }
    }

    #[test]
    fn a_decimal_has_its_scale() {
        for (unscaled, scale, shown) in [("0", 2, "0.00"), ("-5", 3, "-0.005"), ("1234", 2, "12.34"), ("7", 0, "7")] {
            let mut out = Vec::new();
            push_decimal(&mut out, unscaled, scale);
            assert_eq!(String::from_utf8(out).unwrap(), shown);
        }
    }
}
