//! The types of columns for rows that come from somewhere else.

use arrow_schema::{DataType, TimeUnit};

use crate::resource::ResourceError;

/// The most digits of a decimal, and those of its fraction.
const DIGITS: (u8, i8) = (65, 38);

/// How a column for values of a type is declared.
pub(super) fn declared(name: &str, data_type: &DataType) -> Result<String, ResourceError> {
    Ok(match data_type {
        DataType::Boolean => "BOOLEAN".into(),
        DataType::Int8 => "TINYINT".into(),
        DataType::Int16 => "SMALLINT".into(),
        DataType::Int32 => "INT".into(),
        DataType::Int64 => "BIGINT".into(),
        DataType::UInt8 => "TINYINT UNSIGNED".into(),
        DataType::UInt16 => "SMALLINT UNSIGNED".into(),
        DataType::UInt32 => "INT UNSIGNED".into(),
        DataType::UInt64 => "BIGINT UNSIGNED".into(),
        DataType::Float32 => "FLOAT".into(),
        DataType::Float64 => "DOUBLE".into(),
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale)
            if *precision <= DIGITS.0 && (0..=DIGITS.1).contains(scale) =>
        {
            format!("DECIMAL({precision},{scale})")
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Null => "LONGTEXT".into(),
        DataType::Binary | DataType::LargeBinary => "LONGBLOB".into(),
        DataType::Date32 => "DATE".into(),
        DataType::Time64(TimeUnit::Microsecond) => "TIME(6)".into(),
        // A TIMESTAMP ends in 2038; a DATETIME holds the moment in UTC.
        DataType::Timestamp(TimeUnit::Microsecond, _) => "DATETIME(6)".into(),
        other => {
            return Err(ResourceError::unsupported(format!(
                "MariaDB has no type for the column `{name}` ({other}): make the table before, with a type that takes it"
            )));
        }
    })
}
