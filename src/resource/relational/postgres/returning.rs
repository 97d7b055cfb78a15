//! Updates whose rows are wanted (`RETURNING`).

use std::sync::Arc;

use async_trait::async_trait;

use super::asking::Asked;
use super::connection::Connection;
use super::control::Control;
use super::decode::RowsBuilder;
use super::parameter::check;
use super::prepared::Prepared;
use super::query::{ready_anew, refuse_nothing};
use super::reading::read_within;
use super::scope::{Scope, Work};
use super::sql::{Sql, Verb};
use super::streaming::Broken;
use super::update::next;
use crate::resource::ResourceError;
use crate::resource::relational::returned::{ReturnedRows, gives_no_rows};
use crate::resource::relational::{Parameter, ParameterRows, UpdateEnd};

/// Runs an update, and keeps the rows that it gives.
pub(super) async fn run<S: Scope>(
    scope: &S,
    sql: &str,
    mut rows: ParameterRows,
    control: &Control,
) -> Result<UpdateEnd, ResourceError> {
    let sql = Sql::read(sql)?;
    refuse_nothing(&sql)?;
    // The rows may come from a query of the same transaction, which has its turn first.
    let Some(first) = next(&mut rows, control).await? else { return Ok(UpdateEnd::default()) };
    scope.writing(ReturningWork { sql, first, rows }, control).await
}

/// An update for all its rows of parameters, one after the other.
struct ReturningWork {
    sql: Sql,
    first: Vec<Parameter>,
    rows: ParameterRows,
}

#[async_trait]
impl Work for ReturningWork {
    type Done = UpdateEnd;

    async fn run(&mut self, connection: &Connection, control: &Control) -> Result<UpdateEnd, Broken> {
        let prepared = ready_anew(connection, &self.sql, &self.first, control).await?;
        let done = self.run_all(&prepared, connection, control).await;
        if self.sql.verb() == Verb::Other {
            connection.note_change();
        }
        done
    }

    fn sql(&self) -> Option<&Sql> {
        Some(&self.sql)
    }
}

impl ReturningWork {
    async fn run_all(
        &mut self,
        prepared: &Prepared,
        connection: &Connection,
        control: &Control,
    ) -> Result<UpdateEnd, Broken> {
        let plan = prepared.rows().map_err(|error| Broken::Refused(not_as_text(error)))?;
        if plan.shape.columns.is_empty() {
            return Err(Broken::Refused(gives_no_rows()));
        }
        let mut builder = RowsBuilder::new(Arc::clone(&plan.shape));
        let mut returned = ReturnedRows::default();
        let mut parameters = std::mem::take(&mut self.first);
        loop {
            check(&parameters, prepared.parameters()).map_err(Broken::Refused)?;
            let asked = Asked::once(plan, &parameters);
            read_within(connection, asked, &mut builder, &mut returned, control).await?;
            match next(&mut self.rows, control).await? {
                Some(row) => parameters = row,
                None => break,
            }
        }
        let given = builder.total();
        if builder.has_rows() || returned.is_empty() {
            returned.push(builder.take()?);
        }
        let rows = returned.finish().map_err(Broken::Refused)?;
        // Each row that is changed is given; the rows of anything else are no changes.
        let changed = if self.sql.verb() == Verb::Change { given } else { 0 };
        Ok(UpdateEnd { changed, rows })
    }
}

/// That it would write is no fault here: what can't be done is to have the server show a column as text.
fn not_as_text(error: ResourceError) -> ResourceError {
    match error {
        ResourceError::ReadOnly { .. } => ResourceError::unsupported(
            "a column that the statement gives has a type which has no form here; cast it to text, as in `RETURNING it::text`",
        ),
        error => error,
    }
}
