//! An update on a connection of the pool.
//!
//! It runs in a transaction of its own, with all its rows of parameters or none. What the session of the connection could
//! remember of it is undone before the connection is lent again.

use std::collections::VecDeque;
use std::pin::{Pin, pin};

use futures_util::poll;
use tokio_postgres::{Client, Error, Statement};

use super::PostgresResource;
use super::connection::Connection;
use super::control::Control;
use super::error::is_connection_gone;
use super::parameter::{check, values};
use super::pool::Lease;
use super::query::{refuse_nothing, settled};
use super::scope::in_doubt;
use super::sql::{Sql, Verb};
use super::streaming::Broken;
use crate::resource::ResourceError;
use crate::resource::relational::{Parameter, ParameterRows};

/// Undoes all that a session can remember but its prepared statements, which are ours: `DISCARD ALL` without them.
pub(super) const CLEAN: &str = "\
    RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; CLOSE ALL; UNLISTEN *; \
    SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES";

/// How many executions are on their way to the server at a time.
const IN_FLIGHT: usize = 64;

/// An execution that was sent.
type Execution<'a> = Pin<Box<dyn Future<Output = Result<u64, Error>> + Send + 'a>>;

/// A row of parameters that was awaited already; `None` is the end.
type NextRow = Result<Option<Vec<Parameter>>, ResourceError>;

/// Why an update failed, and what may have become of it.
#[derive(Debug)]
pub(super) struct Failed {
    broken: Broken,
    /// Whether no parameters are used up, so that the same can be done again.
    can_repeat: bool,
}

impl From<Broken> for Failed {
    fn from(broken: Broken) -> Self {
        Self { broken, can_repeat: true }
    }
}

impl From<ResourceError> for Failed {
    fn from(error: ResourceError) -> Self {
        Broken::Stopped(error).into()
    }
}

/// Runs an update.
pub(super) async fn run(
    resource: &PostgresResource,
    sql: &str,
    mut rows: ParameterRows,
    control: &Control,
) -> Result<u64, ResourceError> {
    let sql = Sql::read(sql)?;
    refuse_nothing(&sql)?;
    // Nobody has to wait for a connection while the first parameters are on their way.
    let Some(first) = next(&mut rows, control).await? else { return Ok(0) };
    let mut is_first = true;
    loop {
        let lease = resource.pool.lend(control.cancel()).await?;
        let (result, is_clean) = attempt(&lease, &sql, &first, &mut rows, control).await;
        let again = result.as_ref().err().is_some_and(|failed| is_first && can_try_again(failed));
        if is_clean {
            lease.give_back();
        }
        match result {
            Ok(changed) => return Ok(changed),
            // It was dead before anything ran on it, and so may others be.
            Err(_) if again => {
                is_first = false;
                resource.pool.drop_idle();
            }
            Err(failed) => return Err(failed.broken.into_error(Some(&sql))),
        }
    }
}

/// Whether nothing has happened, and the same may work on another connection.
fn can_try_again(failed: &Failed) -> bool {
    match &failed.broken {
        Broken::Driver(error, _) => failed.can_repeat && is_connection_gone(error),
        Broken::Said(..) | Broken::Line(..) | Broken::Refused(_) | Broken::Stopped(_) => false,
    }
}

/// Runs an update on a connection; also tells whether the connection is as it was before.
async fn attempt(
    lease: &Lease,
    sql: &Sql,
    first: &[Parameter],
    rows: &mut ParameterRows,
    control: &Control,
) -> (Result<u64, Failed>, bool) {
    let result = in_transaction(lease, sql, first, rows, control).await;
    if sql.verb() == Verb::Other {
        lease.note_change();
    }
    let leaves_connection = result.as_ref().err().is_none_or(|failed| failed.broken.leaves_connection());
    let is_clean = leaves_connection && matches!(control.wait(lease.client().batch_execute(CLEAN)).await, Ok(Ok(())));
    let counts = sql.verb() != Verb::Select;
    (result.map(|changed| if counts { changed } else { 0 }), is_clean)
}

/// Runs an update in a transaction, which is over then.
///
/// It is prepared there: from then on to the end nobody can give the table other types. What was prepared before would read a
/// parameter as what its column was, a `date` say, and lose the time of day that the column has room for now.
async fn in_transaction(
    connection: &Connection,
    sql: &Sql,
    first: &[Parameter],
    rows: &mut ParameterRows,
    control: &Control,
) -> Result<u64, Failed> {
    let client = connection.client();
    let mut begin = pin!(client.batch_execute("BEGIN"));
    let mut preparing = pin!(connection.prepare_effect(sql));
    // What is polled once is sent.
    let (begun, prepared) = (poll!(&mut begin), poll!(&mut preparing));
    settled(begun, begin, control).await?;
    let statement = match settled(prepared, preparing, control).await.and_then(|statement| fitting(statement, first)) {
        Ok(statement) => statement,
        Err(broken) => {
            roll_back(client, &broken, control).await?;
            return Err(broken.into());
        }
    };
    match soon(rows).await {
        Some(Ok(None)) => once(client, &statement, first, control).await,
        second => {
            let result = many(client, &statement, (first, second), rows, control).await;
            result.map_err(|failed| Failed { can_repeat: false, ..failed })
        }
    }
}

/// The statement, if it takes these values.
fn fitting(statement: Statement, values: &[Parameter]) -> Result<Statement, Broken> {
    check(values, statement.params()).map_err(Broken::Refused)?;
    Ok(statement)
}

/// Ends a transaction in which something failed, if there is a connection.
async fn roll_back(client: &Client, broken: &Broken, control: &Control) -> Result<(), Broken> {
    if !broken.leaves_connection() {
        return Ok(());
    }
    control.wait(client.batch_execute("ROLLBACK")).await?.map_err(|error| Broken::Driver(error, 0))
}

/// The next row of parameters, if it is there already.
async fn soon(rows: &mut ParameterRows) -> Option<NextRow> {
    match poll!(pin!(rows.next())) {
        std::task::Poll::Ready(row) => Some(row.map_err(|_| ResourceError::Cancelled)),
        std::task::Poll::Pending => None,
    }
}

/// The next row of parameters.
pub(super) async fn next(rows: &mut ParameterRows, control: &Control) -> Result<Option<Vec<Parameter>>, ResourceError> {
    // What broke the stream is reported where it happened.
    control.wait(rows.next()).await?.map_err(|_| ResourceError::Cancelled)
}

/// Sends statement and commit at once.
async fn once(client: &Client, statement: &Statement, row: &[Parameter], control: &Control) -> Result<u64, Failed> {
    let mut execution = pin!(client.execute_raw(statement, values(row)));
    let mut commit = pin!(client.batch_execute("COMMIT"));
    // What is polled once is sent.
    let (executed, committed) = (poll!(&mut execution), poll!(&mut commit));
    let changed = settled(executed, execution, control).await;
    // A statement that failed takes the commit with it: the server answers that as well.
    let committed = match &changed {
        Err(broken) if !broken.leaves_connection() => Ok(()),
        _ => settled(committed, commit, control).await,
    };
    let changed = changed.map_err(unless_answered)?;
    committed.map_err(in_doubt)?;
    Ok(changed)
}

/// Runs the statement for each row, and commits once all are done.
async fn many(
    client: &Client,
    statement: &Statement,
    first: (&[Parameter], Option<NextRow>),
    rows: &mut ParameterRows,
    control: &Control,
) -> Result<u64, Failed> {
    match execute_all(client, statement, first, rows, control).await {
        Ok(changed) => {
            let mut commit = pin!(client.batch_execute("COMMIT"));
            let committed = poll!(&mut commit);
            settled(committed, commit, control).await.map_err(in_doubt)?;
            Ok(changed)
        }
        Err(broken) => {
            roll_back(client, &broken, control).await?;
            Err(broken.into())
        }
    }
}

/// Executes a statement for rows of parameters, several on their way at a time; gives what they changed.
pub(super) async fn execute_all(
    client: &Client,
    statement: &Statement,
    (first, second): (&[Parameter], Option<NextRow>),
    rows: &mut ParameterRows,
    control: &Control,
) -> Result<u64, Broken> {
    let mut changed = 0;
    let mut under_way: VecDeque<Execution<'_>> = VecDeque::with_capacity(IN_FLIGHT);
    let mut row = Some(first.to_vec());
    let mut second = second;
    while let Some(parameters) = row {
        if let Err(error) = check(&parameters, statement.params()) {
            drain(under_way, control).await?;
            return Err(Broken::Refused(error));
        }
        if under_way.len() >= IN_FLIGHT
            && let Some(execution) = under_way.pop_front()
        {
            changed += answer(execution, control).await?;
        }
        let mut execution: Execution<'_> =
            Box::pin(async move { client.execute_raw(statement, values(&parameters)).await });
        match poll!(&mut execution) {
            std::task::Poll::Ready(result) => changed += result.map_err(|error| Broken::Driver(error, 0))?,
            std::task::Poll::Pending => under_way.push_back(execution),
        }
        row = match second.take() {
            Some(second) => second?,
            None => next(rows, control).await?,
        };
    }
    for execution in under_way {
        changed += answer(execution, control).await?;
    }
    Ok(changed)
}

async fn drain(under_way: VecDeque<Execution<'_>>, control: &Control) -> Result<(), Broken> {
    for execution in under_way {
        answer(execution, control).await?;
    }
    Ok(())
}

async fn answer(execution: Execution<'_>, control: &Control) -> Result<u64, Broken> {
    control.wait(execution).await?.map_err(|error| Broken::Driver(error, 0))
}

/// A connection that is gone without an answer may have done everything, and so may a server that says nothing; an answer says
/// that it has not.
fn unless_answered(broken: Broken) -> Failed {
    match broken {
        Broken::Driver(error, _) if error.as_db_error().is_some() => Broken::Driver(error, 0).into(),
        broken => Failed { broken: in_doubt(broken), can_repeat: false },
    }
}
