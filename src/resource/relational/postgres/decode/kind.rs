use std::sync::Arc;

use arrow_schema::{DataType, Field, IntervalUnit, TimeUnit};
use tokio_postgres::types::{Kind as TypeKind, Type};

/// How values of a type are decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Kind {
    Boolean,
    Int16,
    Int32,
    Int64,
    /// `oid`.
    UInt32,
    Float32,
    Float64,
    /// `numeric(p, s)`, of 38 digits at the most.
    Decimal128 {
        precision: u8,
        scale: i8,
    },
    /// `numeric(p, s)`, of 76 digits at the most.
    Decimal256 {
        precision: u8,
        scale: i8,
    },
    /// `numeric` of any number of digits: text.
    Numeric,
    /// Text, or what travels as its text.
    Text,
    /// `jsonb`: its text behind the number of its version.
    Jsonb,
    Uuid,
    Bytes,
    Date,
    Time,
    Timestamp {
        has_zone: bool,
    },
    Interval,
    List(Box<Kind>),
}

impl Kind {
    /// How values of a type are decoded; `modifier` is what the declaration of the type adds to it. `None`: they are not; the
    /// server writes them as text.
    pub(in super::super) fn of(r#type: &Type, modifier: i32) -> Option<Self> {
        Some(match *r#type {
            Type::BOOL => Self::Boolean,
            Type::INT2 => Self::Int16,
            Type::INT4 => Self::Int32,
            Type::INT8 => Self::Int64,
            Type::OID => Self::UInt32,
            Type::FLOAT4 => Self::Float32,
            Type::FLOAT8 => Self::Float64,
            Type::NUMERIC => numeric(modifier),
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::JSON | Type::VOID => {
                Self::Text
            }
            Type::JSONB => Self::Jsonb,
            Type::UUID => Self::Uuid,
            Type::BYTEA => Self::Bytes,
            Type::DATE => Self::Date,
            Type::TIME => Self::Time,
            Type::TIMESTAMP => Self::Timestamp { has_zone: false },
            Type::TIMESTAMPTZ => Self::Timestamp { has_zone: true },
            Type::INTERVAL => Self::Interval,
            // These two are arrays to the catalogue, and are not written as arrays.
            Type::INT2_VECTOR | Type::OID_VECTOR => return None,
            _ => return Self::of_other(r#type, modifier),
        })
    }

    fn of_other(r#type: &Type, modifier: i32) -> Option<Self> {
        match r#type.kind() {
            TypeKind::Enum(_) => Some(Self::Text),
            TypeKind::Domain(base) => Self::of(base, modifier),
            TypeKind::Array(element) => match Self::of(element, modifier)? {
                Self::List(_) => None,
                element => Some(Self::List(Box::new(element))),
            },
            TypeKind::Simple if r#type.name() == "citext" => Some(Self::Text),
            _ => None,
        }
    }

    /// The type of the column.
    pub(in super::super) fn data_type(&self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::UInt32 => DataType::UInt32,
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            Self::Decimal128 { precision, scale } => DataType::Decimal128(*precision, *scale),
            Self::Decimal256 { precision, scale } => DataType::Decimal256(*precision, *scale),
            Self::Numeric | Self::Text | Self::Jsonb | Self::Uuid => DataType::Utf8,
            Self::Bytes => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp { has_zone } => {
                DataType::Timestamp(TimeUnit::Microsecond, has_zone.then(|| Arc::from("UTC")))
            }
            Self::Interval => DataType::Interval(IntervalUnit::MonthDayNano),
            Self::List(element) => DataType::List(Arc::new(Field::new("item", element.data_type(), true))),
        }
    }
}

/// A `numeric` by its modifier: the precision in the upper half, the scale in the lower eleven bits, both plus four.
fn numeric(modifier: i32) -> Kind {
    let modifier = modifier - 4;
    if modifier < 0 {
        return Kind::Numeric;
    }
    let scale = ((modifier & 0x7ff) ^ 1024) - 1024;
    let (Ok(precision), Ok(scale)) = (u8::try_from(modifier >> 16), i8::try_from(scale)) else { return Kind::Numeric };
    match precision {
        _ if scale < 0 || i16::from(scale) > i16::from(precision) => Kind::Numeric,
        1..=38 => Kind::Decimal128 { precision, scale },
        39..=76 => Kind::Decimal256 { precision, scale },
        _ => Kind::Numeric,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numeric_is_a_decimal_where_its_digits_are_bounded() {
        let modifier = |precision: i32, scale: i32| ((precision << 16) | (scale & 0x7ff)) + 4;
        for (modifier, kind) in [
            (-1, Kind::Numeric),
            (modifier(10, 2), Kind::Decimal128 { precision: 10, scale: 2 }),
            (modifier(38, 38), Kind::Decimal128 { precision: 38, scale: 38 }),
            (modifier(39, 0), Kind::Decimal256 { precision: 39, scale: 0 }),
            (modifier(77, 0), Kind::Numeric),
            (modifier(1000, 5), Kind::Numeric),
            (modifier(3, -2), Kind::Numeric),
            (modifier(2, 5), Kind::Numeric),
        ] {
            assert_eq!(Kind::of(&Type::NUMERIC, modifier), Some(kind), "{modifier}");
        }
    }

    #[test]
    fn what_has_no_type_here_is_left_to_the_server() {
        for none in
            [Type::INET, Type::POINT, Type::TIMETZ, Type::INT4_RANGE, Type::XML, Type::INET_ARRAY, Type::OID_VECTOR]
        {
            assert_eq!(Kind::of(&none, -1), None, "{none}");
        }
        assert_eq!(Kind::of(&Type::INT4_ARRAY, -1), Some(Kind::List(Box::new(Kind::Int32))));
    }
}
