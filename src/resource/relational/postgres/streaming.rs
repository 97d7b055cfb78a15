//! The rows of a running query, on their way into the pipe.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::{StreamExt, poll};
use tokio_postgres::{Error, Row, RowStream};

use super::control::Control;
use super::decode::{ResultShape, RowsBuilder};
use super::error::{has_forgotten, is_connection_gone};
use super::outlet::Outlet;
use crate::block::Block;
use crate::resource::ResourceError;

/// How long rows that were found wait for more before they leave in a block that is not full.
const PATIENCE: Duration = Duration::from_millis(25);

/// Why rows ended before their end.
#[derive(Debug)]
pub(super) enum Broken {
    /// The server or the connection said so, after so many rows.
    Driver(Error, u64),
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
            Self::Refused(_) => true,
            Self::Stopped(_) => false,
        }
    }

    /// Whether the server has forgotten what was prepared: then nothing of it can be used any more.
    pub(super) fn tells_of_forgetting(&self) -> bool {
        matches!(self, Self::Driver(error, _) if has_forgotten(error))
    }
}

impl From<ResourceError> for Broken {
    fn from(error: ResourceError) -> Self {
        Self::Stopped(error)
    }
}

/// Sends all rows; there is at least one block. Gives their number.
pub(super) async fn send_rows(
    rows: Pin<&mut RowStream>,
    shape: &Arc<ResultShape>,
    output: &mut Outlet<'_>,
    control: &Control,
) -> Result<u64, Broken> {
    send_some(rows, shape, output, true, control).await
}

/// Sends rows; `is_first` says whether they begin the stream, which has at least one block. Gives their number.
pub(super) async fn send_some(
    mut rows: Pin<&mut RowStream>,
    shape: &Arc<ResultShape>,
    output: &mut Outlet<'_>,
    is_first: bool,
    control: &Control,
) -> Result<u64, Broken> {
    let mut builder = RowsBuilder::new(Arc::clone(shape));
    let mut blocks = 0_u64;
    loop {
        let next = match poll!(rows.next()) {
            Poll::Ready(next) => Some(next),
            Poll::Pending => next_row(rows.as_mut(), builder.has_rows(), &*output, control).await?,
        };
        match next {
            Some(Some(Ok(row))) => {
                builder.push(&row)?;
                if !builder.is_full() {
                    continue;
                }
            }
            Some(Some(Err(error))) => return Err(Broken::Driver(error, builder.total())),
            Some(None) => {
                if builder.has_rows() || (is_first && blocks == 0) {
                    output.send(Block::Rows(builder.take()?), control).await?;
                }
                return Ok(builder.total());
            }
            // The next row takes its time: those before it leave.
            None => {}
        }
        output.send(Block::Rows(builder.take()?), control).await?;
        blocks += 1;
    }
}

/// Waits for the next row; `None` when it takes long and others wait for it.
async fn next_row(
    mut rows: Pin<&mut RowStream>,
    others_wait: bool,
    output: &Outlet<'_>,
    control: &Control,
) -> Result<Option<Option<Result<Row, Error>>>, ResourceError> {
    let next = async {
        tokio::select! {
            biased;
            next = rows.next() => Ok(Some(next)),
            () = output.closed() => Err(ResourceError::Cancelled),
            () = tokio::time::sleep(PATIENCE), if others_wait => Ok(None),
        }
    };
    control.wait(next).await?
}
