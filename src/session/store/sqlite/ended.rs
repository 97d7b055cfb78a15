//! The rows of the table `ended`.

use rusqlite::{Connection, Row, params};

use super::answer;
use super::checksum::Checksum;
use super::columns::{
    blob, checked_u32, fixed, from_bare_keys, from_moment, from_reason, from_wall, text, to_bare_keys, to_handle,
    to_moment, to_owner, to_reason, to_wall,
};
use super::fault::Fault;
use crate::session::{EndedSession, Moment};

/// Remembers an end; not if the session has ended already. Answers whether it did.
pub(super) fn insert(connection: &Connection, end: &EndedSession) -> Result<bool, Fault> {
    let sql = "INSERT INTO ended(handle, owner, keys, reason, moment, at, until, sum) \
               VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT(handle) DO NOTHING";
    let changed = connection.prepare_cached(sql)?.execute(params![
        end.handle.uuid().as_bytes(),
        end.owner.id(),
        from_bare_keys(&end.keys),
        from_reason(end.reason),
        from_moment(end.moment),
        from_wall(end.at),
        from_moment(end.until),
        sum(end)
    ])?;
    Ok(changed == 1)
}

/// All ends, the oldest first.
pub(super) fn all(connection: &Connection) -> Result<Vec<EndedSession>, Fault> {
    let sql = "SELECT handle, owner, keys, reason, moment, at, until, sum FROM ended";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut ended = Vec::new();
    while let Some(row) = rows.next()? {
        ended.push(read(row)?);
    }
    ended.sort_by_key(|end: &EndedSession| (end.moment, end.handle));
    Ok(ended)
}

/// Forgets some ends that need not be remembered beyond `now`. Answers how many.
pub(super) fn sweep(connection: &Connection, now: Moment, limit: usize) -> Result<usize, Fault> {
    let sql = "DELETE FROM ended WHERE handle IN \
               (SELECT handle FROM ended WHERE until <= ?1 ORDER BY until, handle LIMIT ?2)";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(connection.prepare_cached(sql)?.execute(params![from_moment(now).unwrap_or(i64::MAX), limit])?)
}

/// How many ends there are that are not remembered for ever.
pub(super) fn count(connection: &Connection) -> Result<u64, Fault> {
    let sql = "SELECT count(*) FROM ended WHERE until IS NOT NULL";
    let count: i64 = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(count.cast_unsigned())
}

/// Forgets some ends, those first whose time would come first, and the answers that are kept with them. Answers how many.
pub(super) fn forget_oldest(connection: &Connection, limit: usize) -> Result<usize, Fault> {
    let sql = "DELETE FROM ended WHERE handle IN \
               (SELECT handle FROM ended WHERE until IS NOT NULL ORDER BY until, handle LIMIT ?1) RETURNING handle";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([limit])?;
    let mut forgotten = 0;
    while let Some(row) = rows.next()? {
        answer::forget_all(connection, to_handle(fixed(row, 0)?))?;
        forgotten += 1;
    }
    Ok(forgotten)
}

fn read(row: &Row<'_>) -> Result<EndedSession, Fault> {
    let end = EndedSession {
        handle: to_handle(fixed(row, 0)?),
        owner: to_owner(text(row, 1)?),
        keys: to_bare_keys(blob(row, 2)?)?,
        reason: to_reason(row.get(3)?)?,
        moment: to_moment(row.get(4)?)?,
        at: to_wall(row.get(5)?),
        until: to_moment(row.get(6)?)?,
    };
    if sum(&end) != checked_u32(row.get(7)?)? {
        return Err(Fault::damaged(format!("the row of the ended session {} has a wrong checksum", end.handle)));
    }
    Ok(end)
}

fn sum(end: &EndedSession) -> u32 {
    Checksum::default()
        .bytes(end.handle.uuid().as_bytes())
        .optional_bytes(end.owner.id().map(str::as_bytes))
        .bytes(&from_bare_keys(&end.keys))
        .integer(from_reason(end.reason))
        .optional_integer(from_moment(end.moment))
        .integer(from_wall(end.at))
        .optional_integer(from_moment(end.until))
        .finish()
}
