//! How values are written as text: one file for each family of types, and the two styles that choose among their forms.

mod ascii;
mod base64;
mod decimal;
mod interval;
mod list;
mod real;
mod temporal;

pub(super) use ascii::Ascii;
pub(super) use base64::push_base64;
pub(super) use decimal::{push_decimal128, push_decimal256};
pub(super) use interval::push_interval;
pub(super) use list::push_list;
pub(super) use real::{push_java_real, push_java_real32, push_sql_real, push_sql_real32};
pub(super) use temporal::{DAY_MICROSECONDS, push_date, push_time, push_timestamp};

/// Which of its forms a value is written in, where it has several.
pub(super) trait Style {
    /// Whether dates and times have the forms of SQL and not those of ISO 8601.
    const SQL_TIMES: bool;

    /// Appends a real.
    fn push_real(out: &mut String, value: f64);

    /// Appends a real of single precision.
    fn push_real32(out: &mut String, value: f32);
}

/// As PostgreSQL writes values: `100`, `1e+20`, `2026-11-21 08:00:00+00`.
pub(super) struct Sql;

impl Style for Sql {
    const SQL_TIMES: bool = true;

    #[inline]
    fn push_real(out: &mut String, value: f64) {
        push_sql_real(out, value);
    }

    #[inline]
    fn push_real32(out: &mut String, value: f32) {
        push_sql_real32(out, value);
    }
}

/// As XML Schema and ISO 8601 have it, and Java reads it: `100.0`, `1e20`, `2026-11-21T08:00:00Z`.
pub(super) struct Iso;

impl Style for Iso {
    const SQL_TIMES: bool = false;

    #[inline]
    fn push_real(out: &mut String, value: f64) {
        push_java_real(out, value);
    }

    #[inline]
    fn push_real32(out: &mut String, value: f32) {
        push_java_real32(out, value);
    }
}

/// Appends an integer.
#[inline]
pub(super) fn push_integer(out: &mut String, value: impl itoa::Integer) {
    out.push_str(itoa::Buffer::new().format(value));
}

/// Appends a truth value.
#[inline]
pub(super) fn push_boolean(out: &mut String, value: bool) {
    out.push_str(if value { "true" } else { "false" });
}

/// The first characters of a text, for an error.
pub(super) fn shortened(text: &str) -> String {
    const LENGTH: usize = 60;
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
