//! Preparing statements, and the values of their parameters.

use mysql_async::prelude::Queryable;
use mysql_async::{Error, Statement, Value};

use super::error::{sql as sql_error, statement_error};
use super::link::Link;
use crate::resource::ResourceError;
use crate::resource::relational::Parameter;

/// Prepares a statement, or finds it among those that the connection has prepared.
pub(super) async fn prepare(link: &mut Link, sql: &str) -> Result<Statement, Error> {
    link.driver().prep(sql).await
}

/// As [`prepare`], for that many parameters.
pub(super) async fn prepare_for(link: &mut Link, sql: &str, given: usize) -> Result<Statement, ResourceError> {
    let prepared = prepare(link, sql).await.map_err(|error| statement_error(error, sql))?;
    check_count(&prepared, given)?;
    Ok(prepared)
}

/// There must be exactly as many parameters as the statement has.
pub(super) fn check_count(statement: &Statement, given: usize) -> Result<(), ResourceError> {
    let wanted = usize::from(statement.num_params());
    if wanted == given {
        return Ok(());
    }
    let parameters = if wanted == 1 { "parameter" } else { "parameters" };
    let were = if given == 1 { "was" } else { "were" };
    Err(sql_error(format!("the statement has {wanted} {parameters}, but {given} {were} given")))
}

/// The values as the driver sends them. Text is sent as text: the server compares it by the type of the other side.
pub(super) fn values(parameters: &[Parameter]) -> Vec<Value> {
    parameters.iter().map(value).collect()
}

pub(super) fn value(parameter: &Parameter) -> Value {
    match parameter {
        Parameter::Null => Value::NULL,
        Parameter::Text(text) => Value::Bytes(text.as_bytes().to_vec()),
        Parameter::Integer(value) => Value::Int(*value),
        Parameter::Real(value) => Value::Double(*value),
        Parameter::Boolean(value) => Value::Int(i64::from(*value)),
        Parameter::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
    }
}
