//! Calls of functions and procedures.

use std::pin::pin;
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::Schema;
use async_trait::async_trait;
use futures_util::StreamExt;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::asking::Asked;
use super::connection::Connection;
use super::control::Control;
use super::decode::{ResultShape, out_value};
use super::error::sql_error;
use super::outlet::Outlet;
use super::parameter::values;
use super::query::ready_anew;
use super::reading::send_within;
use super::scope::{Scope, Work};
use super::sql::Sql;
use super::streaming::Broken;
use crate::block::Block;
use crate::resource::ResourceError;
use crate::resource::relational::{Argument, CallEnd, Dialect, OutParameter, Parameter, ProcedureCall};

/// The functions and procedures of a name: `$1` the schema or NULL, `$2` the name. The first that takes `$3` arguments, of
/// which `$4` are given to it, counts before others.
const ROUTINES: &str = "\
    SELECT n.nspname::text, p.prokind = 'p', p.proretset, p.prorettype = 'pg_catalog.void'::pg_catalog.regtype,
           p.proargmodes::text[], p.proargnames
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE p.proname = $2 AND p.prokind IN ('f', 'p')
          AND CASE WHEN $1::text IS NULL THEN pg_catalog.pg_function_is_visible(p.oid) ELSE n.nspname = $1 END
    ORDER BY coalesce(pg_catalog.array_length(p.proallargtypes, 1), p.pronargs) = $3::integer DESC, p.pronargs = $4::integer DESC,
             p.prokind = 'p' DESC, p.oid
    LIMIT 1";

/// Calls a function or procedure.
pub(super) async fn run<S: Scope>(
    scope: &S,
    call: &ProcedureCall,
    outlet: Outlet<'_>,
    control: &Control,
) -> Result<CallEnd, ResourceError> {
    let mut work = CallWork { call, outlet };
    let end = scope.writing(&mut work, control).await?;
    work.outlet.flush(control).await?;
    Ok(end)
}

struct CallWork<'a> {
    call: &'a ProcedureCall,
    outlet: Outlet<'a>,
}

/// What is called, as the catalogue describes it.
struct Routine {
    schema: String,
    is_procedure: bool,
    gives_set: bool,
    gives_nothing: bool,
    modes: Option<Vec<String>>,
    names: Option<Vec<String>>,
}

#[async_trait]
impl Work for CallWork<'_> {
    type Done = CallEnd;

    async fn run(&mut self, connection: &Connection, control: &Control) -> Result<CallEnd, Broken> {
        let routine = find(connection, self.call, control).await?;
        let (text, parameters) = statement(self.call, &routine);
        let sql = Sql::read(&text).map_err(Broken::Refused)?;
        let prepared = ready_anew(connection, &sql, &parameters, control).await?;
        let plan = prepared.rows().map_err(Broken::Refused)?;
        let driver = |error| Broken::Driver(error, 0);
        let has_out = self.call.arguments.iter().any(|argument| !matches!(argument, Argument::In(_)));
        if !routine.is_procedure && !routine.gives_nothing && (routine.gives_set || !has_out) {
            let asked = Asked::once(plan, &parameters);
            let rows = send_within(connection, ("", asked), &plan.shape, true, &mut self.outlet, control).await?;
            return Ok(CallEnd { rows, ..CallEnd::default() });
        }
        let rows = connection.client().query_raw(&plan.statement, values(&parameters));
        let mut rows = pin!(control.wait(rows).await?.map_err(driver)?);
        let mut out = Vec::new();
        while let Some(row) = control.wait(rows.next()).await? {
            let row = row.map_err(driver)?;
            if !routine.gives_nothing && out.is_empty() {
                out = out_parameters(self.call, &routine, &row, &plan.shape).map_err(Broken::Refused)?;
            }
        }
        self.outlet.send(Block::Rows(no_rows()?), control).await?;
        Ok(CallEnd { rows: 0, out, update_count: None })
    }
}

async fn find(connection: &Connection, call: &ProcedureCall, control: &Control) -> Result<Routine, Broken> {
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let given = call.arguments.iter().filter(|argument| !matches!(argument, Argument::Out)).count();
    let (all, given) = (count(call.arguments.len()), count(given));
    let parameters: [&(dyn ToSql + Sync); 4] = [&call.name.schema, &call.name.name, &all, &given];
    let found = control.wait(connection.client().query_opt(ROUTINES, &parameters)).await?;
    match found.map_err(|error| Broken::Driver(error, 0))? {
        Some(row) => routine(&row).map_err(|error| Broken::Driver(error, 0)),
        None => Err(Broken::Refused(sql_error("42883", format!("there is no function or procedure `{}`", call.name)))),
    }
}

fn routine(row: &Row) -> Result<Routine, tokio_postgres::Error> {
    Ok(Routine {
        schema: row.try_get(0)?,
        is_procedure: row.try_get(1)?,
        gives_set: row.try_get(2)?,
        gives_nothing: row.try_get(3)?,
        modes: row.try_get(4)?,
        names: row.try_get(5)?,
    })
}

/// The statement that calls it, with the values of its parameters. A procedure wants a place for what it gives back; a
/// function does not.
fn statement(call: &ProcedureCall, routine: &Routine) -> (String, Vec<Parameter>) {
    let mut places = Vec::new();
    let mut parameters = Vec::new();
    for argument in &call.arguments {
        match argument {
            Argument::In(value) | Argument::InOut(value) => {
                places.push("?");
                parameters.push(value.clone());
            }
            Argument::Out if routine.is_procedure => places.push("NULL"),
            Argument::Out => {}
        }
    }
    let name = format!("{}.{}", Dialect::Postgres.quoted(&routine.schema), Dialect::Postgres.quoted(&call.name.name));
    // The name is not read for placeholders: quotes keep them.
    let begin = if routine.is_procedure { "CALL" } else { "SELECT * FROM" };
    (format!("{begin} {name}({})", places.join(", ")), parameters)
}

/// The columns of the one row, each to the argument that it belongs to.
fn out_parameters(
    call: &ProcedureCall,
    routine: &Routine,
    row: &Row,
    shape: &ResultShape,
) -> Result<Vec<OutParameter>, ResourceError> {
    let gives_back = call.arguments.iter().enumerate().filter(|(_, argument)| !matches!(argument, Argument::In(_)));
    let mut out = Vec::new();
    for ((index, _), column) in gives_back.zip(0..row.len()) {
        let value = out_value(&shape.columns[column].kind, row, column).ok_or_else(|| {
            sql_error("22000", "the server sent bytes that are no value of the type that it announced")
        })?;
        let name = name_of(routine, index).unwrap_or_else(|| shape.columns[column].name.clone());
        out.push(OutParameter {
            position: u32::try_from(index + 1).unwrap_or(u32::MAX),
            name: (!name.is_empty()).then_some(name),
            value,
        });
    }
    Ok(out)
}

/// The name of the argument at an index, as it was declared.
fn name_of(routine: &Routine, index: usize) -> Option<String> {
    let _ = routine.modes.as_ref()?;
    routine.names.as_ref()?.get(index).cloned()
}

fn no_rows() -> Result<RecordBatch, ResourceError> {
    let options = RecordBatchOptions::new().with_row_count(Some(0));
    RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options)
        .map_err(|error| ResourceError::Unavailable { message: format!("rows don't make a block: {error}") })
}
