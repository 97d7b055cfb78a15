//! The types that columns of rows have, by name.

use std::sync::Arc;

use arrow_schema::{DataType, Field, IntervalUnit, TimeUnit};

/// The zone of all time stamps that have one.
const UTC: &str = "UTC";

/// All types that have one name and no parameters: the name, and what else it is called.
const NAMES: [(&str, &[&str]); 18] = [
    ("boolean", &[]),
    ("int8", &["tinyint"]),
    ("int16", &["smallint"]),
    ("int32", &["integer", "int"]),
    ("int64", &["bigint"]),
    ("uint8", &[]),
    ("uint16", &[]),
    ("uint32", &[]),
    ("uint64", &[]),
    ("float32", &["real"]),
    ("float64", &["double"]),
    ("text", &["varchar"]),
    ("binary", &[]),
    ("date", &[]),
    ("time", &[]),
    ("timestamp", &[]),
    ("timestamptz", &[]),
    ("interval", &[]),
];

/// A type that a column of rows can have, as documents name it: `int64`, `text`, `decimal(10,2)`, `date`, `int32[]`.
///
/// ```
/// use arrow_schema::DataType;
/// use rejoin::block::RowType;
///
/// assert_eq!(RowType::from_name("bigint").unwrap().data_type(), &DataType::Int64);
/// assert_eq!(RowType::from_name("decimal(10,2)").unwrap().to_string(), "decimal(10,2)");
/// assert!(RowType::from_name("money").is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RowType(DataType);

impl RowType {
    /// Text.
    pub const TEXT: Self = Self(DataType::Utf8);

    /// The type of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.trim();
        if let Some(items) = name.strip_suffix("[]") {
            let items = Self::from_name(items).filter(|items| !matches!(items.0, DataType::List(_)))?;
            return Some(Self(list_of(items.0)));
        }
        if let Some(parameters) = name.strip_prefix("decimal") {
            return decimal(parameters).map(Self);
        }
        let (name, _) = NAMES.into_iter().find(|(known, others)| *known == name || others.contains(&name))?;
        Some(Self(simple(name)))
    }

    /// The type of a column, if rows can have it.
    #[must_use]
    pub fn of(data_type: &DataType) -> Option<Self> {
        let is_known = match data_type {
            DataType::Decimal128(..) | DataType::Decimal256(..) | DataType::Timestamp(TimeUnit::Microsecond, _) => true,
            DataType::List(items) => {
                !matches!(items.data_type(), DataType::List(_)) && Self::of(items.data_type()).is_some()
            }
            other => NAMES.iter().any(|(name, _)| simple(name) == *other),
        };
        is_known.then(|| Self(data_type.clone()))
    }

    /// The type as Arrow has it.
    #[must_use]
    pub fn data_type(&self) -> &DataType {
        &self.0
    }

    /// What errors list: all names, without those that a type has besides.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        NAMES.iter().map(|(name, _)| *name).chain(["decimal(p,s)"]).collect()
    }
}

impl std::fmt::Display for RowType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
                write!(f, "decimal({precision},{scale})")
            }
            DataType::List(items) => write!(f, "{}[]", Self(items.data_type().clone())),
            DataType::Timestamp(_, Some(_)) => f.write_str("timestamptz"),
            other => {
                f.write_str(NAMES.iter().find(|(name, _)| simple(name) == *other).map_or("text", |(name, _)| name))
            }
        }
    }
}

fn simple(name: &str) -> DataType {
    match name {
        "boolean" => DataType::Boolean,
        "int8" => DataType::Int8,
        "int16" => DataType::Int16,
        "int32" => DataType::Int32,
        "int64" => DataType::Int64,
        "uint8" => DataType::UInt8,
        "uint16" => DataType::UInt16,
        "uint32" => DataType::UInt32,
        "uint64" => DataType::UInt64,
        "float32" => DataType::Float32,
        "float64" => DataType::Float64,
        "binary" => DataType::Binary,
        "date" => DataType::Date32,
        "time" => DataType::Time64(TimeUnit::Microsecond),
        "timestamp" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "timestamptz" => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
        "interval" => DataType::Interval(IntervalUnit::MonthDayNano),
        _ => DataType::Utf8,
    }
}

/// The list of values of a type.
pub(crate) fn list_of(items: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(items, true)))
}

/// The decimal of so many digits, in 128 bits if they suffice.
fn decimal(parameters: &str) -> Option<DataType> {
    let inside = parameters.strip_prefix('(')?.strip_suffix(')')?;
    if !inside.bytes().all(|byte| byte.is_ascii_digit() || byte == b',') {
        return None;
    }
    let (precision, scale) = inside.split_once(',').unwrap_or((inside, "0"));
    let (precision, scale) = (precision.parse::<u8>().ok()?, scale.parse::<i8>().ok()?);
    let fits = (0..=i16::from(precision)).contains(&i16::from(scale));
    match precision {
        1..=38 if fits => Some(DataType::Decimal128(precision, scale)),
        39..=76 if fits => Some(DataType::Decimal256(precision, scale)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_name_that_means_it() {
        let parametrised = ["decimal(10,2)", "decimal(76,0)", "int32[]", "timestamptz[]", "decimal(5,5)[]"];
        for name in NAMES.iter().map(|(name, _)| *name).chain(parametrised) {
            let row_type = RowType::from_name(name).unwrap();
            assert_eq!(row_type.to_string(), name);
            assert_eq!(RowType::of(row_type.data_type()), Some(row_type));
        }
    }

    #[test]
    fn what_is_no_type_is_none() {
        for name in [
            "",
            "money",
            "decimal",
            "decimal(0)",
            "decimal(77,2)",
            "decimal(3,4)",
            "decimal(3,-1)",
            "decimal(+3)",
            "INT8",
            "int8[][]",
        ] {
            assert_eq!(RowType::from_name(name), None, "{name}");
        }
        assert_eq!(RowType::of(&DataType::LargeUtf8), None);
    }
}
