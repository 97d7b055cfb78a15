use std::error::Error;

use bytes::Bytes;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use super::value_text::push_value;
use super::{Kind, fixed};
use crate::resource::relational::Parameter;

/// One value of a row as a parameter; `None` when it is malformed.
pub(in super::super) fn out_value(kind: &Kind, row: &Row, column: usize) -> Option<Parameter> {
    let Some(raw) = raw(row, column) else { return Some(Parameter::Null) };
    Some(match kind {
        Kind::Boolean => Parameter::Boolean(fixed::<1>(raw).ok()? != [0]),
        Kind::Int16 => Parameter::Integer(i16::from_be_bytes(fixed(raw).ok()?).into()),
        Kind::Int32 => Parameter::Integer(i32::from_be_bytes(fixed(raw).ok()?).into()),
        Kind::Int64 => Parameter::Integer(i64::from_be_bytes(fixed(raw).ok()?)),
        Kind::UInt32 => Parameter::Integer(u32::from_be_bytes(fixed(raw).ok()?).into()),
        Kind::Float64 => Parameter::Real(f64::from_be_bytes(fixed(raw).ok()?)),
        Kind::Bytes => Parameter::Bytes(Bytes::copy_from_slice(raw)),
        // A real of single precision keeps its shortest digits as text only.
        _ => {
            let mut text = Vec::new();
            push_value(&mut text, kind, raw).ok()?;
            Parameter::Text(String::from_utf8(text).ok()?.into())
        }
    })
}

/// A value of a row, as it was received; `None` is NULL.
fn raw(row: &Row, column: usize) -> Option<&[u8]> {
    row.try_get::<_, Option<Raw<'_>>>(column).ok().flatten().map(|Raw(raw)| raw)
}

/// A value as it was received.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
