//! A transaction that spans requests.

use std::fmt;
use std::future::IntoFuture;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;

use super::caller::Caller;
use super::{Error, Query, Request, Response, Session, Update};
use crate::document::activities::{TransactionManagement, TransactionOperation};

pub use crate::document::activities::Isolation;

/// The first pause before work is done again; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(5);

/// The longest pause before work is done again.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// A transaction that is to begin: awaited, it has.
///
/// ```no_run
/// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
/// use rejoin::client::Isolation;
///
/// let orders: u64 = session
///     .begin()
///     .isolation(Isolation::RepeatableRead)
///     .read_only()
///     .run(async |transaction| transaction.query("SELECT count(*) FROM orders").one().await)
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a transaction begins when this is awaited"]
pub struct NewTransaction {
    session: Session,
    isolation: Option<Isolation>,
    read_only: bool,
}

impl NewTransaction {
    pub(super) fn new(session: Session) -> Self {
        Self { session, isolation: None, read_only: false }
    }

    /// At least this isolation; without it, what the database does by itself.
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = Some(isolation);
        self
    }

    /// A transaction in which updates are refused.
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Does work in it, as [`Session::transaction`].
    ///
    /// # Errors
    ///
    /// That of the work, or any of [`Error`].
    pub async fn run<T, E, W>(self, work: W) -> Result<T, E>
    where
        W: AsyncFn(&Transaction) -> Result<T, E>,
        E: From<Error>,
    {
        let deadline = Instant::now() + self.session.service().exchange().patience;
        let mut pause = FIRST_PAUSE;
        loop {
            let transaction = self.begin().await?;
            let conflict = Arc::clone(&transaction.conflict);
            let outcome = match work(&transaction).await {
                Ok(value) if !transaction.has_conflict() => transaction.commit().await.map(|()| value).map_err(E::from),
                outcome => {
                    // Why the work failed counts, and not that there was nothing left to take back. What can't be told is
                    // rolled back with the session.
                    let _ = transaction.rollback().await;
                    outcome
                }
            };
            let is_over = !conflict.load(Ordering::Relaxed) || Instant::now() >= deadline;
            match outcome {
                Ok(value) if !conflict.load(Ordering::Relaxed) => return Ok(value),
                Err(error) if is_over => return Err(error),
                Ok(_) if is_over => {
                    return Err(E::from(Error::Unexpected(
                        "the database has ended the transaction because of others, and its work passed that over"
                            .into(),
                    )));
                }
                _ => {}
            }
            // Who got in the way gets the time to come to its end.
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn begin(&self) -> Result<Transaction, Error> {
        let begin = TransactionOperation::Begin { isolation: self.isolation, read_only: self.read_only };
        manage(self.session.caller(), begin).await?;
        let conflict = Arc::new(AtomicBool::new(false));
        let caller = self.session.caller().with_conflict(Arc::clone(&conflict));
        Ok(Transaction { session: self.session.clone(), caller, conflict })
    }
}

impl IntoFuture for NewTransaction {
    type Output = Result<Transaction, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.begin().await })
    }
}

/// A transaction of a session. Every request of the session runs in it; what is asked through here is watched for conflicts besides.
///
/// One that is dropped goes on: it is rolled back with its session.
///
/// ```no_run
/// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
/// let transaction = session.begin().await?;
/// transaction.update("UPDATE customer SET town = 'Oban' WHERE id = 7").run().await?;
/// transaction.rollback().await?;
/// # Ok(())
/// # }
/// ```
pub struct Transaction {
    session: Session,
    caller: Caller,
    conflict: Arc<AtomicBool>,
}

impl Transaction {
    /// A query that sees what the transaction sees.
    pub fn query(&self, sql: impl Into<String>) -> Query {
        Query::new(self.caller.clone(), sql)
    }

    /// A statement that writes.
    pub fn update(&self, sql: impl Into<String>) -> Update {
        Update::new(self.caller.clone(), sql)
    }

    /// Performs a request in the transaction.
    ///
    /// # Errors
    ///
    /// Any of [`Error`], but those of rows.
    pub async fn perform(&self, request: &Request) -> Result<Response, Error> {
        self.caller.perform(request).await
    }

    /// Marks a place to go back to.
    ///
    /// # Errors
    ///
    /// Any of [`Error`], but those of rows.
    ///
    /// ```no_run
    /// # async fn example(transaction: rejoin::client::Transaction) -> Result<(), rejoin::client::Error> {
    /// transaction.savepoint("before").await?;
    /// if transaction.update("INSERT INTO orders VALUES (7)").run().await.is_err() {
    ///     transaction.rollback_to("before").await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn savepoint(&self, name: &str) -> Result<(), Error> {
        manage(&self.caller, TransactionOperation::Savepoint(name.into())).await
    }

    /// Takes back what was done since a place, which stays.
    ///
    /// # Errors
    ///
    /// Any of [`Error`], but those of rows.
    pub async fn rollback_to(&self, savepoint: &str) -> Result<(), Error> {
        manage(&self.caller, TransactionOperation::RollbackTo(savepoint.into())).await
    }

    /// Forgets a place and those after it.
    ///
    /// # Errors
    ///
    /// Any of [`Error`], but those of rows.
    pub async fn release_savepoint(&self, name: &str) -> Result<(), Error> {
        manage(&self.caller, TransactionOperation::ReleaseSavepoint(name.into())).await
    }

    /// Makes it hold.
    ///
    /// # Errors
    ///
    /// Any of [`Error`], but those of rows. [`Error::OutcomeUnknown`]: it may hold.
    pub async fn commit(self) -> Result<(), Error> {
        manage(&self.caller, TransactionOperation::Commit).await
    }

    /// Takes everything back.
    ///
    /// # Errors
    ///
    /// Any of [`Error`], but those of rows.
    pub async fn rollback(self) -> Result<(), Error> {
        manage(&self.caller, TransactionOperation::Rollback).await
    }

    /// Whether the database has ended it because of others.
    #[must_use]
    pub fn has_conflict(&self) -> bool {
        self.conflict.load(Ordering::Relaxed)
    }
}

/// All else that the session can do.
impl Deref for Transaction {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("has_conflict", &self.has_conflict()).finish_non_exhaustive()
    }
}

async fn manage(caller: &Caller, operation: TransactionOperation) -> Result<(), Error> {
    let mut request = Request::new();
    request.add_named("transaction", TransactionManagement::new(operation));
    caller.perform(&request).await.map(drop)
}
