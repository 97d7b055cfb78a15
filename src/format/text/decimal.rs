use arrow_buffer::i256;

/// Appends a decimal of so many digits behind its point, all of which are written.
#[inline]
pub(crate) fn push_decimal128(out: &mut String, value: i128, scale: i8) {
    // Numbers of 64 bits are by far the most, and several times as fast.
    match i64::try_from(value) {
        Ok(value) => push_scaled(out, itoa::Buffer::new().format(value), scale),
        Err(_) => push_scaled(out, itoa::Buffer::new().format(value), scale),
    }
}

/// [`push_decimal128`] for up to 76 digits.
pub(crate) fn push_decimal256(out: &mut String, value: i256, scale: i8) {
    match value.to_i128() {
        Some(value) => push_decimal128(out, value, scale),
        None => push_scaled(out, &value.to_string(), scale),
    }
}

/// Appends the digits of an integer with a point so many digits from their end.
#[inline]
fn push_scaled(out: &mut String, digits: &str, scale: i8) {
    let Ok(places @ 1..) = usize::try_from(scale) else {
        out.push_str(digits);
        if digits != "0" {
            out.extend(std::iter::repeat_n('0', usize::from(scale.unsigned_abs())));
        }
        return;
    };
    let digits = match digits.strip_prefix('-') {
        Some(digits) => {
            out.push('-');
            digits
        }
        None => digits,
    };
    if let Some(whole) = digits.len().checked_sub(places).filter(|whole| *whole > 0) {
        out.push_str(&digits[..whole]);
        out.push('.');
        out.push_str(&digits[whole..]);
    } else {
        out.push_str("0.");
        out.extend(std::iter::repeat_n('0', places - digits.len()));
        out.push_str(digits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(value: i128, scale: i8) -> String {
        let (mut out, mut wide) = (String::new(), String::new());
        push_decimal128(&mut out, value, scale);
        push_decimal256(&mut wide, i256::from_i128(value), scale);
        assert_eq!(out, wide);
        out
    }

    #[test]
    fn all_digits_behind_the_point_are_written() {
        assert_eq!(decimal(12_340, 2), "123.40");
        assert_eq!(decimal(-5, 2), "-0.05");
        assert_eq!(decimal(-12, 2), "-0.12");
        assert_eq!(decimal(0, 3), "0.000");
        assert_eq!(decimal(7, 0), "7");
        assert_eq!(decimal(0, 0), "0");
    }

    #[test]
    fn a_scale_below_zero_stands_for_zeros() {
        assert_eq!(decimal(12, -3), "12000");
        assert_eq!(decimal(-1, -1), "-10");
        assert_eq!(decimal(0, -4), "0");
    }

    #[test]
    fn the_longest_decimals_have_all_their_digits() {
        let nines = i128::pow(10, 38) - 1;
        assert_eq!(decimal(nines, 38), format!("0.{}", "9".repeat(38)));
        let mut out = String::new();
        let wide = i256::from_string(&format!("-{}", "9".repeat(76))).unwrap();
        push_decimal256(&mut out, wide, 70);
        assert_eq!(out, format!("-999999.{}", "9".repeat(70)));
    }
}
