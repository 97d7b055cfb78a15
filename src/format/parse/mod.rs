//! How values are read from text: the other way round from [`text`](super::text), and a little more widely.

mod column;
mod decimal;
mod interval;
mod list;
mod rows;
mod temporal;

pub(crate) use column::ColumnBuilder;
pub(super) use rows::{BLOCK_VALUES, RowsBuilder};
pub(super) use temporal::{milliseconds, parse_date, parse_timestamp};

/// Reads a truth value: `true`, `t`, `1`, `false`, `f` or `0`.
fn parse_boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "t" | "1" => Some(true),
        "false" | "f" | "0" => Some(false),
        _ => None,
    }
}

/// Reads a real: digits, with a power of ten if need be, or `NaN`, `Infinity`, `-Infinity`.
fn parse_real<T: std::str::FromStr>(text: &str) -> Option<T> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'));
    let is_word = matches!(text, "NaN" | "Infinity" | "-Infinity");
    if is_number || is_word { text.parse().ok() } else { None }
}
