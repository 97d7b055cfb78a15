//! Reals: the shortest digits that read back as the same number, in two notations.

/// Appends a real in the notation that Java's and most other languages' readers take: `100.0`, `1e20`, `Infinity`, `NaN`.
#[inline]
pub(crate) fn push_java_real(out: &mut String, value: f64) {
    if value.is_finite() {
        out.push_str(ryu::Buffer::new().format_finite(value));
    } else {
        push_not_finite(out, value);
    }
}

/// [`push_java_real`] for single precision.
#[inline]
pub(crate) fn push_java_real32(out: &mut String, value: f32) {
    if value.is_finite() {
        out.push_str(ryu::Buffer::new().format_finite(value));
    } else {
        push_not_finite(out, value.into());
    }
}

/// Appends a real as PostgreSQL writes it: `100`, `1e+20`, `1e-05`, `Infinity`, `NaN`.
#[inline]
pub(crate) fn push_sql_real(out: &mut String, value: f64) {
    let size = value.abs();
    // Within these bounds both notations put the point where it belongs.
    if (1e-4..1e15).contains(&size) {
        let mut buffer = ryu::Buffer::new();
        let text = buffer.format_finite(value);
        out.push_str(text.strip_suffix(".0").unwrap_or(text));
    } else if value.is_finite() {
        push_far_real(out, value, ryu::Buffer::new().format_finite(value));
    } else {
        push_not_finite(out, value);
    }
}

/// [`push_sql_real`] for single precision, which goes over to powers of ten at a million.
#[inline]
pub(crate) fn push_sql_real32(out: &mut String, value: f32) {
    let size = value.abs();
    if (1e-4..1e6).contains(&size) {
        let mut buffer = ryu::Buffer::new();
        let text = buffer.format_finite(value);
        out.push_str(text.strip_suffix(".0").unwrap_or(text));
    } else if value.is_finite() {
        push_far_real32(out, value, ryu::Buffer::new().format_finite(value));
    } else {
        push_not_finite(out, value.into());
    }
}

#[cold]
fn push_not_finite(out: &mut String, value: f64) {
    if value.is_nan() {
        out.push_str("NaN");
    } else {
        out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
    }
}

#[cold]
fn push_far_real(out: &mut String, value: f64, shortest: &str) {
    let bits = value.to_bits();
    let binary = Binary::of(bits & ((1 << 52) - 1), bits >> 52 & 0x7FF, 52, 1075);
    push_powers(out, shortest, &binary, |text| text.parse() == Ok(value), |places| format!("{value:.places$e}"));
}

#[cold]
fn push_far_real32(out: &mut String, value: f32, shortest: &str) {
    let bits = u64::from(value.to_bits());
    let binary = Binary::of(bits & ((1 << 23) - 1), bits >> 23 & 0xFF, 23, 150);
    push_powers(out, shortest, &binary, |text| text.parse() == Ok(value), |places| format!("{value:.places$e}"));
}

/// Appends the shortest digits that mean a number, whichever way their reader rounds.
///
/// Where the very shortest lie exactly between two numbers, only a reader that rounds to the even one finds the number that
/// was meant. PostgreSQL does not rely on that and writes more: `9.999999999999999e+22` and not `1e+23`.
fn push_powers(
    out: &mut String,
    shortest: &str,
    binary: &Binary,
    is_same: impl Fn(&str) -> bool,
    with_places: impl Fn(usize) -> String,
) {
    let mut digits = Decimal::parse(shortest);
    if binary.is_beside(&digits) {
        let longer = (0..17).map(with_places).filter(|text| is_same(text)).map(|text| Decimal::parse(&text));
        digits = longer.into_iter().find(|longer| !binary.is_beside(longer)).unwrap_or(digits);
    }
    digits.push(out);
}

/// A number as `mantissa · 2^exponent`.
struct Binary {
    mantissa: u64,
    exponent: i32,
}

impl Binary {
    /// From the parts of a floating-point number: the bits behind the point, the exponent as it is stored, the number of
    /// bits, and what is added to the exponent.
    fn of(fraction: u64, stored: u64, bits: u32, bias: i32) -> Self {
        // Without the leading one are only numbers far too small to be met here.
        Self { mantissa: fraction | 1 << bits, exponent: i32::try_from(stored).unwrap_or(0) - bias }
    }

    /// Whether a decimal lies exactly between this number and one of its neighbours.
    fn is_beside(&self, decimal: &Decimal) -> bool {
        // 5^27 is the largest power that 64 bits hold, and a number half way has a mantissa of no more than 56.
        let Ok(power @ 0..=27) = u32::try_from(decimal.exponent) else { return false };
        let decimal = without_twos(u128::from(decimal.digits) * u128::from(5_u64.pow(power)), decimal.exponent);
        let is_at = |mantissa: u64, exponent: i32| without_twos(mantissa.into(), exponent) == decimal;
        // Below a power of two the neighbour is half as far.
        is_at(2 * self.mantissa + 1, self.exponent - 1)
            || is_at(2 * self.mantissa - 1, self.exponent - 1)
            || (self.mantissa.is_power_of_two() && is_at(4 * self.mantissa - 1, self.exponent - 2))
    }
}

/// A number as an integer and a power of ten.
#[derive(Clone, Copy)]
struct Decimal {
    is_negative: bool,
    digits: u64,
    exponent: i32,
}

impl Decimal {
    /// Takes a text such as `1.5e20`, `0.0` or `100.0` apart; there are no zeros at the end of its digits.
    fn parse(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (mut digits, mut places) = (0_u64, 0);
        let mut behind_point = false;
        for byte in mantissa.bytes() {
            match byte {
                b'0'..=b'9' => {
                    digits = 10 * digits + u64::from(byte - b'0');
                    places += i32::from(behind_point);
                }
                b'.' => behind_point = true,
                _ => {}
            }
        }
        let mut exponent = exponent.parse().unwrap_or(0) - places;
        while digits != 0 && digits % 10 == 0 {
            digits /= 10;
            exponent += 1;
        }
        Self { is_negative: mantissa.starts_with('-'), digits, exponent }
    }

    /// Appends the number as PostgreSQL does where it writes powers of ten, and `0` for zero.
    fn push(&self, out: &mut String) {
        if self.is_negative {
            out.push('-');
        }
        if self.digits == 0 {
            out.push('0');
            return;
        }
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(self.digits);
        let (first, rest) = digits.split_at(1);
        out.push_str(first);
        if !rest.is_empty() {
            out.push('.');
            out.push_str(rest);
        }
        // At most 17 digits.
        let exponent = self.exponent + i32::try_from(rest.len()).unwrap_or(0);
        out.push_str(if exponent < 0 { "e-" } else { "e+" });
        if exponent.abs() < 10 {
            out.push('0');
        }
        out.push_str(itoa::Buffer::new().format(exponent.abs()));
    }
}

/// The same number with an odd mantissa.
fn without_twos(mantissa: u128, exponent: i32) -> (u128, i32) {
    let twos = mantissa.trailing_zeros().min(127);
    (mantissa >> twos, exponent + i32::try_from(twos).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql(value: f64) -> String {
        let mut out = String::new();
        push_sql_real(&mut out, value);
        out
    }

    fn sql32(value: f32) -> String {
        let mut out = String::new();
        push_sql_real32(&mut out, value);
        out
    }

    /// What PostgreSQL 15 gives for `SELECT x::float8::text`.
    #[test]
    fn doubles_look_as_in_postgresql() {
        for (value, expected) in [
            (100.0, "100"),
            (-0.0, "-0"),
            (0.1, "0.1"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (123_456_789_012_345.0, "123456789012345"),
            (1e15, "1e+15"),
            (1.5e-7, "1.5e-07"),
            (1e20, "1e+20"),
            (1e100, "1e+100"),
            (1e23, "9.999999999999999e+22"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(sql(value), expected);
        }
    }

    /// What PostgreSQL 15 gives for `SELECT x::float4::text`.
    #[test]
    fn singles_look_as_in_postgresql() {
        for (value, expected) in [
            (0.1, "0.1"),
            (999_999.0, "999999"),
            (1e6, "1e+06"),
            (16_777_216.0, "1.6777216e+07"),
            (0.000_099, "9.9e-05"),
            (f32::MAX, "3.4028235e+38"),
            (f32::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(sql32(value), expected);
        }
    }

    #[test]
    fn both_notations_read_back_as_the_same_number() {
        let mut bits = 0x9E37_79B9_7F4A_7C15_u64;
        for _ in 0..20_000 {
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            let value = f64::from_bits(bits);
            if value.is_finite() {
                let mut java = String::new();
                push_java_real(&mut java, value);
                assert_eq!(sql(value).parse(), Ok(value));
                assert_eq!(java.parse(), Ok(value));
            }
            let single = f32::from_bits((bits >> 32) as u32);
            if single.is_finite() {
                assert_eq!(sql32(single).parse(), Ok(single));
            }
        }
    }
}
