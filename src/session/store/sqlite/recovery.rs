//! What a start has to know. It reads every session, and so finds damage in all of them.

use std::collections::HashMap;

use rusqlite::Connection;

use super::checksum::Checksum;
use super::columns::blob;
use super::ended;
use super::fault::Fault;
use super::record::{COLUMNS, SessionRow};
use super::state::State;
use crate::session::{Moment, Principal, Recovery, SessionHandle, SessionRecord};

/// Reads it.
pub(super) fn recover(connection: &Connection) -> Result<Recovery, Fault> {
    let state = State::read(connection)?;
    let ended = ended::all(connection)?;
    let latest_end = ended.last().map(|end| end.moment);
    let mut census = Census::default();
    read_sessions(connection, &mut census)?;
    if census.keys != sum_of_keys(connection)? {
        return Err(Fault::damaged("the keys of sessions are not those by which they are found"));
    }
    Ok(Recovery {
        owners: census.owners.into_iter().collect(),
        ended,
        perished: census.perished,
        last_moment: latest_end.max(census.released).max(state.mark.map(|mark| mark.moment)).max(state.swept),
        mark: state.mark,
        openings: u64::try_from(state.openings - 1).unwrap_or(0),
    })
}

/// What is counted while the sessions are read.
#[derive(Debug, Default)]
struct Census {
    owners: HashMap<Principal, u64>,
    perished: Vec<SessionRecord>,
    released: Option<Moment>,
    /// The sum of what [`key_sum`] makes of each key.
    keys: u64,
}

fn read_sessions(connection: &Connection, census: &mut Census) -> Result<(), Fault> {
    // The table itself, in its order, which is that of the handles.
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM session NOT INDEXED"))?;
    let mut rows = statement.query([])?;
    let mut last: Option<SessionHandle> = None;
    while let Some(row) = rows.next()? {
        let record = SessionRow::read(row)?.record;
        if last.replace(record.handle) >= Some(record.handle) {
            return Err(Fault::damaged("the sessions are not in their order"));
        }
        census.released = census.released.max(Some(record.released));
        for stored in &record.keys {
            census.keys = census.keys.wrapping_add(key_sum(stored.key.as_bytes(), record.handle.uuid().as_bytes()));
        }
        if let Some(count) = census.owners.get_mut(&record.owner) {
            *count += 1;
        } else {
            census.owners.insert(record.owner.clone(), 1);
        }
        if record.perishable {
            census.perished.push(record);
        }
    }
    Ok(())
}

/// The same sum, of the table in which keys are looked up. It has to be in order: otherwise a key is there and not found.
fn sum_of_keys(connection: &Connection) -> Result<u64, Fault> {
    let mut statement = connection.prepare("SELECT key, session FROM session_key")?;
    let mut rows = statement.query([])?;
    let mut last = Vec::new();
    let mut sum = 0_u64;
    while let Some(row) = rows.next()? {
        let (key, session) = (blob(row, 0)?, blob(row, 1)?);
        if last.as_slice() >= key {
            return Err(Fault::damaged("the keys of sessions are not in their order"));
        }
        sum = sum.wrapping_add(key_sum(key, session));
        last.clear();
        last.extend_from_slice(key);
    }
    Ok(sum)
}

fn key_sum(key: &[u8], session: &[u8]) -> u64 {
    Checksum::default().bytes(key).bytes(session).finish().into()
}
