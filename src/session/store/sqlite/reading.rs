//! What is read: sessions by key and handle, lists, and what a start has to know.

use std::collections::HashMap;

use rusqlite::{Connection, Params, params};

use super::columns::{blob, fixed, from_moment, to_handle, to_keys};
use super::fault::Fault;
use super::record::{COLUMNS, SessionRow};
use super::state::State;
use super::{attribute, ended};
use crate::session::{Moment, Principal, Recovery, SessionHandle, SessionKey, SessionRecord, StoredSession};

/// The session that a key names. It has to know that key.
pub(super) fn find(connection: &Connection, key: &SessionKey) -> Result<Option<SessionHandle>, Fault> {
    let sql = "SELECT session_key.session, session.keys FROM session_key \
               LEFT JOIN session ON session.handle = session_key.session WHERE session_key.key = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([key.as_bytes()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let session = to_handle(fixed(row, 0)?);
    let keys = to_keys(blob(row, 1)?)?;
    if keys.iter().any(|stored| stored.key == *key) {
        return Ok(Some(session));
    }
    Err(Fault::damaged(format!("a key leads to session {session}, which does not know it")))
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

/// What a start has to know. It reads every session, and so finds damage in all of them.
pub(super) fn recover(connection: &Connection) -> Result<Recovery, Fault> {
    let state = State::read(connection)?;
    let mut recovery = Recovery {
        ended: ended::all(connection)?,
        mark: state.mark,
        openings: u64::try_from(state.openings - 1).unwrap_or(0),
        ..Recovery::default()
    };
    let latest_end = recovery.ended.last().map(|end| end.moment);
    recovery.last_moment = latest_end.max(state.mark.map(|mark| mark.moment)).max(state.swept);
    let mut owners: HashMap<Principal, u64> = HashMap::new();
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM session"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let record = SessionRow::read(row)?.record;
        recovery.last_moment = recovery.last_moment.max(Some(record.released));
        *owners.entry(record.owner.clone()).or_default() += 1;
        if record.perishable {
            recovery.perished.push(record);
        }
    }
    recovery.owners = owners.into_iter().collect();
    recovery.owners.sort_unstable();
    Ok(recovery)
}
