//! Statements in an open transaction.

use std::pin::pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::poll;

use super::super::connection::Connection;
use super::super::control::Control;
use super::super::error::resource_error;
use super::super::outlet::Outlet;
use super::super::parameter::keeps_all;
use super::super::query::{ready, ready_anew, refuse_nothing, send_all, settled};
use super::super::scope::{Scope, Work};
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
        let mut result = after(turn.connection(), enter, &mut work, control).await;
        if let Err(broken) = &result
            && turn.connection().is_ok_and(|connection| work.can_run_again(connection, broken))
        {
            result = after(turn.connection(), BACK_TO_READING, &mut work, control).await;
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
        let mut result = after(turn.connection(), &enter, &mut work, control).await;
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

/// Sends statements, and the work behind them without waiting.
async fn after<W: Work>(
    connection: Result<&Connection, Broken>,
    statements: &str,
    work: &mut W,
    control: &Control,
) -> Result<W::Done, Broken> {
    let connection = connection?;
    if statements.is_empty() {
        return work.run(connection, control).await;
    }
    let mut telling = pin!(connection.client().batch_execute(statements));
    // What is polled once is sent.
    let told = poll!(&mut telling);
    let done = work.run(connection, control).await;
    match settled(told, telling, control).await {
        Ok(()) => done,
        // Without its savepoint, nothing can be said of the work.
        Err(Broken::Driver(error, _)) => Err(Broken::Stopped(resource_error(&error, None))),
        Err(broken) => Err(broken),
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

#[async_trait]
impl Work for QueryWork<'_> {
    type Done = u64;

    async fn run(&mut self, connection: &Connection, control: &Control) -> Result<u64, Broken> {
        let prepared = ready(connection, &self.sql, self.parameters, control).await?;
        if prepared.parameters().iter().all(keeps_all) {
            return send_all(connection, &prepared, self.parameters, &mut self.outlet, control).await;
        }
        let prepared = ready_anew(connection, &self.sql, self.parameters, control).await?;
        send_all(connection, &prepared, self.parameters, &mut self.outlet, control).await
    }

    fn sql(&self) -> Option<&Sql> {
        Some(&self.sql)
    }

    fn can_run_again(&mut self, connection: &Connection, broken: &Broken) -> bool {
        let is_stale = broken.is_stale(!self.parameters.is_empty());
        if is_stale {
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
