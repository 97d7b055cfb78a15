//! The values of parameters, on their way to the server.

use std::error::Error;
use std::fmt::Write;

use bytes::BytesMut;
use tokio_postgres::types::{Format, IsNull, ToSql, Type};

use super::error::sql_error;
use super::text::push_real;
use crate::resource::ResourceError;
use crate::resource::relational::Parameter;

/// The value of one parameter.
///
/// All but bytes travel as text, which the server reads as whatever type it found for the parameter: so the text `42` finds
/// the number 42, and an integer can be compared with a `numeric`.
#[derive(Debug)]
pub(super) struct Value<'a>(pub(super) &'a Parameter);

impl ToSql for Value<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self.0 {
            Parameter::Null => return Ok(IsNull::Yes),
            Parameter::Text(text) => out.extend_from_slice(text.as_bytes()),
            Parameter::Integer(value) => out.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes()),
            Parameter::Real(value) => {
                let mut text = String::new();
                push_real(&mut text, *value);
                out.extend_from_slice(text.as_bytes());
            }
            Parameter::Boolean(value) => out.write_str(if *value { "true" } else { "false" })?,
            Parameter::Bytes(bytes) => out.extend_from_slice(bytes),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, r#type: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.to_sql(r#type, out)
    }

    fn encode_format(&self, _: &Type) -> Format {
        if is_binary(self.0) { Format::Binary } else { Format::Text }
    }
}

/// Whether a value travels in binary form.
pub(super) fn is_binary(value: &Parameter) -> bool {
    matches!(value, Parameter::Bytes(_))
}

/// Whether these values can be those of parameters of these types, before they are sent.
pub(super) fn check(values: &[Parameter], types: &[Type]) -> Result<(), ResourceError> {
    if values.len() != types.len() {
        let (wanted, given) = (types.len(), values.len());
        return Err(sql_error("08P01", format!("the statement has {wanted} parameters, {given} values were given")));
    }
    for (index, (value, r#type)) in values.iter().zip(types).enumerate() {
        let problem = match value {
            Parameter::Bytes(_) if *r#type != Type::BYTEA => {
                format!("bytes were given where the statement wants a value of type {}", r#type.name())
            }
            Parameter::Text(text) if memchr::memchr(0, text.as_bytes()).is_some() => {
                "the text holds a NUL character, which the database does not take".to_owned()
            }
            _ => continue,
        };
        return Err(sql_error("22P02", format!("parameter {}: {problem}", index + 1)));
    }
    Ok(())
}

/// Whether a text that is read as this type keeps all that it says, or is refused, and so does no harm where the type of a
/// column was another when the statement was prepared: a number is then compared with a text, which is an error, and prepared
/// again. But a `date` forgets the time of day, a `timestamp` the zone, a `real` digits, a `char` spaces.
pub(super) fn keeps_all(r#type: &Type) -> bool {
    matches!(
        *r#type,
        Type::INT2 | Type::INT4 | Type::INT8 | Type::TEXT | Type::VARCHAR | Type::UUID | Type::BOOL | Type::BYTEA
    )
}

/// The values as the driver takes them.
pub(super) fn values(parameters: &[Parameter]) -> impl ExactSizeIterator<Item = Value<'_>> {
    parameters.iter().map(Value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_can_not_be_taken_are_told_of_by_their_position() {
        let error = |values: &[Parameter], types: &[Type]| check(values, types).unwrap_err().to_string();
        assert!(error(&[], &[Type::INT4]).contains("has 1 parameters, 0 values"));
        let bytes = Parameter::Bytes(vec![1].into());
        assert!(error(&[Parameter::Null, bytes.clone()], &[Type::INT4, Type::TEXT]).contains("parameter 2: bytes"));
        assert!(error(&["a\0b".into()], &[Type::TEXT]).contains("parameter 1"));
        assert!(check(&[bytes, Parameter::Integer(1)], &[Type::BYTEA, Type::TEXT]).is_ok());
    }
}
