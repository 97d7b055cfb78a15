//! Transactions that are committed in two phases, and what became of others.

use tokio_util::sync::CancellationToken;

use super::super::PostgresResource;
use super::super::csv::literal;
use super::super::error::resource_error;
use super::super::pool::Lease;
use super::refused;
use crate::resource::ResourceError;
use crate::session::{BranchError, Decision, LogId, Xid};

/// Whether the server keeps prepared transactions, which it says once.
pub(super) async fn is_possible(resource: &PostgresResource, lease: &Lease) -> Result<bool, BranchError> {
    let known = &resource.known.keeps_prepared;
    let asked = known.get_or_try_init(|| async {
        let text = "SELECT pg_catalog.current_setting('max_prepared_transactions')::integer > 0";
        lease.client().query_one(text, &[]).await?.try_get::<_, bool>(0)
    });
    asked.await.copied().map_err(|error| refused(&resource_error(&error, None)))
}

/// The names of the prepared transactions of a log in this database.
pub(in super::super) async fn prepared(resource: &PostgresResource, log: LogId) -> Result<Vec<Xid>, BranchError> {
    let text = "SELECT gid FROM pg_catalog.pg_prepared_xacts \
                WHERE database = pg_catalog.current_database() AND pg_catalog.starts_with(gid, $1)";
    let lease = lend(resource).await?;
    let rows = lease.client().query(text, &[&log.prefix()]).await;
    let rows = rows.map_err(|error| lost(&resource_error(&error, None)))?;
    lease.give_back();
    Ok(rows.iter().filter_map(|row| Xid::parse(row.try_get::<_, &str>(0).ok()?)).collect())
}

/// Ends a prepared transaction, as whoever of the users of the resource may: the one who prepared it.
pub(in super::super) async fn settle(
    resource: &PostgresResource,
    xid: Xid,
    decision: Decision,
) -> Result<(), BranchError> {
    let mut result = settle_as(resource, xid, decision).await;
    let logins = resource.access.role_map.iter().flat_map(|map| &map.entries).map(|(_, login)| login);
    for login in logins {
        if !matches!(result, Err(ResourceError::Denied { .. })) {
            break;
        }
        let other = resource.as_user(login).map_err(|error| refused(&error))?;
        result = settle_as(&other, xid, decision).await;
    }
    result.map_err(|error| lost(&error))
}

async fn settle_as(resource: &PostgresResource, xid: Xid, decision: Decision) -> Result<(), ResourceError> {
    let lease = resource.pool.lend(&CancellationToken::new()).await?;
    let ended = lease.client().batch_execute(&ending(xid, decision)).await;
    match ended {
        Ok(()) => {}
        // It has ended before.
        Err(error) if error.code().is_some_and(|code| code.code() == "42704") => {}
        Err(error) => return Err(resource_error(&error, None)),
    }
    lease.give_back();
    Ok(())
}

/// The statement that ends a prepared transaction.
pub(super) fn ending(xid: Xid, decision: Decision) -> String {
    let verb = match decision {
        Decision::Commit => "COMMIT",
        Decision::Rollback => "ROLLBACK",
    };
    format!("{verb} PREPARED {}", literal(&xid.to_string()))
}

/// What became of a transaction by its number.
pub(in super::super) async fn outcome(
    resource: &PostgresResource,
    witness: &str,
) -> Result<Option<Decision>, BranchError> {
    let Ok(number) = witness.parse::<u64>() else { return Ok(None) };
    let text = format!("SELECT pg_catalog.pg_xact_status('{number}'::pg_catalog.xid8)");
    let lease = lend(resource).await?;
    let row = lease.client().query_one(&text, &[]).await;
    let row = row.map_err(|error| lost(&resource_error(&error, None)))?;
    lease.give_back();
    let status: Option<&str> = row.try_get(0).unwrap_or(None);
    match status {
        Some("committed") => Ok(Some(Decision::Commit)),
        Some("aborted") => Ok(Some(Decision::Rollback)),
        Some(_) => {
            Err(BranchError::Refused { message: "the transaction is still being ended".into(), is_retryable: true })
        }
        // It is older than what the database remembers.
        None => Ok(None),
    }
}

async fn lend(resource: &PostgresResource) -> Result<Lease, BranchError> {
    resource.pool.lend(&CancellationToken::new()).await.map_err(|error| lost(&error))
}

fn lost(error: &ResourceError) -> BranchError {
    BranchError::Lost { message: error.to_string() }
}
