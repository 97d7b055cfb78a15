//! Which type of `java.sql.Types` a column is announced as.

use arrow_schema::{DataType, TimeUnit};

use crate::document::activities::TemporalColumns;

/// The largest `int` of Java, for what has no bound.
pub(super) const UNBOUNDED: usize = 2_147_483_647;

/// What a document says about a column by its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ColumnType {
    /// The code of `java.sql.Types`.
    pub(super) code: i32,
    /// Its name, where the source has none.
    pub(super) name: &'static str,
    pub(super) display_size: usize,
    pub(super) precision: usize,
    pub(super) scale: i8,
    pub(super) is_number: bool,
    pub(super) is_text: bool,
}

impl ColumnType {
    /// The type that a column is announced as, unless it has one that rows don't have.
    ///
    /// What Java's reader has no place for (spans, lists) is text, and so are dates and times unless they are asked for as
    /// milliseconds.
    pub(super) fn of(data_type: &DataType, temporal: TemporalColumns) -> Option<Self> {
        let as_milliseconds = temporal == TemporalColumns::Milliseconds;
        Some(match data_type {
            DataType::Int8 => number(-6, "TINYINT", 4, 3),
            DataType::Int16 => number(5, "SMALLINT", 6, 5),
            DataType::UInt8 => number(5, "SMALLINT", 3, 3),
            DataType::Int32 => number(4, "INTEGER", 11, 10),
            DataType::UInt16 => number(4, "INTEGER", 5, 5),
            DataType::Int64 => number(-5, "BIGINT", 20, 19),
            DataType::UInt32 => number(-5, "BIGINT", 10, 10),
            DataType::UInt64 => number(3, "DECIMAL", 20, 20),
            DataType::Float32 => number(7, "REAL", 15, 9),
            DataType::Float64 => number(8, "DOUBLE", 24, 17),
            DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
                // Room for a sign and a point.
                let digits = usize::from(*precision);
                Self { scale: *scale, ..number(3, "DECIMAL", digits + 2, digits) }
            }
            DataType::Boolean => other(16, "BOOLEAN", 5),
            DataType::Utf8 => text("VARCHAR", UNBOUNDED),
            DataType::Binary => other(-3, "VARBINARY", UNBOUNDED),
            DataType::Date32 if as_milliseconds => other(91, "DATE", 10),
            DataType::Time64(TimeUnit::Microsecond) if as_milliseconds => other(92, "TIME", 12),
            DataType::Timestamp(TimeUnit::Microsecond, _) if as_milliseconds => other(93, "TIMESTAMP", 24),
            DataType::Date32 => text("DATE", 10),
            DataType::Time64(TimeUnit::Microsecond) => text("TIME", 15),
            DataType::Timestamp(TimeUnit::Microsecond, None) => text("TIMESTAMP", 26),
            DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => text("TIMESTAMP WITH TIME ZONE", 27),
            DataType::Interval(_) => text("INTERVAL", 64),
            DataType::List(_) => text("ARRAY", UNBOUNDED),
            _ => return None,
        })
    }
}

/// The type of the values of a column that a document announces by a code: text, if the code says nothing better.
pub(super) fn data_type_of(code: i32, precision: Option<u8>, scale: Option<i8>) -> DataType {
    let digits = precision.unwrap_or(0);
    let scale = scale.unwrap_or(0);
    let fits = (0..=i16::from(digits)).contains(&i16::from(scale));
    match code {
        -7 | 16 => DataType::Boolean,
        -6 => DataType::Int8,
        5 => DataType::Int16,
        4 => DataType::Int32,
        -5 => DataType::Int64,
        7 => DataType::Float32,
        6 | 8 => DataType::Float64,
        2 | 3 if fits && (1..=38).contains(&digits) => DataType::Decimal128(digits, scale),
        2 | 3 if fits && (39..=76).contains(&digits) => DataType::Decimal256(digits, scale),
        -4..=-2 | 2004 => DataType::Binary,
        91 => DataType::Date32,
        92 => DataType::Time64(TimeUnit::Microsecond),
        93 => DataType::Timestamp(TimeUnit::Microsecond, None),
        _ => DataType::Utf8,
    }
}

fn number(code: i32, name: &'static str, display_size: usize, precision: usize) -> ColumnType {
    ColumnType { code, name, display_size, precision, scale: 0, is_number: true, is_text: false }
}

fn other(code: i32, name: &'static str, display_size: usize) -> ColumnType {
    ColumnType { code, name, display_size, precision: 0, scale: 0, is_number: false, is_text: false }
}

fn text(name: &'static str, display_size: usize) -> ColumnType {
    ColumnType { is_text: true, ..other(12, name, display_size) }
}

/// Whether Java's reader takes a text for a value of the announced type; the name of the type if it does not.
///
/// It is asked of texts in a column that began with another type.
pub(super) fn check(text: &str, announced: &DataType, temporal: TemporalColumns) -> Result<(), &'static str> {
    let Some(column_type) = ColumnType::of(announced, temporal) else { return Ok(()) };
    let fits = match column_type.code {
        -6 => text.parse::<i8>().is_ok(),
        5 => text.parse::<i16>().is_ok(),
        4 => text.parse::<i32>().is_ok(),
        -5 => text.parse::<i64>().is_ok(),
        3 => is_decimal(text),
        7 | 8 => is_real(text),
        16 => text.parse::<bool>().is_ok(),
        91..=93 => false,
        _ => true,
    };
    if fits { Ok(()) } else { Err(column_type.name) }
}

/// Whether the text is one for a `double`: Java knows fewer words for what is not finite than we do.
fn is_real(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite) || matches!(text, "Infinity" | "-Infinity" | "NaN")
}

fn is_decimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.')) && text.parse::<f64>().is_ok()
}
