use bytes::Bytes;
use tokio_postgres::Row;

use super::rows::raw;
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
