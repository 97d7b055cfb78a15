//! What a start has to know. It reads every session, and so finds damage in all of them.
//!
//! That rows are what they were tells their checksum. That none is missing where it is looked for tells a comparison of what
//! stands in two places: each key of a session, the moment at which each is due, and the name of each answer.

use std::collections::HashMap;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::checksum::Checksum;
use super::columns::from_moment;
use super::fault::Fault;
use super::record::{COLUMNS, SessionRow};
use super::state::State;
use super::{answer, ended, opening};
use crate::session::{Moment, Principal, Recovery, SessionHandle, SessionRecord};

/// Reads it.
pub(super) fn recover(connection: &Connection) -> Result<Recovery, Fault> {
    let state = State::read(connection)?;
    let ended = ended::all(connection)?;
    let latest_end = ended.last().map(|end| end.moment);
    let census = Census::take(connection)?;
    let keys = in_order(connection, "SELECT key, session FROM session_key")?;
    let due = in_order(connection, "SELECT due, handle FROM session INDEXED BY session_due WHERE due IS NOT NULL")?;
    if (keys, due) != (census.keys, census.due) {
        return Err(Fault::damaged("the sessions are not those that are found by their keys, or when they are due"));
    }
    check_answers(connection)?;
    let answers = answer::without_session(connection)?;
    Ok(Recovery {
        owners: census.owners.into_iter().collect(),
        ended,
        answers,
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
    keys: PairSum,
    due: PairSum,
}

impl Census {
    /// Reads the table itself, in its order, which is that of the handles.
    fn take(connection: &Connection) -> Result<Self, Fault> {
        let mut census = Self::default();
        let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM session NOT INDEXED"))?;
        let mut rows = statement.query([])?;
        let mut last: Option<SessionHandle> = None;
        while let Some(row) = rows.next()? {
            let record = SessionRow::read(row)?.record;
            if last.replace(record.handle) >= Some(record.handle) {
                return Err(Fault::damaged("the sessions are not in their order"));
            }
            census.count(record);
        }
        Ok(census)
    }

    fn count(&mut self, record: SessionRecord) {
        self.released = self.released.max(Some(record.released));
        let uuid = record.handle.uuid();
        let handle = ValueRef::Blob(uuid.as_bytes());
        for stored in &record.keys {
            self.keys.add(ValueRef::Blob(stored.key.as_bytes()), handle);
        }
        if let Some(due) = from_moment(record.due) {
            self.due.add(ValueRef::Integer(due), handle);
        }
        if let Some(count) = self.owners.get_mut(&record.owner) {
            *count += 1;
        } else {
            self.owners.insert(record.owner.clone(), 1);
        }
        if record.perishable {
            self.perished.push(record);
        }
    }
}

/// The names of answers have to be found. Where that would take long, the answers are not looked through.
fn check_answers(connection: &Connection) -> Result<(), Fault> {
    if !opening::is_looked_through(connection)? {
        return Ok(());
    }
    let mut stored = PairSum::default();
    let mut statement = connection.prepare("SELECT scope, id FROM answer NOT INDEXED")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        stored.add(row.get_ref(0)?, row.get_ref(1)?);
    }
    if in_order(connection, "SELECT scope, id FROM answer INDEXED BY answer_scope")? != stored {
        return Err(Fault::damaged("the answers are not those that are found by their names"));
    }
    Ok(())
}

/// A sum of pairs, in whatever order they come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct PairSum(u64);

impl PairSum {
    fn add(&mut self, first: ValueRef<'_>, second: ValueRef<'_>) {
        let mut sum = Checksum::default();
        for value in [first, second] {
            match value {
                ValueRef::Integer(number) => sum.integer(number),
                value => sum.optional_bytes(value.as_bytes().ok()),
            };
        }
        self.0 = self.0.wrapping_add(sum.finish().into());
    }
}

/// The sum of the pairs of a query. They have to be in order: what is not where it belongs is there and not found.
fn in_order(connection: &Connection, sql: &str) -> Result<PairSum, Fault> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut sum = PairSum::default();
    let mut last = Pair::default();
    while let Some(row) = rows.next()? {
        sum.add(row.get_ref(0)?, row.get_ref(1)?);
        let pair = Pair::read(row)?;
        if pair <= last {
            return Err(Fault::damaged("an index is not in its order"));
        }
        last = pair;
    }
    Ok(sum)
}

/// A pair of numbers or blobs, in the order in which SQLite has them.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Pair([(i64, [u8; 32]); 2]);

impl Pair {
    fn read(row: &Row<'_>) -> Result<Self, Fault> {
        let part = |column: usize| match row.get_ref(column)? {
            ValueRef::Integer(number) => Ok((number, [0; 32])),
            ValueRef::Blob(bytes) if bytes.len() <= 32 => {
                let padded = std::array::from_fn(|index| bytes.get(index).copied().unwrap_or(0));
                Ok((0, padded))
            }
            _ => Err(Fault::damaged("an index has an entry of a wrong type")),
        };
        Ok(Self([part(0)?, part(1)?]))
    }
}
