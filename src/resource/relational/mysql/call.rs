//! Calls of stored procedures and functions.
//!
//! Arguments that come back travel in variables of the session (`@rejoin_1`), which are wiped out with it afterwards.

use std::fmt::Write;

use bytes::Bytes;
use mysql_async::consts::ColumnType;
use mysql_async::prelude::Queryable;
use mysql_async::{BinaryProtocol, Column, Params, QueryResult, Row, Value};

use super::bind::{check_count, prepare, value};
use super::error::{resource_error, statement_error, write_error};
use super::link::Link;
use super::query::{Output, send_rows};
use crate::block::Block;
use crate::resource::ResourceError;
use crate::resource::relational::{
    Argument, CallEnd, Dialect, OutParameter, Parameter, ProcedureCall, QueryEnd, TableName,
};

/// What the server knows of a routine.
#[derive(Debug, Default)]
struct Routine {
    is_function: bool,
    /// The names of its parameters, in their order.
    names: Vec<String>,
}

/// Calls it; rows go to the output, which gets at least one block. Whoever calls has it all or none.
pub(super) async fn run(link: &mut Link, call: &ProcedureCall, output: &Output<'_>) -> Result<CallEnd, ResourceError> {
    let routine = routine(link, &call.name).await?;
    if routine.is_function {
        return run_function(link, call, output).await;
    }
    set_variables(link, call).await?;
    let given: Vec<Value> = call.arguments.iter().filter_map(given).collect();
    let sql = text_of(call, "CALL ");
    let prepared = prepare(link, &sql).await.map_err(|error| statement_error(error, &sql))?;
    check_count(&prepared, given.len())?;
    let result = link.driver().exec_iter(&prepared, Params::Positional(given)).await.map_err(write_error)?;
    let end = send_result_sets(result, output).await?;
    let changed = link.driver().affected_rows();
    let out = read_variables(link, call, &routine.names).await?;
    Ok(CallEnd { rows: end.rows, out, update_count: Some(changed) })
}

/// A function gives one value, which is sent as a row.
async fn run_function(link: &mut Link, call: &ProcedureCall, output: &Output<'_>) -> Result<CallEnd, ResourceError> {
    if call.arguments.iter().any(|argument| !matches!(argument, Argument::In(_))) {
        return Err(super::error::sql("a function gives its result as a row; it has no arguments that come back"));
    }
    let sql = text_of(call, "SELECT ");
    let prepared = prepare(link, &sql).await.map_err(|error| statement_error(error, &sql))?;
    let given: Vec<Value> = call.arguments.iter().filter_map(given).collect();
    check_count(&prepared, given.len())?;
    let result = link.driver().exec_iter(&prepared, Params::Positional(given)).await.map_err(write_error)?;
    let end = send_result_sets(result, output).await?;
    Ok(CallEnd { rows: end.rows, out: Vec::new(), update_count: None })
}

/// Asks for the kind of a routine and its parameters. One that is not to be seen is taken for a procedure.
async fn routine(link: &mut Link, name: &TableName) -> Result<Routine, ResourceError> {
    let schema = name.schema.as_deref().map_or(Value::NULL, Value::from);
    let place = Params::Positional(vec![schema, name.name.as_str().into()]);
    let sql = "SELECT r.ROUTINE_TYPE = 'FUNCTION', p.PARAMETER_NAME FROM information_schema.ROUTINES r \
        LEFT JOIN information_schema.PARAMETERS p ON p.SPECIFIC_SCHEMA = r.ROUTINE_SCHEMA \
        AND p.SPECIFIC_NAME = r.SPECIFIC_NAME AND p.ROUTINE_TYPE = r.ROUTINE_TYPE AND p.ORDINAL_POSITION > 0 \
        WHERE r.ROUTINE_SCHEMA = COALESCE(?, DATABASE()) AND r.ROUTINE_NAME = ? \
        ORDER BY r.ROUTINE_TYPE DESC, p.ORDINAL_POSITION";
    let rows: Vec<(bool, Option<String>)> = link.driver().exec(sql, place).await.map_err(resource_error)?;
    // A procedure and a function may have one name: the procedure, which comes first, is meant.
    let is_function = rows.first().is_some_and(|(is_function, _)| *is_function);
    let of_it = rows.into_iter().filter(|row| row.0 == is_function);
    Ok(Routine { is_function, names: of_it.filter_map(|(_, name)| name).collect() })
}

/// The value that is bound for an argument, where one is.
fn given(argument: &Argument) -> Option<Value> {
    match argument {
        Argument::In(parameter) => Some(value(parameter)),
        Argument::Out | Argument::InOut(_) => None,
    }
}

fn text_of(call: &ProcedureCall, word: &str) -> String {
    let mut sql = format!("{word}{}(", Dialect::MySql.table(&call.name));
    for (position, argument) in (1..).zip(&call.arguments) {
        sql.push_str(if position > 1 { ", " } else { "" });
        match argument {
            Argument::In(_) => sql.push('?'),
            Argument::Out | Argument::InOut(_) => sql.push_str(&variable(position)),
        }
    }
    sql.push(')');
    sql
}

fn variable(position: u32) -> String {
    format!("@rejoin_{position}")
}

/// Gives the variables their values.
async fn set_variables(link: &mut Link, call: &ProcedureCall) -> Result<(), ResourceError> {
    let mut sql = String::from("SET ");
    let mut values = Vec::new();
    for (position, argument) in (1..).zip(&call.arguments) {
        if let Argument::InOut(parameter) = argument {
            // Writing to memory does not fail.
            let _ = write!(sql, "{}{} = ?", if values.is_empty() { "" } else { ", " }, variable(position));
            values.push(value(parameter));
        }
    }
    if values.is_empty() {
        return Ok(());
    }
    link.driver().exec_drop(sql, Params::Positional(values)).await.map_err(resource_error)
}

/// Reads the variables.
async fn read_variables(
    link: &mut Link,
    call: &ProcedureCall,
    names: &[String],
) -> Result<Vec<OutParameter>, ResourceError> {
    let is_out = |argument: &Argument| !matches!(argument, Argument::In(_));
    let positions: Vec<u32> =
        (1..).zip(&call.arguments).filter(|(_, argument)| is_out(argument)).map(|(position, _)| position).collect();
    if positions.is_empty() {
        return Ok(Vec::new());
    }
    let variables: Vec<String> = positions.iter().map(|position| variable(*position)).collect();
    let sql = format!("SELECT {}", variables.join(", "));
    let row: Option<Row> = link.driver().exec_first(sql, ()).await.map_err(write_error)?;
    let Some(row) = row else { return Ok(Vec::new()) };
    let places = positions.into_iter().zip(row.columns_ref());
    Ok(places
        .enumerate()
        .map(|(index, (position, column))| OutParameter {
            position,
            name: usize::try_from(position).ok().and_then(|position| names.get(position - 1)).cloned(),
            value: row.as_ref(index).map_or(Parameter::Null, |value| parameter(value, column)),
        })
        .collect())
}

/// The value of a variable. The server knows few types of them: a date or a decimal is text.
fn parameter(value: &Value, column: &Column) -> Parameter {
    const BINARY: u16 = 63;
    let is_bytes = column.character_set() == BINARY
        && !matches!(column.column_type(), ColumnType::MYSQL_TYPE_NEWDECIMAL | ColumnType::MYSQL_TYPE_DECIMAL);
    match value {
        Value::NULL => Parameter::Null,
        Value::Bytes(bytes) if is_bytes => Parameter::Bytes(Bytes::copy_from_slice(bytes)),
        Value::Bytes(bytes) => Parameter::Text(String::from_utf8_lossy(bytes).into_owned().into()),
        Value::Int(number) => Parameter::Integer(*number),
        Value::UInt(number) => {
            i64::try_from(*number).map_or_else(|_| Parameter::Text(number.to_string().into()), Parameter::Integer)
        }
        Value::Float(number) => Parameter::Real(f64::from(*number)),
        Value::Double(number) => Parameter::Real(*number),
        Value::Date(..) | Value::Time(..) => {
            let mut text = Vec::new();
            super::text::write(&mut text, value, 6, false);
            Parameter::Text(String::from_utf8_lossy(&text).into_owned().into())
        }
    }
}

/// Sends the rows of all result sets. They are one stream, and so they must have the same columns.
async fn send_result_sets(
    mut result: QueryResult<'_, 'static, BinaryProtocol>,
    output: &Output<'_>,
) -> Result<QueryEnd, ResourceError> {
    let mut rows = 0;
    let mut columns: Option<Vec<(String, ColumnType)>> = None;
    while !result.is_empty() {
        let these: Vec<_> =
            result.columns_ref().iter().map(|column| (column.name_str().into_owned(), column.column_type())).collect();
        if these.is_empty() {
            // The answer to a statement without rows.
            result.next().await.map_err(write_error)?;
            continue;
        }
        if columns.as_ref().is_some_and(|columns| *columns != these) {
            return Err(ResourceError::unsupported(
                "the procedure gives several results with different columns; have it give one",
            ));
        }
        columns = Some(these);
        rows += send_rows(&mut result, output, &mut false).await?;
    }
    result.drop_result().await.map_err(write_error)?;
    if columns.is_none() {
        let none = arrow_array::RecordBatch::new_empty(arrow_schema::Schema::empty().into());
        output.writer.send(Block::Rows(none)).await.map_err(|_| ResourceError::Cancelled)?;
    }
    Ok(QueryEnd { rows })
}
