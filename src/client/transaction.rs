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
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// use rejoin::client::Isolation;
    ///
    /// let transaction = session.begin().isolation(Isolation::Serializable).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = Some(isolation);
        self
    }

    /// A transaction in which updates are refused.
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// let transaction = session.begin().read_only().await?;
    /// assert!(transaction.update("DELETE FROM orders").run().await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Does work in it, as [`Session::transaction`].
    ///
    /// # Errors
    ///
    /// That of the work, or any of [`Error`].
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// use rejoin::client::Isolation;
    ///
    /// let moved: u64 = session
    ///     .begin()
    ///     .isolation(Isolation::Serializable)
    ///     .run(async |transaction| transaction.update("UPDATE customer SET town = 'Ayr'").run().await)
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run<T, E, W>(self, work: W) -> Result<T, E>
    where
        W: AsyncFn(&Transaction) -> Result<T, E>,
        E: From<Error>,
    {
        let (begun, patience) = (Instant::now(), self.session.service().exchange().patience);
        let mut pause = FIRST_PAUSE;
        loop {
            let transaction = self.begin().await?;
            let conflict = Arc::clone(&transaction.conflict);
            let outcome = match work(&transaction).await {
                Ok(value) if !transaction.has_conflict() => transaction.commit().await.map(|()| value).map_err(E::from),
                outcome => {
                    // Why the work failed counts, and not that there was nothing left to take back. Where that does not arrive,
                    // the next request of the session does it, or its end.
                    let _ = transaction.rollback().await;
                    outcome
                }
            };
            let is_over = !conflict.load(Ordering::Relaxed) || begun.elapsed() >= patience;
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
        let conflict = Arc::new(AtomicBool::new(false));
        let caller = self.session.caller().with_conflict(Arc::clone(&conflict));
        // From here on one may be open, whatever becomes of the answer.
        let mut transaction = Transaction { session: self.session.clone(), caller, conflict, is_open: true };
        let begin = TransactionOperation::Begin { isolation: self.isolation, read_only: self.read_only };
        if let Err(error) = manage(&transaction.caller, begin).await {
            transaction.is_open = matches!(error, Error::OutcomeUnknown { .. });
            return Err(error);
        }
        Ok(transaction)
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
/// One that is dropped is not committed. It stays open, with its locks, until its session is asked for something else, which rolls it
/// back before, or ends. So whoever gives it up says [`rollback`](Self::rollback).
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
    /// Whether it may have to be rolled back.
    is_open: bool,
}

impl Transaction {
    /// A query that sees what the transaction sees.
    ///
    /// ```no_run
    /// # async fn example(transaction: rejoin::client::Transaction) -> Result<(), rejoin::client::Error> {
    /// let credit: f64 = transaction.query("SELECT credit FROM customer WHERE id = ?").parameter(7).one().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn query(&self, sql: impl Into<String>) -> Query {
        Query::new(self.caller.clone(), sql)
    }

    /// A statement that writes.
    ///
    /// ```no_run
    /// # async fn example(transaction: rejoin::client::Transaction) -> Result<(), rejoin::client::Error> {
    /// transaction.update("UPDATE customer SET credit = 0 WHERE id = ?").parameter(7).run().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(&self, sql: impl Into<String>) -> Update {
        Update::new(self.caller.clone(), sql)
    }

    /// Performs a request in the transaction.
    ///
    /// # Errors
    ///
    /// Any of [`Error`], but those of rows.
    ///
    /// ```no_run
    /// # async fn example(transaction: rejoin::client::Transaction, request: rejoin::client::Request) -> Result<(), rejoin::client::Error> {
    /// let response = transaction.perform(&request).await?;
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// ```no_run
    /// # async fn example(transaction: rejoin::client::Transaction) -> Result<(), rejoin::client::Error> {
    /// transaction.savepoint("before").await?;
    /// transaction.update("DELETE FROM orders").run().await?;
    /// transaction.rollback_to("before").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn rollback_to(&self, savepoint: &str) -> Result<(), Error> {
        manage(&self.caller, TransactionOperation::RollbackTo(savepoint.into())).await
    }

    /// Forgets a place and those after it.
    ///
    /// # Errors
    ///
    /// Any of [`Error`], but those of rows.
    ///
    /// ```no_run
    /// # async fn example(transaction: rejoin::client::Transaction) -> Result<(), rejoin::client::Error> {
    /// transaction.savepoint("before").await?;
    /// transaction.update("DELETE FROM orders WHERE id = 7").run().await?;
    /// transaction.release_savepoint("before").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn release_savepoint(&self, name: &str) -> Result<(), Error> {
        manage(&self.caller, TransactionOperation::ReleaseSavepoint(name.into())).await
    }

    /// Makes it hold.
    ///
    /// # Errors
    ///
    /// Any of [`Error`], but those of rows. [`Error::OutcomeUnknown`]: it may hold.
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// let transaction = session.begin().await?;
    /// transaction.update("DELETE FROM orders WHERE id = 7").run().await?;
    /// transaction.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn commit(self) -> Result<(), Error> {
        self.end(TransactionOperation::Commit).await
    }

    /// Takes everything back.
    ///
    /// # Errors
    ///
    /// Any of [`Error`], but those of rows.
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// let transaction = session.begin().await?;
    /// transaction.update("DELETE FROM orders").run().await?;
    /// transaction.rollback().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn rollback(self) -> Result<(), Error> {
        self.end(TransactionOperation::Rollback).await
    }

    async fn end(mut self, how: TransactionOperation) -> Result<(), Error> {
        let outcome = manage(&self.caller, how).await;
        // What failed may not have ended it.
        self.is_open = outcome.is_err();
        outcome
    }

    /// Whether the database has ended it because of others.
    ///
    /// ```no_run
    /// # async fn example(transaction: rejoin::client::Transaction) -> Result<(), rejoin::client::Error> {
    /// if transaction.has_conflict() {
    ///     println!("others were faster: nothing of it holds");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn has_conflict(&self) -> bool {
        self.conflict.load(Ordering::Relaxed)
    }
}

/// Nobody will end it any more: what the session is asked for next rolls it back before.
impl Drop for Transaction {
    fn drop(&mut self) {
        if self.is_open {
            self.session.shared_state().leave_open();
        }
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
