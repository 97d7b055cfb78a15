//! Cursors: queries whose rows are fetched as they are wanted.
//!
//! The server keeps the query and finds its rows when they are fetched. A cursor has a connection with a transaction of its own,
//! or is one of an open transaction, where it stands outside of the savepoints that come and go.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::PostgresResource;
use super::asking::Asked;
use super::connection::Connection;
use super::control::Control;
use super::decode::ResultShape;
use super::error::sql_error;
use super::outlet::Outlet;
use super::parameter::values;
use super::pool::Lease;
use super::query::{BEGIN_READING, END_READING, ready_anew, refuse_nothing};
use super::reading::send_within;
use super::scope::{Scope, Work, run_after, tell};
use super::sql::Sql;
use super::streaming::Broken;
use super::transaction::Inner;
use crate::block::BlockWriter;
use crate::resource::ResourceError;
use crate::resource::relational::{CursorOptions, Fetch, FetchEnd, FetchFrom, Parameter, RowCursor, Statement};

/// How many rows the server finds at a time.
const ROWS_AT_A_TIME: u64 = 4096;

/// The last row that `MOVE ABSOLUTE` goes before: the server takes 32 bits.
const LAST_ROW: u64 = i32::MAX as u64;

/// Tells the cursors of a process apart.
static CURSORS: AtomicU64 = AtomicU64::new(1);

/// An open cursor.
#[derive(Debug)]
struct PostgresCursor {
    name: String,
    shape: Arc<ResultShape>,
    is_scrollable: bool,
    state: tokio::sync::Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// None once it is closed.
    home: Option<Home>,
    /// The number of the row that comes next, from 1.
    next: u64,
}

/// Where a cursor lives.
#[derive(Debug)]
enum Home {
    Own(Box<Lease>, Control),
    Transaction(Arc<Inner>),
}

/// Opens a cursor on a connection of its own.
pub(super) async fn open(
    resource: &PostgresResource,
    statement: &Statement,
    options: CursorOptions,
    control: &Control,
) -> Result<Box<dyn RowCursor>, ResourceError> {
    let mut declare = Declare::new(statement, options)?;
    let lease = resource.lend_begun(BEGIN_READING, control).await?;
    match declare.run(&lease, control).await {
        Ok(shape) => {
            let home = Home::Own(Box::new(lease), resource.control(CancellationToken::new()));
            Ok(declare.into_cursor(shape, home))
        }
        Err(broken) => {
            if broken.leaves_connection() && tell(&lease, END_READING, control).await.is_ok() {
                lease.give_back();
            }
            Err(broken.into_error(Some(&declare.sql)))
        }
    }
}

/// Opens a cursor in a transaction.
pub(super) async fn open_in(
    inner: &Arc<Inner>,
    statement: &Statement,
    options: CursorOptions,
    control: &Control,
) -> Result<Box<dyn RowCursor>, ResourceError> {
    let mut declare = Declare::new(statement, options)?;
    // Where it stays it could lock rows, as a query can't, and would lose them with what the queries did. So it is tried as a
    // query first, which does away with it before anything else is done.
    inner.reading(&mut declare, control).await?;
    let shape = inner.writing(&mut declare, control).await?;
    Ok(declare.into_cursor(shape, Home::Transaction(Arc::clone(inner))))
}

/// Declares a cursor. Nothing of its query runs before the first row is fetched.
struct Declare<'a> {
    name: String,
    sql: Arc<Sql>,
    parameters: &'a [Parameter],
    is_scrollable: bool,
}

impl<'a> Declare<'a> {
    fn new(statement: &'a Statement, options: CursorOptions) -> Result<Self, ResourceError> {
        let sql = Arc::new(Sql::read(&statement.sql)?);
        refuse_nothing(&sql)?;
        let name = format!("rejoin_cursor_{}", CURSORS.fetch_add(1, Ordering::Relaxed));
        Ok(Self { name, sql, parameters: &statement.parameters, is_scrollable: options.scrollable })
    }

    fn into_cursor(self, shape: Arc<ResultShape>, home: Home) -> Box<dyn RowCursor> {
        let state = tokio::sync::Mutex::new(State { home: Some(home), next: 1 });
        Box::new(PostgresCursor { name: self.name, shape, is_scrollable: self.is_scrollable, state })
    }

    async fn declare(&self, connection: &Connection, control: &Control) -> Result<Arc<ResultShape>, Broken> {
        // The rows that are fetched have the types of now.
        let prepared = ready_anew(connection, &self.sql, self.parameters, control).await?;
        let plan = prepared.rows().map_err(Broken::Refused)?;
        let scroll = if self.is_scrollable { "SCROLL" } else { "NO SCROLL" };
        let text = format!("DECLARE {} {scroll} CURSOR FOR {}", self.name, plan.text);
        let driver = |error| Broken::Driver(error, 0);
        let client = connection.client();
        let declare = control.wait(client.prepare_typed(&text, prepared.parameters())).await?.map_err(driver)?;
        control.wait(client.execute_raw(&declare, values(self.parameters))).await?.map_err(driver)?;
        Ok(Arc::clone(&plan.shape))
    }
}

#[async_trait]
impl Work for Declare<'_> {
    type Done = Arc<ResultShape>;

    async fn run(&mut self, connection: &Connection, control: &Control) -> Result<Self::Done, Broken> {
        self.declare(connection, control).await
    }

    fn sql(&self) -> Option<&Sql> {
        Some(&self.sql)
    }
}

#[async_trait]
impl RowCursor for PostgresCursor {
    async fn fetch(
        &self,
        fetch: Fetch,
        output: BlockWriter,
        cancel: CancellationToken,
    ) -> Result<FetchEnd, ResourceError> {
        let mut state = self.state.lock().await;
        if fetch.rows == 0 {
            return Err(ResourceError::unsupported("a fetch of no rows; ask for one at least"));
        }
        let from = self.place(&fetch, state.next)?;
        // Unless it comes to its end, nobody knows where the cursor stands.
        let Some(home) = state.home.take() else { return Err(sql_error("34000", "the cursor is closed")) };
        let moved = (from != state.next).then_some(from);
        let mut work = FetchWork { cursor: self, moved, rows: fetch.rows, outlet: Outlet::alone(&output) };
        let rows = match &home {
            Home::Own(lease, control) => {
                let control = control.again(cancel);
                match work.run(lease, &control).await {
                    Ok(rows) => rows,
                    Err(broken) => {
                        let clean = broken.leaves_connection() && tell(lease, END_READING, &control).await.is_ok();
                        if clean && let Home::Own(lease, _) = home {
                            lease.give_back();
                        }
                        return Err(broken.into_error(None));
                    }
                }
            }
            Home::Transaction(inner) => {
                work.outlet = inner.outlet(&output);
                let control = inner.control(cancel);
                let rows = inner.reading(&mut work, &control).await?;
                work.outlet.flush(&control).await?;
                rows
            }
        };
        drop(work);
        state.home = Some(home);
        state.next = from + rows;
        output.finish().await;
        Ok(FetchEnd { rows, at_end: rows < fetch.rows })
    }

    async fn close(&self) -> Result<(), ResourceError> {
        match self.state.lock().await.home.take() {
            Some(home) => close(home, &self.name).await,
            None => Ok(()),
        }
    }
}

impl PostgresCursor {
    /// The row at which a fetch begins.
    fn place(&self, fetch: &Fetch, next: u64) -> Result<u64, ResourceError> {
        let place = match fetch.from {
            FetchFrom::Next => return Ok(next),
            FetchFrom::Absolute(row) => row.max(1),
            FetchFrom::Relative(rows) => next.saturating_add_signed(rows).max(1),
        };
        if !self.is_scrollable {
            return Err(ResourceError::unsupported("the cursor only goes forward; open one that is scrollable"));
        }
        if place > LAST_ROW {
            return Err(ResourceError::unsupported(format!("a cursor goes to the row {LAST_ROW} at the most")));
        }
        Ok(place)
    }
}

impl Drop for PostgresCursor {
    fn drop(&mut self) {
        let Some(home) = self.state.get_mut().home.take() else { return };
        let name = std::mem::take(&mut self.name);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { close(home, &name).await });
        }
    }
}

async fn close(home: Home, name: &str) -> Result<(), ResourceError> {
    match home {
        Home::Own(lease, control) => {
            let control = control.again(CancellationToken::new());
            let ended = tell(&lease, END_READING, &control).await;
            ended.map_err(|broken| broken.into_error(None))?;
            lease.give_back();
            Ok(())
        }
        Home::Transaction(inner) => {
            if inner.is_over() {
                return Ok(());
            }
            inner.reading(CloseWork(name), &inner.control(CancellationToken::new())).await
        }
    }
}

struct CloseWork<'a>(&'a str);

#[async_trait]
impl Work for CloseWork<'_> {
    type Done = ();

    async fn run(&mut self, connection: &Connection, control: &Control) -> Result<(), Broken> {
        tell(connection, &format!("CLOSE {}", self.0), control).await
    }
}

/// Fetches rows into a pipe, some at a time.
struct FetchWork<'a> {
    cursor: &'a PostgresCursor,
    /// The row that the cursor goes to first, if it is not there.
    moved: Option<u64>,
    rows: u64,
    outlet: Outlet<'a>,
}

impl FetchWork<'_> {
    /// Fetches the rows after the one at which the cursor stands; `before` it statements without rows.
    async fn fetch(&mut self, before: &str, connection: &Connection, control: &Control) -> Result<u64, Broken> {
        let shape = &self.cursor.shape;
        let (mut sent, mut before) = (0, before);
        loop {
            let wanted = (self.rows - sent).min(ROWS_AT_A_TIME);
            let text = format!("FETCH FORWARD {wanted} FROM {}", self.cursor.name);
            let asked = (std::mem::take(&mut before), Asked::text(&text));
            let rows = send_within(connection, asked, shape, sent == 0, &mut self.outlet, control).await?;
            sent += rows;
            if rows < wanted || sent == self.rows {
                return Ok(sent);
            }
        }
    }
}

#[async_trait]
impl Work for FetchWork<'_> {
    type Done = u64;

    async fn run(&mut self, connection: &Connection, control: &Control) -> Result<u64, Broken> {
        if let Some(row) = self.moved {
            tell(connection, &format!("MOVE ABSOLUTE {} IN {}", row - 1, self.cursor.name), control).await?;
        }
        self.fetch("", connection, control).await
    }

    async fn run_after(&mut self, statements: &str, connection: &Connection, control: &Control) -> Result<u64, Broken> {
        if self.moved.is_none() {
            return self.fetch(statements, connection, control).await;
        }
        run_after(self, statements, connection, control).await
    }
}
