//! The writes of a batch, one after the other, inside a transaction.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::change::Changes;
use super::columns::to_keys;
use super::fault::Fault;
use super::record::RowValues;
use super::{answer, ended, reading};
use crate::session::{AnswerRecord, EndedSession, SaveSession, SessionHandle, SessionWrite, StoredKey, Verdict};

/// Makes a write, and says what became of it. A stale one has changed nothing.
pub(super) fn write(connection: &Connection, write: &SessionWrite) -> Result<Verdict, Fault> {
    let done = match write {
        SessionWrite::Save(save) => match &save.end {
            None => save_session(connection, save)?,
            Some(end) => save_end(connection, save, end)?,
        },
        SessionWrite::End(end) => end_session(connection, end)?,
        SessionWrite::Lose(end) => lose_session(connection, end)?,
        SessionWrite::Remember(answer) => remember(connection, answer)?,
        SessionWrite::RememberLatest { answer, answers_kept } => {
            let has_place = remember(connection, answer)?;
            if let Some(session) = answer.session.filter(|_| has_place) {
                answer::keep(connection, session, *answers_kept)?;
            }
            has_place
        }
    };
    Ok(if done { Verdict::Done } else { Verdict::Stale })
}

/// The same beside others that are written whether this one can be or not.
pub(super) fn write_apart(connection: &Connection, write: &SessionWrite, path: &Path) -> Result<Verdict, Fault> {
    let run = |sql: &str| -> Result<(), Fault> {
        connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    };
    run("SAVEPOINT apart")?;
    let verdict = match self::write(connection, write) {
        Err(fault) if fault.is_of_one_write() => {
            run("ROLLBACK TO apart")?;
            Verdict::Refused(fault.at(path))
        }
        outcome => outcome?,
    };
    run("RELEASE apart")?;
    Ok(verdict)
}

/// Remembers an answer apart from any save. Answers whether it has a place.
fn remember(connection: &Connection, answer: &AnswerRecord) -> Result<bool, Fault> {
    let has_place = answer::has_place(connection, answer)?;
    if has_place {
        answer::put(connection, answer)?;
    }
    Ok(has_place)
}

fn save_session(connection: &Connection, save: &SaveSession) -> Result<bool, Fault> {
    let session = save.record.handle;
    let values = RowValues::of(&save.record);
    let Some(changes) = Changes::plan(connection, session, &save.attributes)? else { return Ok(false) };
    let done = if save.is_new {
        let is_new = values.insert(connection, changes.delta)?;
        if is_new {
            change_keys(connection, session, &[], &save.record.keys)?;
        }
        is_new
    } else {
        values.update_often(connection, changes.delta)? || update_seldom(connection, &values, changes.delta)?
    };
    if !done {
        return Ok(false);
    }
    changes.write(connection)?;
    if let Some(answer) = &save.answer {
        answer::put(connection, answer)?;
        answer::keep(connection, session, save.answers_kept)?;
    }
    Ok(true)
}

/// An update that changes something that is found through an index, or a stale one.
fn update_seldom(connection: &Connection, values: &RowValues<'_>, delta: u32) -> Result<bool, Fault> {
    let session = values.record.handle;
    let Some(before) = reading::keys_of(connection, session)? else { return Ok(false) };
    let done = values.update(connection, delta)?;
    if done {
        change_keys(connection, session, &before, &values.record.keys)?;
    }
    Ok(done)
}

/// A save with which the session ends.
fn save_end(connection: &Connection, save: &SaveSession, end: &EndedSession) -> Result<bool, Fault> {
    let record = &save.record;
    if Changes::plan(connection, record.handle, &save.attributes)?.is_none() {
        return Ok(false);
    }
    let is_there: bool = if save.is_new {
        let sql = "SELECT NOT EXISTS(SELECT 1 FROM session WHERE handle = ?1)";
        connection.prepare_cached(sql)?.query_row([record.handle.uuid().as_bytes()], |row| row.get(0))?
    } else {
        let sql = "SELECT EXISTS(SELECT 1 FROM session WHERE handle = ?1 AND version = ?2 AND fence <= ?3)";
        let (version, fence) = (record.version.cast_signed().wrapping_sub(1), record.fence.cast_signed());
        let mut statement = connection.prepare_cached(sql)?;
        statement.query_row(params![record.handle.uuid().as_bytes(), version, fence], |row| row.get(0))?
    };
    if !is_there || !end_session(connection, end)? {
        return Ok(false);
    }
    save.answer.as_ref().map_or(Ok(()), |answer: &AnswerRecord| answer::put(connection, answer))?;
    Ok(true)
}

/// Remembers an end and removes what is stored of the session; not if it has ended already.
fn end_session(connection: &Connection, end: &EndedSession) -> Result<bool, Fault> {
    if !ended::insert(connection, end)? {
        return Ok(false);
    }
    remove(connection, end.handle)?;
    Ok(true)
}

/// The same, and what was remembered with the session is remembered as long as its end.
fn lose_session(connection: &Connection, end: &EndedSession) -> Result<bool, Fault> {
    let answers = answer::of_session(connection, end.handle)?;
    if !end_session(connection, end)? {
        return Ok(false);
    }
    for answer in answers {
        answer::put(connection, &AnswerRecord { until: end.until, ..answer })?;
    }
    Ok(true)
}

/// Removes a session, or its end, as if it had never been.
pub(super) fn forget(connection: &Connection, session: SessionHandle) -> Result<(), Fault> {
    remove(connection, session)?;
    connection.prepare_cached("DELETE FROM ended WHERE handle = ?1")?.execute([session.uuid().as_bytes()])?;
    Ok(())
}

/// Removes what is stored of a session.
fn remove(connection: &Connection, session: SessionHandle) -> Result<(), Fault> {
    let handle = session.uuid();
    let sql = "DELETE FROM session WHERE handle = ?1 RETURNING keys";
    let mut statement = connection.prepare_cached(sql)?;
    let keys: Option<Vec<u8>> = statement.query_row([handle.as_bytes()], |row| row.get(0)).optional()?;
    if let Some(keys) = keys {
        change_keys(connection, session, &to_keys(&keys)?, &[])?;
        for sql in ["DELETE FROM attribute WHERE session = ?1", "DELETE FROM piece WHERE session = ?1"] {
            connection.prepare_cached(sql)?.execute([handle.as_bytes()])?;
        }
    }
    answer::forget_all(connection, session)
}

fn change_keys(
    connection: &Connection,
    session: SessionHandle,
    before: &[StoredKey],
    after: &[StoredKey],
) -> Result<(), Fault> {
    let has = |keys: &[StoredKey], wanted: &StoredKey| keys.iter().any(|stored| stored.key == wanted.key);
    for stored in before.iter().filter(|stored| !has(after, stored)) {
        connection.prepare_cached("DELETE FROM session_key WHERE key = ?1")?.execute([stored.key.as_bytes()])?;
    }
    for stored in after.iter().filter(|stored| !has(before, stored)) {
        let sql = "INSERT INTO session_key(key, session) VALUES(?1, ?2)";
        connection.prepare_cached(sql)?.execute(params![stored.key.as_bytes(), session.uuid().as_bytes()])?;
    }
    Ok(())
}
