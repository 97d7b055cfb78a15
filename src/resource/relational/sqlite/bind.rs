use rusqlite::Statement;
use rusqlite::types::{Null, ToSqlOutput, ValueRef};

use super::error::{resource_error, sql as sql_error};
use crate::resource::ResourceError;
use crate::resource::relational::Parameter;

/// Binds the values of a statement's parameters, by position; there must be exactly as many as the statement has.
pub(super) fn bind(statement: &mut Statement<'_>, parameters: &[Parameter]) -> Result<(), ResourceError> {
    let wanted = statement.parameter_count();
    if wanted != parameters.len() {
        return Err(wrong_count(wanted, parameters.len()));
    }
    for (position, parameter) in (1..).zip(parameters) {
        let bound = match parameter {
            Parameter::Null => statement.raw_bind_parameter(position, Null),
            Parameter::Text(text) => {
                statement.raw_bind_parameter(position, ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())))
            }
            Parameter::Integer(value) => statement.raw_bind_parameter(position, value),
            Parameter::Real(value) => statement.raw_bind_parameter(position, value),
            Parameter::Boolean(value) => statement.raw_bind_parameter(position, value),
            Parameter::Bytes(bytes) => {
                statement.raw_bind_parameter(position, ToSqlOutput::Borrowed(ValueRef::Blob(bytes)))
            }
        };
        bound.map_err(resource_error)?;
    }
    Ok(())
}

fn wrong_count(wanted: usize, given: usize) -> ResourceError {
    let parameters = |count| if count == 1 { "parameter" } else { "parameters" };
    let were = if given == 1 { "was" } else { "were" };
    sql_error(format!("the statement has {wanted} {}, but {given} {were} given", parameters(wanted)))
}
