//! Rows that the server was asked for, read from the line: the one way in which rows come.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use postgres_protocol::message::{backend, frontend};

use super::asking::{Asked, Expected, Within, write};
use super::connection::Connection;
use super::control::Control;
use super::decode::{ResultShape, RowsBuilder};
use super::error::{Said, sql_error};
use super::line::{RawRow, Talk};
use super::outlet::Outlet;
use super::query::END_READING;
use super::streaming::{Broken, send_some, while_read};
use crate::resource::relational::returned::ReturnedRows;

/// A query that is sent, and its rows.
pub(super) struct Reading<'a> {
    talk: Talk<'a>,
    expected: Expected<'a>,
    /// Whether the query has come to its end.
    has_ended: bool,
}

impl<'a> Reading<'a> {
    /// Takes the line, and writes down what is to be sent.
    pub(super) async fn begin(
        connection: &'a Connection,
        asked: Asked<'a>,
        within: Within<'_>,
        control: &Control,
    ) -> Result<Self, Broken> {
        let mut talk = control.wait(connection.talk()).await??;
        match write(talk.message(), &connection.own, asked, within) {
            Ok(expected) => Ok(Self { talk, expected, has_ended: false }),
            Err(error) => {
                // Nothing was sent.
                talk.end();
                Err(Broken::Refused(sql_error("54000", format!("the statement can't be sent: {error}"))))
            }
        }
    }

    /// Sends it, and passes the rows on; `is_first` says whether they begin their stream. Gives their number.
    pub(super) async fn run(
        &mut self,
        shape: &Arc<ResultShape>,
        is_first: bool,
        output: &mut Outlet<'_>,
        control: &Control,
    ) -> Result<u64, Broken> {
        let sending = async { control.wait(self.talk.send()).await?.map_err(|error| Broken::Line(error, 0)) };
        while_read(&*output, sending).await?;
        send_some(self, shape, output, is_first, control).await
    }

    /// Sends it, and keeps the rows.
    async fn keep(&mut self, builder: &mut RowsBuilder, returned: &mut ReturnedRows) -> Result<u64, Broken> {
        let before = builder.total();
        self.talk.send().await.map_err(|error| Broken::Line(error, 0))?;
        while poll_fn(|context| self.poll_push(context, builder)).await? {
            if builder.is_full() {
                returned.push(builder.take()?);
            }
        }
        Ok(builder.total() - before)
    }

    /// Whether the server has come to the query: whatever it was to do before is done.
    fn has_begun(&self) -> bool {
        self.expected.before.is_none()
    }

    /// Reads what is left of a query in a transaction of its own, after its rows have ended or broken off with an error of the
    /// server; tells whether the connection is as it was before.
    pub(super) async fn end(mut self) -> io::Result<bool> {
        if !self.has_ended {
            // After an error, the server has skipped the rest.
            self.until_ready().await?;
            frontend::query(END_READING, self.talk.message())?;
            self.talk.send().await?;
        }
        let state = self.until_ready().await?;
        self.talk.end();
        Ok(state == Some(b'I'))
    }

    /// The same in a transaction that is open and goes on, if the query has not failed.
    async fn end_within(mut self, result: Result<u64, Broken>) -> Result<u64, Broken> {
        let rows = match &result {
            Ok(rows) => *rows,
            Err(Broken::Said(said, rows)) if !said.is_farewell() => *rows,
            Err(_) => return result,
        };
        let state = self.until_ready().await.map_err(|error| Broken::Line(error, rows))?;
        self.talk.end();
        if result.is_ok() && state != Some(b'T') {
            return Err(Broken::Line(io::Error::other("the transaction was lost"), rows));
        }
        result
    }

    /// Reads on until the server is ready for more; gives the state that it is in, unless something has failed.
    async fn until_ready(&mut self) -> io::Result<Option<u8>> {
        let mut has_failed = false;
        poll_fn(|context| {
            loop {
                match ready!(self.talk.poll_message(context))? {
                    backend::READY_FOR_QUERY_TAG => {
                        let state = self.talk.body().first().copied();
                        return Poll::Ready(Ok(state.filter(|_| !has_failed)));
                    }
                    backend::ERROR_RESPONSE_TAG => has_failed = true,
                    _ => {}
                }
            }
        })
        .await
    }

    /// Appends the next row to those of a block; `false` when there is none.
    pub(super) fn poll_push(
        &mut self,
        context: &mut Context<'_>,
        builder: &mut RowsBuilder,
    ) -> Poll<Result<bool, Broken>> {
        let rows = builder.total();
        loop {
            let tag = ready!(self.talk.poll_message(context)).map_err(|error| Broken::Line(error, rows))?;
            match tag {
                backend::DATA_ROW_TAG if self.has_begun() => {
                    builder.push(RawRow::new(self.talk.body()))?;
                    return Poll::Ready(Ok(true));
                }
                tag if self.expected.before == Some(tag) => self.expected.before = None,
                backend::COMMAND_COMPLETE_TAG | backend::EMPTY_QUERY_RESPONSE_TAG => {
                    if self.has_begun() {
                        self.has_ended = true;
                        return Poll::Ready(Ok(false));
                    }
                }
                backend::PARSE_COMPLETE_TAG => self.expected.note_prepared(),
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

/// Passes on the rows of something that is run in the transaction that is open, `before` it statements without rows; `is_first`
/// says whether they begin their stream. Gives their number.
///
/// What is refused was refused before anything was sent. Where the statements before it fail, nothing can be said of it.
pub(super) async fn send_within(
    connection: &Connection,
    (before, asked): (&str, Asked<'_>),
    shape: &Arc<ResultShape>,
    is_first: bool,
    output: &mut Outlet<'_>,
    control: &Control,
) -> Result<u64, Broken> {
    let mut reading = Reading::begin(connection, asked, Within::Open(before), control).await?;
    let result = reading.run(shape, is_first, output, control).await;
    match result {
        Err(Broken::Said(said, _)) if !reading.has_begun() => Err(Broken::Stopped(said.into_error(None))),
        result => control.wait(reading.end_within(result)).await?,
    }
}

/// Runs something in the transaction that is open, and keeps its rows. Gives their number.
pub(super) async fn read_within(
    connection: &Connection,
    asked: Asked<'_>,
    builder: &mut RowsBuilder,
    returned: &mut ReturnedRows,
    control: &Control,
) -> Result<u64, Broken> {
    let mut reading = Reading::begin(connection, asked, Within::Open(""), control).await?;
    let result = control.wait(reading.keep(builder, returned)).await?;
    control.wait(reading.end_within(result)).await?
}

fn unexpected(tag: u8) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("a message that is no part of an answer: {tag:#04x}"))
}
