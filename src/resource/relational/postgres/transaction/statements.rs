//! Statements in an open transaction.

use std::sync::Arc;

use async_trait::async_trait;

use super::super::asking::Asked;
use super::super::connection::Connection;
use super::super::control::Control;
use super::super::outlet::Outlet;
use super::super::parameter::{check, keeps_all};
use super::super::prepared::Prepared;
use super::super::query::{ready, ready_anew, refuse_nothing};
use super::super::reading::send_within;
use super::super::scope::{Scope, Work, run_after, tell, without_savepoint};
use super::super::sql::{Sql, Verb};
use super::super::streaming::Broken;
use super::super::update::{execute_all, next};
use super::Inner;
use crate::block::BlockWriter;
use crate::resource::ResourceError;
use crate::resource::relational::{Parameter, ParameterRows, QueryEnd, Statement};

/// Goes back behind a query that failed.
const BACK_TO_READING: &str = "ROLLBACK TO SAVEPOINT rejoin_reading; SET LOCAL transaction_read_only = on";

/// Takes back an update that failed.
const UNDO_UPDATE: &str = "ROLLBACK TO SAVEPOINT rejoin_update; RELEASE SAVEPOINT rejoin_update";

#[async_trait]
impl Scope for Inner {
    async fn reading<W: Work>(&self, mut work: W, control: &Control) -> Result<W::Done, ResourceError> {
        let mut turn = self.turn(control).await?;
        let enter = turn.enter_reading();
        let mut result = work.run_after(enter, turn.connection()?, control).await;
        if let Err(broken) = &result
            && work.can_run_again(turn.connection()?, broken)
        {
            result = work.run_after(BACK_TO_READING, turn.connection()?, control).await;
        }
        match result {
            Ok(done) => {
                turn.settle();
                Ok(done)
            }
            Err(broken) => Err(turn.recover(broken, BACK_TO_READING, work.sql(), control).await),
        }
    }

    async fn writing<W: Work>(&self, mut work: W, control: &Control) -> Result<W::Done, ResourceError> {
        let mut turn = self.turn(control).await?;
        let enter = format!("{}SAVEPOINT rejoin_update", turn.leave_reading());
        let mut result = work.run_after(&enter, turn.connection()?, control).await;
        if result.is_ok()
            && let Err(broken) = turn.tell("RELEASE SAVEPOINT rejoin_update", control).await
        {
            result = Err(broken);
        }
        match result {
            Ok(done) => {
                turn.settle();
                Ok(done)
            }
            Err(broken) => Err(turn.recover(broken, UNDO_UPDATE, work.sql(), control).await),
        }
    }
}

/// Runs a query in a transaction.
pub(super) async fn query(
    inner: &Inner,
    statement: &Statement,
    output: BlockWriter,
    control: &Control,
) -> Result<QueryEnd, ResourceError> {
    let sql = Arc::new(Sql::read(&statement.sql)?);
    refuse_nothing(&sql)?;
    let outlet = inner.outlet(&output);
    let mut query = QueryWork { sql, parameters: &statement.parameters, outlet };
    let rows = inner.reading(&mut query, control).await?;
    query.outlet.flush(control).await?;
    drop(query);
    output.finish().await;
    Ok(QueryEnd { rows })
}

/// A query whose rows go into a pipe.
struct QueryWork<'a> {
    sql: Arc<Sql>,
    parameters: &'a [Parameter],
    outlet: Outlet<'a>,
}

impl QueryWork<'_> {
    /// Sends the rows of a statement that is kept prepared.
    async fn send(
        &mut self,
        before: &str,
        prepared: &Prepared,
        connection: &Connection,
        control: &Control,
    ) -> Result<u64, Broken> {
        let plan = prepared.rows().map_err(Broken::Refused)?;
        let asked = Asked::kept(plan, self.parameters);
        send_within(connection, (before, asked), &plan.shape, true, &mut self.outlet, control).await
    }
}

#[async_trait]
impl Work for QueryWork<'_> {
    type Done = u64;

    async fn run(&mut self, connection: &Connection, control: &Control) -> Result<u64, Broken> {
        let prepared = ready(connection, &self.sql, self.parameters, control).await?;
        if prepared.parameters().iter().all(keeps_all) {
            return self.send("", &prepared, connection, control).await;
        }
        let prepared = ready_anew(connection, &self.sql, self.parameters, control).await?;
        let plan = prepared.rows().map_err(Broken::Refused)?;
        let asked = Asked::once(plan, self.parameters);
        send_within(connection, ("", asked), &plan.shape, true, &mut self.outlet, control).await
    }

    async fn run_after(&mut self, statements: &str, connection: &Connection, control: &Control) -> Result<u64, Broken> {
        let is_ready = |prepared: &Arc<Prepared>| {
            check(self.parameters, prepared.parameters()).is_ok() && prepared.parameters().iter().all(keeps_all)
        };
        let Some(prepared) = connection.prepared(&self.sql).filter(is_ready) else {
            return run_after(self, statements, connection, control).await;
        };
        let result = self.send(statements, &prepared, connection, control).await;
        if matches!(result, Err(Broken::Refused(_))) {
            tell(connection, statements, control).await.map_err(without_savepoint)?;
        }
        result
    }

    fn sql(&self) -> Option<&Sql> {
        Some(&self.sql)
    }

    fn can_run_again(&mut self, connection: &Connection, broken: &Broken) -> bool {
        let is_stale = broken.is_stale(!self.parameters.is_empty());
        if broken.tells_of_forgetting() {
            connection.forget_all();
        } else if is_stale {
            connection.forget(&self.sql);
        }
        is_stale
    }
}

/// Runs an update in a transaction.
pub(super) async fn update(
    inner: &Inner,
    sql: &str,
    mut rows: ParameterRows,
    control: &Control,
) -> Result<u64, ResourceError> {
    let sql = Arc::new(Sql::read(sql)?);
    refuse_nothing(&sql)?;
    // The rows may come from a query of the same transaction, which has its turn first.
    let Some(first) = next(&mut rows, control).await? else { return Ok(0) };
    inner.writing(UpdateWork { sql, first, rows: &mut rows }, control).await
}

/// An update for all its rows of parameters.
struct UpdateWork<'a> {
    sql: Arc<Sql>,
    first: Vec<Parameter>,
    rows: &'a mut ParameterRows,
}

#[async_trait]
impl Work for UpdateWork<'_> {
    type Done = u64;

    async fn run(&mut self, connection: &Connection, control: &Control) -> Result<u64, Broken> {
        let driver = |error| Broken::Driver(error, 0);
        let statement = control.wait(connection.prepare_effect(&self.sql)).await?.map_err(driver)?;
        let done = execute_all(connection.client(), &statement, (&self.first, None), self.rows, control).await;
        match self.sql.verb() {
            Verb::Other => connection.note_change(),
            Verb::Select => return done.map(|_| 0),
            Verb::Change | Verb::Nothing => {}
        }
        done
    }

    fn sql(&self) -> Option<&Sql> {
        Some(&self.sql)
    }
}
