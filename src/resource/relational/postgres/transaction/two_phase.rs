//! Transactions that are committed in two phases, and what became of others.

use std::time::Duration;

use tokio_postgres::SimpleQueryMessage;

use super::super::PostgresResource;
use super::super::error::resource_error;
use super::super::pool::Lease;
use super::refused;
use crate::resource::ResourceError;
use crate::session::{BranchError, Decision, LogId, Xid};

/// How long the server has for an answer about prepared transactions; they are asked for again and again.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether the server keeps prepared transactions, which each connection asks once.
pub(super) async fn is_possible(lease: &Lease) -> Result<bool, BranchError> {
    let asked = lease.keeps_prepared.get_or_try_init(|| async {
        let text = "SELECT pg_catalog.current_setting('max_prepared_transactions')::integer > 0";
        lease.client().query_one(text, &[]).await?.try_get::<_, bool>(0)
    });
    asked.await.copied().map_err(|error| refused(&resource_error(&error, None)))
}

/// The names of the prepared transactions of a log in this database.
pub(in super::super) async fn prepared(resource: &PostgresResource, log: LogId) -> Result<Vec<Xid>, BranchError> {
    let text = format!(
        "SELECT gid FROM pg_catalog.pg_prepared_xacts \
         WHERE database = pg_catalog.current_database() AND pg_catalog.starts_with(gid, {})",
        literal(&log.prefix())
    );
    let names = ask(resource, &text).await.map_err(|error| lost(&error))?;
    Ok(names.iter().flatten().filter_map(|name| Xid::parse(name)).collect())
}

/// Runs a statement on a connection of its own, and gives the first column of its rows. Those of the pool may all be at work, and
/// wait for what a prepared transaction holds.
async fn ask(resource: &PostgresResource, text: &str) -> Result<Vec<Option<String>>, ResourceError> {
    let connection = resource.pool.open_apart().await?;
    let Ok(answer) = tokio::time::timeout(PATIENCE, connection.client().simple_query(text)).await else {
        connection.abandon();
        let message = format!("PostgreSQL: no answer within {} s", PATIENCE.as_secs());
        return Err(ResourceError::Unavailable { message });
    };
    let answer = answer.map_err(|error| resource_error(&error, None))?;
    let first = |message| match message {
        SimpleQueryMessage::Row(row) => Some(row.try_get(0).ok().flatten().map(str::to_owned)),
        _ => None,
    };
    Ok(answer.into_iter().filter_map(first).collect())
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
    match ask(resource, &ending(xid, decision)).await {
        // It has ended before.
        Err(ResourceError::Sql { code, .. }) if code == "42704" => Ok(()),
        ended => ended.map(drop),
    }
}

/// The statement that ends a prepared transaction.
pub(super) fn ending(xid: Xid, decision: Decision) -> String {
    let verb = match decision {
        Decision::Commit => "COMMIT",
        Decision::Rollback => "ROLLBACK",
    };
    format!("{verb} PREPARED {}", literal(&xid.to_string()))
}

/// The witness of a transaction that has written nothing, and has no number.
pub(super) const NOTHING: &str = "nothing";

/// What became of a transaction by its number. Of one that has written nothing it is all the same, so all is rolled back with it.
pub(in super::super) async fn outcome(
    resource: &PostgresResource,
    witness: &str,
) -> Result<Option<Decision>, BranchError> {
    if witness == NOTHING {
        return Ok(Some(Decision::Rollback));
    }
    let Ok(number) = witness.parse::<u64>() else { return Ok(None) };
    let text = format!("SELECT pg_catalog.pg_xact_status('{number}'::pg_catalog.xid8)");
    let rows = ask(resource, &text).await.map_err(|error| lost(&error))?;
    let status = rows.first().and_then(Option::as_deref);
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

fn lost(error: &ResourceError) -> BranchError {
    BranchError::Lost { message: error.to_string() }
}

/// A text in quotes, safe in a statement.
pub(super) fn literal(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\'', "''");
    if text.contains('\\') { format!("E'{escaped}'") } else { format!("'{escaped}'") }
}
