//! A query on a connection of the pool.
//!
//! It runs in a transaction that only reads and is rolled back: so it can't write, and what it sets for its session is undone.
//! All of it goes to the server at once, and has one answer ([`Reading`]).

use std::sync::Arc;
use std::task::Poll;

use tokio_postgres::Error;

use super::PostgresResource;
use super::asking::{Asked, Within};
use super::connection::Connection;
use super::control::Control;
use super::error::sql_error;
use super::outlet::Outlet;
use super::parameter::{check, keeps_all};
use super::pool::Lease;
use super::prepared::Prepared;
use super::reading::{Reading, send_within};
use super::scope::tell;
use super::sql::{Sql, Verb};
use super::streaming::Broken;
use crate::block::BlockWriter;
use crate::resource::ResourceError;
use crate::resource::relational::{Parameter, QueryEnd, Statement};

pub(super) const BEGIN_READING: &str = "BEGIN READ ONLY";

/// Ends what only reads. The locks that belong to a session are the one thing that a transaction which only reads leaves behind.
pub(super) const END_READING: &str = "ROLLBACK; SELECT pg_catalog.pg_advisory_unlock_all()";

/// Runs a query.
pub(super) async fn run(
    resource: &PostgresResource,
    statement: &Statement,
    output: BlockWriter,
    control: &Control,
) -> Result<QueryEnd, ResourceError> {
    let sql = Arc::new(Sql::read(&statement.sql)?);
    refuse_nothing(&sql)?;
    let mut is_first = true;
    loop {
        let lease = resource.pool.lend(control.cancel()).await?;
        let (result, is_clean) =
            attempt(&lease, &sql, &statement.parameters, &mut Outlet::alone(&output), control).await;
        let has_parameters = !statement.parameters.is_empty();
        let again = is_first && result.as_ref().is_err_and(|broken| broken.is_worth_another_try(has_parameters));
        if again {
            lease.forget(&sql);
        }
        if is_clean && !result.as_ref().is_err_and(Broken::tells_of_forgetting) {
            lease.give_back();
        }
        match result {
            Ok(rows) => {
                output.finish().await;
                return Ok(QueryEnd { rows });
            }
            Err(broken) if again => {
                is_first = false;
                if !broken.leaves_connection() {
                    // It was dead, and so may others be.
                    resource.pool.drop_idle();
                }
            }
            Err(broken) => return Err(broken.into_error(Some(&sql))),
        }
    }
}

/// Refuses a text without a statement.
pub(super) fn refuse_nothing(sql: &Sql) -> Result<(), ResourceError> {
    if sql.verb() == Verb::Nothing { Err(sql_error("42601", "the text holds no statement")) } else { Ok(()) }
}

/// Runs a query on a connection; also tells whether the connection is as it was before.
async fn attempt(
    lease: &Lease,
    sql: &Arc<Sql>,
    parameters: &[Parameter],
    output: &mut Outlet<'_>,
    control: &Control,
) -> (Result<u64, Broken>, bool) {
    let prepared = match ready(lease, sql, parameters, control).await {
        Ok(prepared) => prepared,
        Err(broken) => {
            let is_clean = broken.leaves_connection();
            return (Err(broken), is_clean);
        }
    };
    if sql.verb() != Verb::Select || !prepared.parameters().iter().all(keeps_all) {
        // The longer way has a larger state, which a plain query would carry along.
        return Box::pin(attempt_anew(lease, sql, parameters, output, control)).await;
    }
    let plan = match prepared.rows() {
        Ok(plan) => plan,
        Err(error) => return (Err(Broken::Refused(error)), true),
    };
    let mut reading = match Reading::begin(lease, Asked::kept(plan, parameters), Within::Own, control).await {
        Ok(reading) => reading,
        Err(broken) => {
            let is_clean = matches!(broken, Broken::Refused(_));
            return (Err(broken), is_clean);
        }
    };
    let result = reading.run(&plan.shape, true, output, control).await;
    let can_end = match &result {
        Ok(_) => true,
        // What has forgotten the statement has forgotten what is around it, too.
        Err(broken) => broken.leaves_connection() && !broken.tells_of_forgetting(),
    };
    let is_clean = can_end && matches!(control.wait(reading.end()).await, Ok(Ok(true)));
    (result, is_clean)
}

/// The same for what is no plain query, and for a statement that is prepared within the transaction, because its parameters might
/// lose something of their values if their types are not what they were.
async fn attempt_anew(
    lease: &Lease,
    sql: &Sql,
    parameters: &[Parameter],
    output: &mut Outlet<'_>,
    control: &Control,
) -> (Result<u64, Broken>, bool) {
    let result = async {
        tell(lease, BEGIN_READING, control).await?;
        let prepared = ready_anew(lease, sql, parameters, control).await?;
        let plan = prepared.rows().map_err(Broken::Refused)?;
        send_within(lease, ("", Asked::once(plan, parameters)), &plan.shape, true, output, control).await
    }
    .await;
    let leaves_connection = result.as_ref().err().is_none_or(Broken::leaves_connection);
    let is_clean = leaves_connection && tell(lease, END_READING, control).await.is_ok();
    (result, is_clean)
}

/// Prepares a statement, unless it was before, and looks at the values of its parameters.
pub(super) async fn ready(
    connection: &Connection,
    sql: &Sql,
    parameters: &[Parameter],
    control: &Control,
) -> Result<Arc<Prepared>, Broken> {
    let prepared = control.wait(connection.prepare(sql)).await?.map_err(|error| Broken::Driver(error, 0))?;
    check(parameters, prepared.parameters()).map_err(Broken::Refused)?;
    Ok(prepared)
}

/// Prepares a statement now, in the transaction that is open, and looks at the values of its parameters.
pub(super) async fn ready_anew(
    connection: &Connection,
    sql: &Sql,
    parameters: &[Parameter],
    control: &Control,
) -> Result<Prepared, Broken> {
    let prepared = control.wait(connection.prepare_anew(sql)).await?.map_err(|error| Broken::Driver(error, 0))?;
    check(parameters, prepared.parameters()).map_err(Broken::Refused)?;
    Ok(prepared)
}

/// What became of something that was polled once.
pub(super) async fn settled<T>(
    first: Poll<Result<T, Error>>,
    rest: impl Future<Output = Result<T, Error>>,
    control: &Control,
) -> Result<T, Broken> {
    let result = match first {
        Poll::Ready(result) => result,
        Poll::Pending => control.wait(rest).await?,
    };
    result.map_err(|error| Broken::Driver(error, 0))
}
