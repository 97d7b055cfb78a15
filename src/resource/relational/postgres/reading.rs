//! A query on a connection of the pool, with the transaction around it, said to the server in one.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use parking_lot::Mutex;
use postgres_protocol::IsNull;
use postgres_protocol::message::{backend, frontend};
use tokio_postgres::types::{ToSql, Type};

use super::decode::RowsBuilder;
use super::error::{Said, sql_error};
use super::line::{RawRow, Talk};
use super::parameter::{Value, is_binary};
use super::prepared::RowsPlan;
use super::query::{BEGIN_READING, END_READING};
use super::streaming::{Broken, Rows};
use crate::resource::ResourceError;
use crate::resource::relational::Parameter;

/// What is run around every query, each by its name. Locks are released once what the query has set, such as a limit of time, is
/// taken back.
const AROUND: [(&str, &str); 3] = [
    ("rejoin_begin", BEGIN_READING),
    ("rejoin_rollback", "ROLLBACK"),
    ("rejoin_unlock", "SELECT pg_catalog.pg_advisory_unlock_all()"),
];

/// How many of the statements have ended when the query begins.
const BEFORE: usize = 1;

/// Everything comes in binary form.
const BINARY: [i16; 1] = [1];

/// The statements that we prepare on a connection ourselves.
#[derive(Debug, Default)]
pub(super) struct OwnStatements {
    /// Whether [`AROUND`] is.
    has_around: AtomicBool,
    count: AtomicU64,
    /// Names that nobody needs any more.
    forgotten: Arc<Mutex<Vec<String>>>,
}

impl OwnStatements {
    /// A statement that will be prepared when it is run first.
    pub(super) fn another(&self) -> OwnStatement {
        OwnStatement {
            name: format!("rejoin_{}", self.count.fetch_add(1, Ordering::Relaxed)),
            is_known: AtomicBool::new(false),
            forgotten: Arc::clone(&self.forgotten),
        }
    }
}

/// A statement that we prepare ourselves; the server is told to forget it with one of the next queries after it was dropped.
#[derive(Debug)]
pub(super) struct OwnStatement {
    name: String,
    /// Whether the server knows it.
    is_known: AtomicBool,
    forgotten: Arc<Mutex<Vec<String>>>,
}

impl Drop for OwnStatement {
    fn drop(&mut self) {
        if self.is_known.load(Ordering::Relaxed) {
            self.forgotten.lock().push(std::mem::take(&mut self.name));
        }
    }
}

/// A query that was sent, and its rows.
pub(super) struct Reading<'a> {
    talk: Talk<'a>,
    /// What becomes known to the server, in the order in which it says so.
    prepared: VecDeque<&'a AtomicBool>,
    /// How many statements have ended.
    ended: usize,
}

impl<'a> Reading<'a> {
    /// Writes down what is to be sent.
    pub(super) fn new(
        mut talk: Talk<'a>,
        own: &'a OwnStatements,
        plan: &'a RowsPlan,
        parameters: &[Parameter],
    ) -> Result<Self, ResourceError> {
        let mut prepared = VecDeque::new();
        write(talk.message(), &mut prepared, own, plan, parameters)
            .map_err(|error| sql_error("54000", format!("the statement can't be sent: {error}")))?;
        Ok(Self { talk, prepared, ended: 0 })
    }

    /// Sends it.
    pub(super) async fn send(&mut self) -> Result<(), Broken> {
        self.talk.send().await.map_err(|error| Broken::Line(error, 0))
    }

    /// Reads what is left, after the rows have ended or broken off with an error of the server; tells whether the connection is
    /// as it was before.
    pub(super) async fn end(mut self) -> io::Result<bool> {
        if self.ended <= BEFORE {
            // After an error, the server has skipped the rest.
            self.is_done().await?;
            frontend::query(END_READING, self.talk.message())?;
            self.talk.send().await?;
        }
        let is_clean = self.is_done().await?;
        self.talk.end();
        Ok(is_clean)
    }

    /// Reads on until the server is ready for more; tells whether all was done, and no transaction is open.
    async fn is_done(&mut self) -> io::Result<bool> {
        let mut has_failed = false;
        poll_fn(|context| {
            loop {
                match ready!(self.talk.poll_message(context))? {
                    backend::READY_FOR_QUERY_TAG => {
                        return Poll::Ready(Ok(!has_failed && self.talk.body() == b"I"));
                    }
                    backend::ERROR_RESPONSE_TAG => has_failed = true,
                    _ => {}
                }
            }
        })
        .await
    }

    fn note_prepared(&mut self) {
        if let Some(known) = self.prepared.pop_front() {
            known.store(true, Ordering::Relaxed);
        }
    }

    fn next(&mut self, context: &mut Context<'_>, builder: &mut RowsBuilder) -> Poll<Result<bool, Broken>> {
        let rows = builder.total();
        loop {
            let tag = ready!(self.talk.poll_message(context)).map_err(|error| Broken::Line(error, rows))?;
            match tag {
                backend::DATA_ROW_TAG if self.ended == BEFORE => {
                    builder.push(RawRow::new(self.talk.body()))?;
                    return Poll::Ready(Ok(true));
                }
                backend::COMMAND_COMPLETE_TAG | backend::EMPTY_QUERY_RESPONSE_TAG => {
                    self.ended += 1;
                    if self.ended > BEFORE {
                        return Poll::Ready(Ok(false));
                    }
                }
                backend::PARSE_COMPLETE_TAG => self.note_prepared(),
                backend::ERROR_RESPONSE_TAG => {
                    return Poll::Ready(Err(Broken::Said(Box::new(Said::read(self.talk.body())), rows)));
                }
                backend::BIND_COMPLETE_TAG
                | backend::CLOSE_COMPLETE_TAG
                | backend::NOTICE_RESPONSE_TAG
                | backend::NOTIFICATION_RESPONSE_TAG
                | backend::PARAMETER_STATUS_TAG => {}
                _ => return Poll::Ready(Err(Broken::Line(unexpected(tag), rows))),
            }
        }
    }
}

impl Rows for &mut Reading<'_> {
    fn poll_push(&mut self, context: &mut Context<'_>, builder: &mut RowsBuilder) -> Poll<Result<bool, Broken>> {
        self.next(context, builder)
    }
}

fn unexpected(tag: u8) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("a message that is no part of an answer: {tag:#04x}"))
}

/// Writes the messages of a query, and of what the server does not know yet.
fn write<'a>(
    out: &mut BytesMut,
    prepared: &mut VecDeque<&'a AtomicBool>,
    own: &'a OwnStatements,
    plan: &'a RowsPlan,
    parameters: &[Parameter],
) -> io::Result<()> {
    for name in std::mem::take(&mut *own.forgotten.lock()) {
        frontend::close(b'S', &name, out)?;
    }
    if !own.has_around.load(Ordering::Relaxed) {
        for (name, text) in AROUND {
            frontend::parse(name, text, [], out)?;
            // When one is known, all are taken for known: should another be missing, that costs the connection.
            prepared.push_back(&own.has_around);
        }
    }
    let types = plan.statement.params();
    if !plan.own.is_known.load(Ordering::Relaxed) {
        frontend::parse(&plan.own.name, &plan.text, types.iter().map(Type::oid), out)?;
        prepared.push_back(&plan.own.is_known);
    }
    out.extend_from_slice(&BEFORE_AND_AFTER.0);
    execute(&plan.own.name, parameters, out)?;
    out.extend_from_slice(&BEFORE_AND_AFTER.1);
    Ok(())
}

/// The messages before and after those of the query, which are always the same.
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
