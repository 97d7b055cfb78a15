//! What is done on a held connection.

use std::sync::Arc;

use arrow_array::RecordBatch;
use rusqlite::Rows;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::Desk;
use crate::block::{Block, BlockWriter};
use crate::resource::ResourceError;
use crate::resource::relational::sqlite::bind::bind;
use crate::resource::relational::sqlite::control::Control;
use crate::resource::relational::sqlite::error::resource_error;
use crate::resource::relational::sqlite::gathered_rows::GatheredRows;
use crate::resource::relational::sqlite::returning::Returning;
use crate::resource::relational::sqlite::rows::RowsBuilder;
use crate::resource::relational::sqlite::{query as queries, update as updates};
use crate::resource::relational::{FetchEnd, QueryEnd, Statement, UpdateEnd};

/// Runs a query like those of the pool. While its reader keeps it waiting, other jobs go on.
pub(in crate::resource::relational::sqlite) async fn query(
    desk: &Desk,
    statement: Statement,
    output: BlockWriter,
    cancel: CancellationToken,
) -> Result<QueryEnd, ResourceError> {
    let control = Arc::new(Control::new(cancel, Some(output.watch())));
    let mut prepared = prepare(desk, &statement, &control)?;
    let mut reading = Reading { desk, sql: statement.sql, rows: prepared.raw_query(), builder: None };
    let end = reading.send(u64::MAX, &output, &control).await?;
    output.finish().await;
    Ok(QueryEnd { rows: end.rows })
}

/// Runs an update for every row of parameters, all or none of them, in the transaction that is open; also gives its rows, if
/// they are wanted.
pub(in crate::resource::relational::sqlite) async fn update(
    desk: &Desk,
    sql: String,
    mut rows: GatheredRows,
    wants_rows: bool,
    cancel: CancellationToken,
) -> Result<UpdateEnd, ResourceError> {
    let mut writer = desk.writer.lock().await;
    if writer.is_none() {
        // Here and not at the beginning: a transaction that only reads keeps nobody from writing.
        *writer = Some(desk.pool.writer_for_long(&cancel).await?);
    }
    let control = Arc::new(Control::new(cancel, None));
    let connection = &desk.connection;
    let mut prepared = {
        let _guard = connection.under(&control);
        let prepared = connection.prepare(&sql)?;
        updates::check(&prepared)?;
        prepared
    };
    let mut returning = None;
    let savepoint = Savepoint::set(desk)?;
    let mut changed = 0;
    while let Some(row) = rows.next().await? {
        let _guard = connection.under(&control);
        if wants_rows && returning.is_none() {
            returning = Some(Returning::of(&sql, &prepared)?);
        }
        changed += updates::execute(connection, &mut prepared, &row, returning.as_mut())?;
    }
    let rows = returning.map(|returning| returning.finish(&prepared)).transpose()?.unwrap_or_default();
    drop(prepared);
    savepoint.release()?;
    Ok(UpdateEnd { changed, rows })
}

/// What a cursor is asked.
pub(in crate::resource::relational::sqlite) struct CursorCall {
    pub(in crate::resource::relational::sqlite) rows: u64,
    pub(in crate::resource::relational::sqlite) output: BlockWriter,
    pub(in crate::resource::relational::sqlite) cancel: CancellationToken,
    pub(in crate::resource::relational::sqlite) done: oneshot::Sender<Result<FetchEnd, ResourceError>>,
}

/// Opens a cursor, says so, and answers the calls that come, until they end or it is at its end.
pub(in crate::resource::relational::sqlite) async fn serve_cursor(
    desk: &Desk,
    statement: Statement,
    mut calls: mpsc::Receiver<CursorCall>,
    opened: oneshot::Sender<Result<(), ResourceError>>,
    cancel: CancellationToken,
) {
    let control = Arc::new(Control::new(cancel, None));
    let mut prepared = match prepare(desk, &statement, &control) {
        Ok(prepared) => prepared,
        Err(error) => {
            let _ = opened.send(Err(error));
            return;
        }
    };
    drop(control);
    let mut reading = Reading { desk, sql: statement.sql, rows: prepared.raw_query(), builder: None };
    let _ = opened.send(Ok(()));
    while let Some(CursorCall { rows: wanted, output, cancel, mut done }) = calls.recv().await {
        let control = Arc::new(Control::new(cancel, Some(output.watch())));
        let fetched = tokio::select! {
            biased;
            // Nobody knows how many rows arrived.
            () = done.closed() => return,
            fetched = reading.send(wanted, &output, &control) => fetched,
        };
        let is_over = fetched.as_ref().map_or(true, |end| end.at_end);
        if fetched.is_ok() {
            output.finish().await;
        }
        let _ = done.send(fetched);
        if is_over {
            return;
        }
    }
}

fn prepare<'d>(
    desk: &'d Desk,
    statement: &Statement,
    control: &Arc<Control>,
) -> Result<rusqlite::CachedStatement<'d>, ResourceError> {
    let _guard = desk.connection.under(control);
    let mut prepared = desk.connection.prepare(&statement.sql)?;
    queries::check(&prepared)?;
    bind(&mut prepared, &statement.parameters)?;
    Ok(prepared)
}

/// A query that is being read.
struct Reading<'d> {
    desk: &'d Desk,
    sql: String,
    rows: Rows<'d>,
    builder: Option<RowsBuilder>,
}

struct NextBlock {
    block: Option<RecordBatch>,
    /// No row follows.
    is_last: bool,
}

impl Reading<'_> {
    /// Sends rows until so many have been sent or there are no more. Gives how many, and whether that was the end.
    async fn send(
        &mut self,
        wanted: u64,
        output: &BlockWriter,
        control: &Arc<Control>,
    ) -> Result<FetchEnd, ResourceError> {
        let mut end = FetchEnd { rows: 0, at_end: false };
        let mut is_first = true;
        while !end.at_end && (end.rows < wanted || is_first) {
            let next = self.next_block(wanted - end.rows, is_first, control)?;
            end.at_end = next.is_last;
            if let Some(block) = next.block {
                is_first = false;
                end.rows += block.num_rows() as u64;
                output.send(Block::Rows(block)).await.map_err(|_| ResourceError::Cancelled)?;
            }
        }
        Ok(end)
    }

    /// Steps until a block is full, or holds as many rows as are wanted. One that is needed is there also without rows.
    fn next_block(&mut self, wanted: u64, is_needed: bool, control: &Arc<Control>) -> Result<NextBlock, ResourceError> {
        let _guard = self.desk.connection.under(control);
        let mut gathered = 0;
        let mut is_last = false;
        while gathered < wanted {
            let Some(row) = self.rows.next().map_err(resource_error)? else {
                is_last = true;
                break;
            };
            // The first step sees whether the schema has changed; only then is it known what the columns are.
            let shape = || self.desk.shapes.borrow_mut().shape(&self.sql, row.as_ref());
            let builder = self.builder.get_or_insert_with(|| RowsBuilder::new(shape()));
            builder.push(row)?;
            gathered += 1;
            if builder.is_full(control.looks()) {
                break;
            }
        }
        let builder = if let Some(builder) = &mut self.builder {
            builder
        } else {
            // The statement that was stepped is reset at its end, and does not tell its columns any more.
            let again = self.desk.connection.prepare(&self.sql)?;
            let shape = self.desk.shapes.borrow_mut().shape(&self.sql, &again);
            self.builder.insert(RowsBuilder::new(shape))
        };
        let block = (builder.has_rows() || is_needed).then(|| builder.take(control.looks())).transpose()?;
        Ok(NextBlock { block, is_last })
    }
}

/// A place in the transaction to which a statement that fails goes back.
pub(super) struct Savepoint<'d> {
    desk: &'d Desk,
    set: bool,
}

impl<'d> Savepoint<'d> {
    pub(super) fn set(desk: &'d Desk) -> Result<Self, ResourceError> {
        desk.connection.run_own("SAVEPOINT rejoin_statement")?;
        Ok(Self { desk, set: true })
    }

    pub(super) fn release(mut self) -> Result<(), ResourceError> {
        self.desk.connection.run_own("RELEASE rejoin_statement")?;
        self.set = false;
        Ok(())
    }
}

impl Drop for Savepoint<'_> {
    fn drop(&mut self) {
        // A transaction that the database itself has rolled back has no savepoints any more.
        if self.set && !self.desk.connection.driver().is_autocommit() {
            let _ = self.desk.connection.run_own("ROLLBACK TO rejoin_statement; RELEASE rejoin_statement");
        }
    }
}
