//! What is read while the store is in use: sessions by key and by handle, and lists.

use rusqlite::{Connection, Params, params};

use super::attribute;
use super::columns::{blob, fixed, from_moment, to_handle, to_keys};
use super::fault::Fault;
use super::record::{COLUMNS, SessionRow};
use crate::session::{Moment, SessionHandle, SessionKey, SessionRecord, StoredKey, StoredSession};

/// The session that a key names. It has to know that key.
pub(super) fn find(connection: &Connection, key: &SessionKey) -> Result<Option<SessionHandle>, Fault> {
    let mut statement = connection.prepare_cached("SELECT session FROM session_key WHERE key = ?1")?;
    let mut rows = statement.query([key.as_bytes()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let session = to_handle(fixed(row, 0)?);
    let keys = keys_of(connection, session)?.unwrap_or_default();
    if keys.iter().any(|stored| stored.key == *key) {
        return Ok(Some(session));
    }
    Err(Fault::damaged(format!("a key leads to session {session}, which does not know it")))
}

/// The keys of a session, if it is there.
pub(super) fn keys_of(connection: &Connection, session: SessionHandle) -> Result<Option<Vec<StoredKey>>, Fault> {
    let mut statement = connection.prepare_cached("SELECT keys FROM session WHERE handle = ?1")?;
    let mut rows = statement.query([session.uuid().as_bytes()])?;
    rows.next()?.map(|row| to_keys(blob(row, 0)?)).transpose()
}

/// A session with its attributes.
pub(super) fn load(connection: &Connection, session: SessionHandle) -> Result<Option<StoredSession>, Fault> {
    let Some(row) = SessionRow::find(connection, session)? else { return Ok(None) };
    let attributes = attribute::load(connection, session, row.attribute_sum)?;
    Ok(Some(StoredSession { record: row.record, attributes }))
}

/// Some sessions after a handle.
pub(super) fn list(
    connection: &Connection,
    after: Option<SessionHandle>,
    limit: usize,
) -> Result<Vec<SessionRecord>, Fault> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    match after {
        None => records(connection, "ORDER BY handle LIMIT ?1", [limit]),
        Some(after) => {
            records(connection, "WHERE handle > ?1 ORDER BY handle LIMIT ?2", params![after.uuid().as_bytes(), limit])
        }
    }
}

/// Some sessions that are due.
pub(super) fn due(connection: &Connection, now: Moment, limit: usize) -> Result<Vec<SessionRecord>, Fault> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let now = from_moment(now).unwrap_or(i64::MAX);
    records(connection, "WHERE due <= ?1 ORDER BY due, handle LIMIT ?2", params![now, limit])
}

fn records(connection: &Connection, condition: &str, bound: impl Params) -> Result<Vec<SessionRecord>, Fault> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM session {condition}"))?;
    let mut rows = statement.query(bound)?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(SessionRow::read(row)?.record);
    }
    Ok(records)
}
