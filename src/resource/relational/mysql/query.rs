//! Running a query on a connection.

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::poll;
use mysql_async::prelude::{Protocol, Queryable};
use mysql_async::{Params, QueryResult};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::bind::{prepare_for, values};
use super::error::{resource_error, sql as sql_error};
use super::link::Link;
use super::pool::cancellable;
use super::rows::RowsBuilder;
use crate::block::{Block, BlockWriter};
use crate::resource::ResourceError;
use crate::resource::relational::Statement;

/// How long rows wait for more before they leave as a block that is not full.
const PATIENCE: Duration = Duration::from_millis(100);

/// Where the rows go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output<'a> {
    pub(super) writer: &'a BlockWriter,
    /// Whether anybody still waits for them.
    pub(super) cancel: &'a CancellationToken,
}

/// Runs a query and sends its blocks, at least one; gives the number of rows. `has_sent` says whether any has left.
pub(super) async fn run(
    link: &mut Link,
    statement: &Statement,
    output: &Output<'_>,
    has_sent: &mut bool,
) -> Result<u64, ResourceError> {
    let prepared = prepare_for(link, &statement.sql, &statement.parameters).await?;
    let parameters = Params::Positional(values(&statement.parameters));
    let mut result = link.driver().exec_iter(&prepared, parameters).await.map_err(resource_error)?;
    if result.columns_ref().is_empty() {
        return Err(sql_error("the statement gives no rows; a query needs one that does, such as SELECT"));
    }
    let rows = send_rows(&mut result, output, has_sent).await?;
    result.drop_result().await.map_err(resource_error)?;
    Ok(rows)
}

/// Sends the rows of the result set that comes next, in at least one block; gives their number.
pub(super) async fn send_rows<P: Protocol>(
    result: &mut QueryResult<'_, 'static, P>,
    output: &Output<'_>,
    has_sent: &mut bool,
) -> Result<u64, ResourceError> {
    let mut builder = RowsBuilder::new(result.columns_ref())?;
    loop {
        let row = {
            // The stream of the driver's documentation would allocate for each row.
            let mut next = pin!(result.next());
            match poll!(next.as_mut()) {
                Poll::Ready(row) => row,
                Poll::Pending if builder.has_rows() => {
                    if let Ok(row) = timeout(PATIENCE, next.as_mut()).await {
                        row
                    } else {
                        send(output, &mut builder, has_sent).await?;
                        next.await
                    }
                }
                Poll::Pending => next.await,
            }
        };
        let Some(row) = row.map_err(resource_error)? else { break };
        builder.push(&row);
        if builder.is_full() {
            send(output, &mut builder, has_sent).await?;
        }
    }
    if builder.has_rest() {
        send(output, &mut builder, has_sent).await?;
    }
    Ok(builder.total())
}

async fn send(output: &Output<'_>, builder: &mut RowsBuilder, has_sent: &mut bool) -> Result<(), ResourceError> {
    *has_sent = true;
    let block = Block::Rows(builder.take()?);
    cancellable(output.cancel, async { output.writer.send(block).await.map_err(|_| ResourceError::Cancelled) }).await
}
