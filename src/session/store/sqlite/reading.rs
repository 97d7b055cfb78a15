//! What is read while the store is in use: sessions by key and by handle, and lists.

use rusqlite::{Connection, Params, params};

use super::attribute;
use super::columns::{blob, fixed, from_moment, to_handle, to_keys};
use super::damaged::DamagedRows;
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

/// Some sessions after a handle. Those whose rows are damaged are noted and passed over, or fail it where that is not wanted.
pub(super) fn list(
    connection: &Connection,
    after: Option<SessionHandle>,
    limit: usize,
    damaged: Option<&DamagedRows>,
) -> Result<Vec<SessionRecord>, Fault> {
    let selection = Selection { connection, limit, damaged };
    match after {
        None => selection.read("ORDER BY handle", []),
        Some(after) => selection.read("WHERE handle > ?1 ORDER BY handle", params![after.uuid().as_bytes()]),
    }
}

/// Some sessions that are due. Those whose rows are damaged are noted and passed over.
pub(super) fn due(
    connection: &Connection,
    now: Moment,
    limit: usize,
    damaged: &DamagedRows,
) -> Result<Vec<SessionRecord>, Fault> {
    let now = from_moment(now).unwrap_or(i64::MAX);
    Selection { connection, limit, damaged: Some(damaged) }.read("WHERE due <= ?1 ORDER BY due, handle", [now])
}

/// Some records of sessions.
struct Selection<'a> {
    connection: &'a Connection,
    /// How many at the most.
    limit: usize,
    /// Where damaged ones are noted.
    damaged: Option<&'a DamagedRows>,
}

impl Selection<'_> {
    fn read(&self, condition: &str, bound: impl Params) -> Result<Vec<SessionRecord>, Fault> {
        let mut statement = self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM session {condition}"))?;
        let mut rows = statement.query(bound)?;
        let mut records = Vec::new();
        // What is damaged takes no place of those that are not, so a page that is not full is the last.
        while records.len() < self.limit
            && let Some(row) = rows.next()?
        {
            match (SessionRow::read(row), self.damaged) {
                (Ok(session), _) => records.push(session.record),
                (Err(fault), Some(damaged)) if fault.is_of_one_row() => damaged.note(blob(row, 0)?, &fault),
                (Err(fault), _) => return Err(fault),
            }
        }
        Ok(records)
    }
}
