//! The rows of a running query, on their way into the pipe.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio_postgres::Error;

use super::control::Control;
use super::decode::{ResultShape, RowsBuilder};
use super::error::{Said, from_connection, is_connection_gone, resource_error};
use super::outlet::Outlet;
use super::reading::Reading;
use super::sql::Sql;
use crate::block::Block;
use crate::resource::ResourceError;

/// How long rows that were found wait for more before they leave in a block that is not full.
const PATIENCE: Duration = Duration::from_millis(25);

/// Why rows ended before their end.
#[derive(Debug)]
pub(super) enum Broken {
    /// The server or the connection said so, after so many rows.
    Driver(Error, u64),
    /// The server said so to a query of our own, after so many rows.
    Said(Box<Said>, u64),
    /// The line broke in a query of our own, after so many rows.
    Line(io::Error, u64),
    /// We did, before anything was sent.
    Refused(ResourceError),
    /// We did, and nobody knows what the server does meanwhile.
    Stopped(ResourceError),
}

impl Broken {
    /// Whether the server has finished with the statement and goes on with the next.
    pub(super) fn leaves_connection(&self) -> bool {
        match self {
            Self::Driver(error, _) => !is_connection_gone(error),
            Self::Said(said, _) => !said.is_farewell(),
            Self::Refused(_) => true,
            Self::Line(..) | Self::Stopped(_) => false,
        }
    }

    /// What the server has said, if it was the server, and after how many rows.
    fn said(&self) -> Option<(Said, u64)> {
        match self {
            Self::Driver(error, rows) => Some((Said::of(error.as_db_error()?), *rows)),
            Self::Said(said, rows) => Some((Said::clone(said), *rows)),
            _ => None,
        }
    }

    /// Whether the server has forgotten what was prepared: then nothing of it can be used any more.
    pub(super) fn tells_of_forgetting(&self) -> bool {
        self.said().is_some_and(|(said, _)| said.is_of_forgetting())
    }

    /// Whether nothing has come of it yet, and the same may work when it is prepared anew, because its tables are not what they
    /// were.
    pub(super) fn is_stale(&self, has_parameters: bool) -> bool {
        self.said().is_some_and(|(said, rows)| {
            rows == 0 && (said.is_of_stale_plan() || (has_parameters && said.may_be_of_stale_types()))
        })
    }

    /// Whether nothing has come of it yet, and the same may work on another connection, or when it is prepared anew.
    pub(super) fn is_worth_another_try(&self, has_parameters: bool) -> bool {
        match self {
            Self::Driver(_, 0) | Self::Said(_, 0) | Self::Line(_, 0) => {
                !self.leaves_connection() || self.is_stale(has_parameters)
            }
            _ => false,
        }
    }

    /// The error that a caller can act on.
    pub(super) fn into_error(self, sql: Option<&Sql>) -> ResourceError {
        match self {
            Self::Driver(error, _) => resource_error(&error, sql),
            Self::Said(said, _) => said.into_error(sql),
            Self::Line(error, _) => from_connection(&error),
            Self::Refused(error) | Self::Stopped(error) => error,
        }
    }
}

impl From<ResourceError> for Broken {
    fn from(error: ResourceError) -> Self {
        Self::Stopped(error)
    }
}

/// Waits for something, as long as there is a reader.
pub(super) async fn while_read<T>(
    output: &Outlet<'_>,
    work: impl Future<Output = Result<T, Broken>>,
) -> Result<T, Broken> {
    tokio::select! {
        biased;
        result = work => result,
        () = output.closed() => Err(Broken::Stopped(ResourceError::Cancelled)),
    }
}

/// Sends rows; `is_first` says whether they begin the stream, which has at least one block. Gives their number.
pub(super) async fn send_some(
    rows: &mut Reading<'_>,
    shape: &Arc<ResultShape>,
    output: &mut Outlet<'_>,
    is_first: bool,
    control: &Control,
) -> Result<u64, Broken> {
    let mut builder = RowsBuilder::new(Arc::clone(shape));
    let mut blocks = 0_u64;
    loop {
        let pushed = poll_fn(|context| Poll::Ready(rows.poll_push(context, &mut builder))).await;
        let next = match pushed {
            Poll::Ready(next) => Some(next?),
            Poll::Pending => next_row(rows, &mut builder, &*output, control).await?,
        };
        match next {
            Some(true) if !builder.is_full() => continue,
            Some(false) => {
                if builder.has_rows() || (is_first && blocks == 0) {
                    output.send(Block::Rows(builder.take()?), control).await?;
                }
                return Ok(builder.total());
            }
            // The block is full, or the next row takes its time: those before it leave.
            Some(true) | None => {}
        }
        output.send(Block::Rows(builder.take()?), control).await?;
        blocks += 1;
    }
}

/// Waits for the next row; `None` when it takes long and others wait for it.
async fn next_row(
    rows: &mut Reading<'_>,
    builder: &mut RowsBuilder,
    output: &Outlet<'_>,
    control: &Control,
) -> Result<Option<bool>, Broken> {
    let others_wait = builder.has_rows();
    let next = async {
        tokio::select! {
            biased;
            next = poll_fn(|context| rows.poll_push(context, builder)) => next.map(Some),
            () = output.closed() => Err(Broken::Stopped(ResourceError::Cancelled)),
            () = tokio::time::sleep(PATIENCE), if others_wait => Ok(None),
        }
    };
    control.wait(next).await?
}
