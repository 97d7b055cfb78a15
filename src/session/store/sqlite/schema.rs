//! The tables. `docs/session-store.md` describes them.

/// Marks the file as a session store of this service: "Rjoi" in ASCII.
pub(super) const APPLICATION_ID: u32 = 0x526a_6f69;

/// The format of the tables, and of what stands in them.
pub(super) const FORMAT: u32 = 1;

/// What makes each table and index. A store is compared with this when it is opened.
pub(super) const STATEMENTS: &[(&str, &str)] = &[
    (
        "session",
        "CREATE TABLE session(handle BLOB NOT NULL PRIMARY KEY, owner TEXT, timeout INTEGER, lifetime INTEGER, \
         keys BLOB NOT NULL, released INTEGER, fence INTEGER NOT NULL, version INTEGER NOT NULL, \
         sequence INTEGER NOT NULL, due INTEGER, perishable INTEGER NOT NULL, label TEXT, \
         attributes INTEGER NOT NULL, bytes INTEGER NOT NULL, next_order INTEGER NOT NULL, \
         attribute_sum INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    ),
    ("session_due", "CREATE INDEX session_due ON session(due) WHERE due IS NOT NULL"),
    ("session_perishable", "CREATE INDEX session_perishable ON session(perishable) WHERE perishable = 1"),
    (
        "session_key",
        "CREATE TABLE session_key(key BLOB NOT NULL PRIMARY KEY, session BLOB NOT NULL) STRICT, WITHOUT ROWID",
    ),
    (
        "attribute",
        "CREATE TABLE attribute(session BLOB NOT NULL, name TEXT NOT NULL, position INTEGER NOT NULL, \
         kind INTEGER NOT NULL, pieces INTEGER NOT NULL, chain INTEGER NOT NULL, sum INTEGER NOT NULL, value BLOB, \
         PRIMARY KEY(session, name)) STRICT, WITHOUT ROWID",
    ),
    (
        "piece",
        "CREATE TABLE piece(id INTEGER PRIMARY KEY, session BLOB NOT NULL, name TEXT NOT NULL, \
         number INTEGER NOT NULL, content BLOB NOT NULL) STRICT",
    ),
    ("piece_place", "CREATE UNIQUE INDEX piece_place ON piece(session, name, number)"),
    (
        "ended",
        "CREATE TABLE ended(handle BLOB NOT NULL PRIMARY KEY, owner TEXT, keys BLOB NOT NULL, \
         reason INTEGER NOT NULL, moment INTEGER, at INTEGER NOT NULL, until INTEGER, sum INTEGER NOT NULL) \
         STRICT, WITHOUT ROWID",
    ),
    ("ended_until", "CREATE INDEX ended_until ON ended(until) WHERE until IS NOT NULL"),
    (
        "answer",
        "CREATE TABLE answer(id INTEGER PRIMARY KEY, scope BLOB NOT NULL, session BLOB, numbered INTEGER NOT NULL, \
         until INTEGER, sum INTEGER NOT NULL, content BLOB NOT NULL) STRICT",
    ),
    ("answer_scope", "CREATE UNIQUE INDEX answer_scope ON answer(scope)"),
    ("answer_session", "CREATE INDEX answer_session ON answer(session) WHERE session IS NOT NULL"),
    ("answer_until", "CREATE INDEX answer_until ON answer(until) WHERE until IS NOT NULL"),
    (
        "state",
        "CREATE TABLE state(id INTEGER PRIMARY KEY CHECK(id = 1), openings INTEGER NOT NULL, \
         settled INTEGER NOT NULL, synced INTEGER NOT NULL, swept INTEGER, mark_moment INTEGER, mark_wall INTEGER, mark_boot BLOB, \
         mark_uptime INTEGER, sum INTEGER NOT NULL) STRICT",
    ),
];
