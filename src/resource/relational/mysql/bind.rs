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

/// As [`prepare`], for these parameters.
pub(super) async fn prepare_for(link: &mut Link, sql: &str, given: &[Parameter]) -> Result<Statement, ResourceError> {
    check_size(link, sql, given)?;
    let prepared = prepare(link, sql).await.map_err(|error| statement_error(error, sql))?;
    check_count(&prepared, given.len())?;
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

/// What the server takes no packet of is refused here: it would close the connection without a word.
pub(super) fn check_size(link: &Link, sql: &str, given: &[Parameter]) -> Result<(), ResourceError> {
    /// What else stands in a packet.
    const ROOM: usize = 64;
    /// From here on, the driver sends each parameter by itself.
    const ALONE: usize = 0xFF_FFFF;
    let packet = link.powers().packet.saturating_sub(ROOM);
    let all: usize = given.iter().map(|parameter| 11 + byte_len(parameter)).sum();
    let largest = given.iter().map(byte_len).max().unwrap_or(0);
    if sql.len() <= packet && largest <= packet && (all <= packet || all >= ALONE) {
        return Ok(());
    }
    Err(ResourceError::Sql {
        message: format!(
            "the statement and its parameters take more than the {} bytes that the server takes (`max_allowed_packet`)",
            link.powers().packet
        ),
        code: "08S01".into(),
        offset: None,
    })
}

/// How many bytes of text or bytes a parameter has.
pub(super) fn byte_len(parameter: &Parameter) -> usize {
    match parameter {
        Parameter::Text(text) => text.len(),
        Parameter::Bytes(bytes) => bytes.len(),
        Parameter::Null | Parameter::Integer(_) | Parameter::Real(_) | Parameter::Boolean(_) => 0,
    }
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
