//! Branches of transactions that are committed in two phases.
//!
//! MariaDB keeps a prepared branch when its connection is lost (since 10.5), and lists those of the whole server. As long as
//! the connection is open that prepared it, no other can end it.

use mysql_async::prelude::Queryable;
use mysql_async::{Row, Value};

use super::error::{refused, resource_error, server_code};
use super::link::Link;
use crate::resource::ResourceError;
use crate::session::{BranchError, Decision, LogId, Xid};

/// `ER_XAER_NOTA`: no branch of that name, or not for this connection.
const UNKNOWN: u16 = 1397;

/// `ER_XA_RBROLLBACK`: the branch has been rolled back.
const ROLLED_BACK: u16 = 1402;

/// A name in the form of XA's statements. It has no character that would have to be escaped.
pub(super) fn quoted(xid: &Xid) -> String {
    format!("'{}','{}'", xid.global(), xid.qualifier())
}

/// The prepared branches of a log's transactions.
pub(super) async fn prepared(link: &mut Link, log: LogId) -> Result<Vec<Xid>, ResourceError> {
    let rows: Vec<Row> = link.driver().query("XA RECOVER").await.map_err(resource_error)?;
    Ok(rows.iter().filter_map(recovered).filter(|xid| xid.log == log).collect())
}

/// A row of `XA RECOVER`: the kind of the name, the lengths of its two parts, and both in one.
fn recovered(row: &Row) -> Option<Xid> {
    let length = |index| row.get::<usize, _>(index);
    let Some(Value::Bytes(name)) = row.as_ref(3) else { return None };
    let (global, qualifier) = std::str::from_utf8(name).ok()?.split_at_checked(length(1)?)?;
    (qualifier.len() == length(2)?).then(|| Xid::parse_parts(global, qualifier)).flatten()
}

/// Ends a prepared branch by its name.
pub(super) async fn settle(link: &mut Link, xid: Xid, decision: Decision) -> Result<(), BranchError> {
    let word = match decision {
        Decision::Commit => "COMMIT",
        Decision::Rollback => "ROLLBACK",
    };
    let Err(error) = link.driver().query_drop(format!("XA {word} {}", quoted(&xid))).await else { return Ok(()) };
    match server_code(&error) {
        // A branch that wrote nothing is not kept: the server takes it back with the connection that prepared it, and says so to
        // who wants to commit it.
        Some(ROLLED_BACK) => {
            if decision == Decision::Commit {
                tracing::warn!(%xid, "a prepared branch had nothing to commit, or was rolled back by somebody else");
            }
            Ok(())
        }
        Some(UNKNOWN) => {
            let all = prepared(link, xid.log).await.map_err(|error| refused(&error))?;
            if !all.contains(&xid) {
                return Ok(());
            }
            let message = "the branch is held by the connection that prepared it, until that is closed".into();
            Err(BranchError::Refused { message, is_retryable: true })
        }
        _ => Err(refused(&resource_error(error))),
    }
}
