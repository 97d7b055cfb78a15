//! The records of a decision log: what is written down of a transaction, and how one record follows another.

use chrono::Utc;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::LogError;
use crate::session::Principal;
use crate::session::transaction::Decision;

pub(super) const TABLES: &str = "
CREATE TABLE log (id INTEGER NOT NULL) STRICT;
CREATE TABLE outcome (
    id BLOB PRIMARY KEY NOT NULL,
    owner TEXT,
    state INTEGER NOT NULL,
    resource TEXT,
    witness TEXT,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX in_doubt ON outcome (id) WHERE state = 1;
CREATE INDEX by_age ON outcome (at);
";

const BEGUN: i64 = 0;
const COMMITTING: i64 = 1;
const COMMITTED: i64 = 2;
const ROLLED_BACK: i64 = 3;
const SETTLED: i64 = 4;
const APART: i64 = 5;

/// Something that is known of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::session::transaction) struct Record {
    pub(in crate::session::transaction) transaction: Uuid,
    /// Who may ask for it.
    pub(in crate::session::transaction) owner: Principal,
    pub(in crate::session::transaction) entry: Entry,
}

/// What is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::session::transaction) enum Entry {
    /// It has begun.
    Begun,
    /// All branches are prepared but one, which can't be, and is being committed. Its data resource will tell by the witness
    /// whether it was.
    Committing { resource: Box<str>, witness: Box<str> },
    /// The branches are being committed one after the other, because several can't be prepared. If nothing follows, some of
    /// it may hold, and nobody knows what.
    Apart,
    /// All of it holds, or will.
    Committed,
    /// All of it holds, and no branch is prepared any more.
    Settled,
    /// Nothing of it holds, or will.
    RolledBack,
}

/// What is known of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::session::transaction) struct Known {
    pub(in crate::session::transaction) owner: Principal,
    pub(in crate::session::transaction) stands: Stands,
}

/// How a transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::session::transaction) enum Stands {
    /// It has begun, and nothing is decided.
    Begun,
    /// It is being committed, or was when the process ended, and what came of it is not known.
    Committing,
    /// It is decided.
    Decided(Decision),
}

/// A transaction of which nobody knows whether its last branch was committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::session::transaction) struct InDoubt {
    pub(in crate::session::transaction) transaction: Uuid,
    /// The data resource that can tell, and what it needs for that.
    pub(in crate::session::transaction) resource: Box<str>,
    pub(in crate::session::transaction) witness: Box<str>,
}

/// Writes a record. What is decided stays as it is.
pub(super) fn put(connection: &Connection, record: &Record) -> Result<(), LogError> {
    let (state, resource, witness) = match &record.entry {
        Entry::Begun => (BEGUN, None, None),
        Entry::Committing { resource, witness } => (COMMITTING, Some(&**resource), Some(&**witness)),
        Entry::Apart => (APART, None, None),
        Entry::Committed => (COMMITTED, None, None),
        Entry::Settled => (SETTLED, None, None),
        Entry::RolledBack => (ROLLED_BACK, None, None),
    };
    let mut statement = connection.prepare_cached(
        "INSERT INTO outcome VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE
         SET state = ?3, resource = ?4, witness = ?5, at = ?6
         WHERE state = 0 OR (state IN (1, 5) AND ?3 IN (2, 3, 4)) OR (state = 2 AND ?3 = 4)",
    )?;
    statement.execute(params![record.transaction.as_bytes(), record.owner.id(), state, resource, witness, now()])?;
    Ok(())
}

/// Decides a transaction that does not go on any more: unless it is decided, it is rolled back. `None` while its last branch
/// may be committed: that has to be found out first.
pub(super) fn decide(connection: &Connection, transaction: Uuid) -> Result<Option<Decision>, LogError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO outcome (id, state, at) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET state = ?2, at = ?3
         WHERE state = 0",
    )?;
    statement.execute(params![transaction.as_bytes(), ROLLED_BACK, now()])?;
    Ok(match get(connection, transaction)?.map(|known| known.stands) {
        Some(Stands::Decided(decision)) => Some(decision),
        Some(Stands::Begun | Stands::Committing) | None => None,
    })
}

/// What is known of a transaction.
pub(super) fn get(connection: &Connection, transaction: Uuid) -> Result<Option<Known>, LogError> {
    let mut statement = connection.prepare_cached("SELECT owner, state FROM outcome WHERE id = ?")?;
    let found = statement.query_row([transaction.as_bytes()], |row| {
        let owner: Option<String> = row.get(0)?;
        let stands = match row.get(1)? {
            BEGUN => Stands::Begun,
            COMMITTED | SETTLED => Stands::Decided(Decision::Commit),
            ROLLED_BACK => Stands::Decided(Decision::Rollback),
            // `COMMITTING`, `APART`.
            _ => Stands::Committing,
        };
        Ok(Known { owner: owner.map_or_else(Principal::anonymous, Principal::new), stands })
    });
    Ok(found.optional()?)
}

/// The transactions of which nobody knows whether their last branch was committed.
pub(super) fn in_doubt(connection: &Connection) -> Result<Vec<InDoubt>, LogError> {
    let mut statement =
        connection.prepare_cached("SELECT id, resource, witness FROM outcome WHERE state = 1 ORDER BY id")?;
    let found = statement.query_map([], |row: &Row<'_>| {
        let transaction = Uuid::from_bytes(row.get(0)?);
        let (resource, witness): (String, String) = (row.get(1)?, row.get(2)?);
        Ok(InDoubt { transaction, resource: resource.into(), witness: witness.into() })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Removes some of the records that are older than that moment, in milliseconds since 1970; gives how many. Those that some
/// database may still be waiting for stay, however old: one that is `committed` and not `settled` would otherwise be taken for
/// rolled back when the database comes back.
pub(super) fn sweep(connection: &Connection, before: i64, most: u32) -> Result<usize, LogError> {
    let mut statement = connection.prepare_cached(
        "DELETE FROM outcome WHERE rowid IN
         (SELECT rowid FROM outcome WHERE at < ? AND state IN (0, 3, 4, 5) ORDER BY at LIMIT ?)",
    )?;
    Ok(statement.execute(params![before, most])?)
}

/// Now, in milliseconds since 1970.
pub(super) fn now() -> i64 {
    Utc::now().timestamp_millis()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(7);

    fn log(entries: &[Entry]) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(TABLES).unwrap();
        for entry in entries {
            let record = Record { transaction: ID, owner: Principal::new("u-1"), entry: entry.clone() };
            put(&connection, &record).unwrap();
        }
        connection
    }

    fn committing() -> Entry {
        Entry::Committing { resource: "r".into(), witness: "w".into() }
    }

    #[test]
    fn what_is_decided_stays_so() {
        let commit = Stands::Decided(Decision::Commit);
        let rollback = Stands::Decided(Decision::Rollback);
        for (entries, expected) in [
            (vec![Entry::Begun, Entry::Committed, Entry::RolledBack], commit),
            (vec![Entry::Begun, Entry::Committed, Entry::Settled, Entry::Committed], commit),
            (vec![Entry::Begun, Entry::RolledBack, Entry::Committed], rollback),
            (vec![Entry::Begun, committing(), Entry::RolledBack, Entry::Settled], rollback),
            (vec![Entry::Begun, committing()], Stands::Committing),
            (vec![Entry::Begun, Entry::Apart], Stands::Committing),
            (vec![Entry::Begun, Entry::Apart, Entry::Settled], commit),
            (vec![Entry::Committed, Entry::Begun], commit),
        ] {
            assert_eq!(get(&log(&entries), ID).unwrap().unwrap().stands, expected, "{entries:?}");
        }
    }

    #[test]
    fn a_transaction_whose_last_branch_may_be_committed_is_not_decided() {
        for (entries, expected) in [
            (vec![], Some(Decision::Rollback)),
            (vec![Entry::Begun], Some(Decision::Rollback)),
            (vec![Entry::Begun, committing()], None),
            (vec![Entry::Begun, committing(), Entry::Committed], Some(Decision::Commit)),
        ] {
            let log = log(&entries);
            assert_eq!(decide(&log, ID).unwrap(), expected, "{entries:?}");
            assert_eq!(in_doubt(&log).unwrap().len(), usize::from(expected.is_none()), "{entries:?}");
        }
    }

    #[test]
    fn a_record_that_a_database_may_wait_for_is_never_too_old() {
        let later = now() + 1000;
        for (entry, stays) in [
            (Entry::Begun, false),
            (committing(), true),
            (Entry::Apart, false),
            (Entry::Committed, true),
            (Entry::Settled, false),
            (Entry::RolledBack, false),
        ] {
            let log = log(std::slice::from_ref(&entry));
            assert_eq!(sweep(&log, later - 2000, 10).unwrap(), 0, "{entry:?}");
            sweep(&log, later, 10).unwrap();
            assert_eq!(get(&log, ID).unwrap().is_some(), stays, "{entry:?}");
        }
    }

    #[test]
    fn a_decision_has_its_owner_also_without_a_beginning() {
        assert_eq!(get(&log(&[Entry::Committed]), ID).unwrap().unwrap().owner, Principal::new("u-1"));
    }
}
