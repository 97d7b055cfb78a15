//! The rows of the table `answer`.

use bytes::Bytes;
use rusqlite::{Connection, Row, params};

use super::checksum::Checksum;
use super::columns::{blob, checked_u32, fixed, from_moment, to_handle, to_moment};
use super::fault::Fault;
use crate::session::{AnswerRecord, AnswerScope, CountedAnswer, Moment, SessionHandle};

/// Remembers an answer, in place of the one of that name.
pub(super) fn put(connection: &Connection, answer: &AnswerRecord) -> Result<(), Fault> {
    let sql = "INSERT OR REPLACE INTO answer(scope, session, numbered, until, sum, content) \
               VALUES(?1, ?2, ?3, ?4, ?5, ?6)";
    connection.prepare_cached(sql)?.execute(params![
        answer.scope.0,
        answer.session.as_ref().map(|session| session.uuid().into_bytes()),
        answer.numbered,
        from_moment(answer.until),
        sum(answer),
        answer.content.as_ref()
    ])?;
    Ok(())
}

/// Whether there is something that an answer can be kept with: one that does not end by itself goes with its session.
pub(super) fn has_place(connection: &Connection, answer: &AnswerRecord) -> Result<bool, Fault> {
    let Some(session) = answer.session.filter(|_| answer.until == Moment::NEVER) else { return Ok(true) };
    let sql = "SELECT EXISTS(SELECT 1 FROM session WHERE handle = ?1)";
    Ok(connection.prepare_cached(sql)?.query_row([session.uuid().as_bytes()], |row| row.get(0))?)
}

/// Forgets the oldest answers of a session until there are so many beside the numbered one.
pub(super) fn keep(connection: &Connection, session: SessionHandle, count: u32) -> Result<(), Fault> {
    let sql = "DELETE FROM answer WHERE session = ?1 AND NOT numbered AND id <= \
               (SELECT id FROM answer WHERE session = ?1 AND NOT numbered ORDER BY id DESC LIMIT 1 OFFSET ?2)";
    connection.prepare_cached(sql)?.execute(params![session.uuid().as_bytes(), count])?;
    Ok(())
}

/// The answers that are kept with a session, the oldest first.
pub(super) fn of_session(connection: &Connection, session: SessionHandle) -> Result<Vec<AnswerRecord>, Fault> {
    let sql = "SELECT session, numbered, until, sum, content, scope FROM answer WHERE session = ?1 ORDER BY id";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([session.uuid().as_bytes()])?;
    let mut answers = Vec::new();
    while let Some(row) = rows.next()? {
        answers.push(read(row, AnswerScope(fixed(row, 5)?))?);
    }
    Ok(answers)
}

/// Forgets all answers of a session.
pub(super) fn forget_all(connection: &Connection, session: SessionHandle) -> Result<(), Fault> {
    connection.prepare_cached("DELETE FROM answer WHERE session = ?1")?.execute([session.uuid().as_bytes()])?;
    Ok(())
}

/// The answer of that name.
pub(super) fn find(connection: &Connection, scope: &AnswerScope) -> Result<Option<AnswerRecord>, Fault> {
    let sql = "SELECT session, numbered, until, sum, content FROM answer WHERE scope = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([scope.0])?;
    rows.next()?.map(|row| read(row, *scope)).transpose()
}

/// The answer after that place in the order in which they were remembered, with its own place.
pub(super) fn next(connection: &Connection, after: i64) -> Result<Option<(i64, AnswerRecord)>, Fault> {
    let sql = "SELECT session, numbered, until, sum, content, scope, id FROM answer WHERE id > ?1 ORDER BY id LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([after])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some((row.get(6)?, read(row, AnswerScope(fixed(row, 5)?))?)))
}

/// The answers that belong to no session, the oldest first. They are found by when they end, so those of sessions, of which there
/// may be many, are not looked at.
pub(super) fn without_session(connection: &Connection) -> Result<Vec<CountedAnswer>, Fault> {
    let sql = "SELECT scope, length(content), until FROM answer INDEXED BY answer_until \
               WHERE until IS NOT NULL AND session IS NULL ORDER BY id";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut answers = Vec::new();
    while let Some(row) = rows.next()? {
        let bytes: i64 = row.get(1)?;
        let (scope, until) = (AnswerScope(fixed(row, 0)?), to_moment(row.get(2)?)?);
        answers.push(CountedAnswer { scope, bytes: bytes.cast_unsigned(), until });
    }
    Ok(answers)
}

/// Reads session, whether it is numbered, moment, checksum and content.
fn read(row: &Row<'_>, scope: AnswerScope) -> Result<AnswerRecord, Fault> {
    let has_session =
        row.get_ref(0)?.as_blob_or_null().map_err(|_| Fault::damaged("a handle that is no blob"))?.is_some();
    let answer = AnswerRecord {
        scope,
        session: if has_session { Some(to_handle(fixed(row, 0)?)) } else { None },
        numbered: row.get(1)?,
        until: to_moment(row.get(2)?)?,
        content: Bytes::copy_from_slice(blob(row, 4)?),
    };
    if sum(&answer) != checked_u32(row.get(3)?)? {
        return Err(Fault::damaged("a remembered answer has a wrong checksum"));
    }
    Ok(answer)
}

/// Forgets some answers that need not be remembered beyond `now`. Answers how many.
pub(super) fn sweep(connection: &Connection, now: Moment, limit: usize) -> Result<usize, Fault> {
    let sql = "DELETE FROM answer WHERE id IN \
               (SELECT id FROM answer WHERE until <= ?1 ORDER BY until, id LIMIT ?2)";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(connection.prepare_cached(sql)?.execute(params![from_moment(now).unwrap_or(i64::MAX), limit])?)
}

fn sum(answer: &AnswerRecord) -> u32 {
    Checksum::default()
        .bytes(&answer.scope.0)
        .optional_bytes(
            answer.session.as_ref().map(|session| session.uuid().into_bytes()).as_ref().map(<[u8; 16]>::as_slice),
        )
        .integer(i64::from(answer.numbered))
        .optional_integer(from_moment(answer.until))
        .bytes(&answer.content)
        .finish()
}
