//! What is sent to the server to ask for rows: messages of the extended protocol, in one.

use std::collections::VecDeque;
use std::io;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::BytesMut;
use postgres_protocol::IsNull;
use postgres_protocol::message::{backend, frontend};
use tokio_postgres::types::{ToSql, Type};

use super::own_statement::{OwnStatement, OwnStatements};
use super::parameter::{Value, is_binary};
use super::prepared::RowsPlan;
use super::query::BEGIN_READING;
use crate::resource::relational::Parameter;

/// What is run around a query on a connection of the pool, each by its name. Locks are released once what the query has set, such
/// as a limit of time, is taken back.
const AROUND: [(&str, &str); 3] = [
    ("rejoin_begin", BEGIN_READING),
    ("rejoin_rollback", "ROLLBACK"),
    ("rejoin_unlock", "SELECT pg_catalog.pg_advisory_unlock_all()"),
];

/// How many of these come before the query.
const BEFORE: usize = 1;

/// Everything comes in binary form.
const BINARY: [i16; 1] = [1];

/// What gives the rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    text: &'a str,
    types: &'a [Type],
    parameters: &'a [Parameter],
    /// The name under which it is kept, if it is.
    own: Option<&'a OwnStatement>,
}

impl<'a> Asked<'a> {
    /// A statement that comes again.
    pub(super) fn kept(plan: &'a RowsPlan, parameters: &'a [Parameter]) -> Self {
        Self { own: Some(&plan.own), ..Self::once(plan, parameters) }
    }

    /// A statement that was prepared for this one time.
    pub(super) fn once(plan: &'a RowsPlan, parameters: &'a [Parameter]) -> Self {
        Self { text: &plan.text, types: plan.statement.params(), parameters, own: None }
    }

    /// A text without parameters.
    pub(super) fn text(text: &'a str) -> Self {
        Self { text, types: &[], parameters: &[], own: None }
    }

    fn name(&self) -> &'a str {
        self.own.map_or("", |own| &own.name)
    }
}

/// In which transaction it is run.
#[derive(Debug, Clone, Copy)]
pub(super) enum Within<'a> {
    /// One of its own, which only reads and is rolled back.
    Own,
    /// The one that is open, after these statements without rows, if there are any.
    Open(&'a str),
}

/// What the server will say before the rows.
#[derive(Debug, Default)]
pub(super) struct Expected<'a> {
    /// The tag of the message that ends what comes before the query; none once it has come, or where nothing does.
    pub(super) before: Option<u8>,
    /// What becomes known to the server, in the order in which it says so.
    prepared: VecDeque<Option<&'a AtomicBool>>,
}

impl Expected<'_> {
    /// The server knows one more statement.
    pub(super) fn note_prepared(&mut self) {
        if let Some(Some(known)) = self.prepared.pop_front() {
            known.store(true, Ordering::Relaxed);
        }
    }
}

/// Writes all that is to be sent.
pub(super) fn write<'a>(
    out: &mut BytesMut,
    own: &'a OwnStatements,
    asked: Asked<'a>,
    within: Within<'_>,
) -> io::Result<Expected<'a>> {
    // Of what can't be written, nothing is sent, and nothing is forgotten.
    let mut run = BytesMut::with_capacity(128);
    execute(asked.name(), asked.parameters, &mut run)?;
    let mut expected = Expected::default();
    for name in own.forgotten() {
        frontend::close(b'S', &name, out)?;
    }
    match within {
        Within::Own => {
            if !own.has_around.load(Ordering::Relaxed) {
                for (name, text) in AROUND {
                    frontend::parse(name, text, [], out)?;
                    // When one is known, all are taken for known: should another be missing, that costs the connection.
                    expected.prepared.push_back(Some(&own.has_around));
                }
            }
            out.extend_from_slice(&BEFORE_AND_AFTER.0);
            expected.before = Some(backend::COMMAND_COMPLETE_TAG);
        }
        Within::Open("") => {}
        Within::Open(statements) => {
            frontend::query(statements, out)?;
            expected.before = Some(backend::READY_FOR_QUERY_TAG);
        }
    }
    // What fails here is taken back with the query.
    let known = asked.own.map(|own| &own.is_known);
    if known.is_none_or(|known| !known.load(Ordering::Relaxed)) {
        frontend::parse(asked.name(), asked.text, asked.types.iter().map(Type::oid), out)?;
        expected.prepared.push_back(known);
    }
    out.extend_from_slice(&run);
    match within {
        Within::Own => out.extend_from_slice(&BEFORE_AND_AFTER.1),
        Within::Open(_) => frontend::sync(out),
    }
    Ok(expected)
}

/// The messages before and after those of a query in a transaction of its own, which are always the same.
static BEFORE_AND_AFTER: LazyLock<(BytesMut, BytesMut)> = LazyLock::new(|| {
    let (mut before, mut after) = (BytesMut::new(), BytesMut::new());
    for (place, (name, _)) in AROUND.into_iter().enumerate() {
        let out = if place < BEFORE { &mut before } else { &mut after };
        // Names without NUL and no values: that can always be written.
        let _ = execute(name, &[], out);
    }
    frontend::sync(&mut after);
    (before, after)
});

fn execute(name: &str, parameters: &[Parameter], out: &mut BytesMut) -> io::Result<()> {
    let formats = parameters.iter().map(|parameter| i16::from(is_binary(parameter)));
    let value = |parameter: &Parameter, out: &mut BytesMut| {
        // The form of a value depends on the value alone.
        Value(parameter).to_sql(&Type::TEXT, out).map(|is_null| match is_null {
            tokio_postgres::types::IsNull::Yes => IsNull::Yes,
            tokio_postgres::types::IsNull::No => IsNull::No,
        })
    };
    let bound = frontend::bind("", name, formats, parameters, value, BINARY, out);
    bound.map_err(|error| match error {
        frontend::BindError::Conversion(error) => io::Error::other(error),
        frontend::BindError::Serialization(error) => error,
    })?;
    frontend::execute("", 0, out)
}
