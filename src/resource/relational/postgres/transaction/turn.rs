use std::sync::atomic::Ordering;

use tokio::sync::MutexGuard;

use super::super::connection::Connection;
use super::super::control::Control;
use super::super::error::sql_error;
use super::super::scope::tell;
use super::super::sql::Sql;
use super::super::streaming::Broken;
use super::super::update::CLEAN;
use super::{Inner, Open, refused};
use crate::resource::ResourceError;
use crate::session::BranchError;

/// Ends what the queries did: nothing.
const LEAVE_READING: &str = "ROLLBACK TO SAVEPOINT rejoin_reading; RELEASE SAVEPOINT rejoin_reading; ";

/// The right to use the connection of a transaction. One that is dropped unsettled takes the transaction with it, because
/// nobody knows what the connection does.
#[derive(Debug)]
pub(in super::super) struct Turn<'a> {
    inner: &'a Inner,
    open: MutexGuard<'a, Open>,
    is_settled: bool,
}

impl Inner {
    /// Waits for the connection, in the order of arrival.
    pub(in super::super) async fn turn(&self, control: &Control) -> Result<Turn<'_>, ResourceError> {
        let _waiting = Waiting::new(self);
        let open = control.wait(self.open.lock()).await?;
        self.check_open()?;
        Ok(Turn { inner: self, open, is_settled: false })
    }

    /// Refuses when the transaction is over.
    pub(super) fn check_open(&self) -> Result<(), ResourceError> {
        match &*self.over.lock() {
            None => Ok(()),
            Some(error) => {
                Err(sql_error("25P02", format!("the transaction is over, and nothing of it holds: {error}")))
            }
        }
    }

    /// Says why it is over. What was said first counts.
    pub(super) fn end(&self, why: BranchError) {
        self.over.lock().get_or_insert(why);
    }
}

/// Counts somebody who waits.
struct Waiting<'a>(&'a Inner);

impl<'a> Waiting<'a> {
    fn new(inner: &'a Inner) -> Self {
        inner.waiting.fetch_add(1, Ordering::AcqRel);
        Self(inner)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Turn<'_> {
    /// The connection; it is there as long as the transaction is not over.
    pub(in super::super) fn connection(&self) -> Result<&Connection, ResourceError> {
        match &self.open.lease {
            Some(lease) => Ok(lease),
            None => Err(sql_error("25P02", "the transaction is over")),
        }
    }

    /// The statements that make sure that only reading is allowed; nothing when it is so already. They are sent with the
    /// query.
    pub(super) fn enter_reading(&mut self) -> &'static str {
        if std::mem::replace(&mut self.open.is_reading, true) {
            ""
        } else {
            "SAVEPOINT rejoin_reading; SET LOCAL transaction_read_only = on"
        }
    }

    /// The beginning of statements that come after queries.
    pub(super) fn leave_reading(&mut self) -> &'static str {
        if std::mem::replace(&mut self.open.is_reading, false) { LEAVE_READING } else { "" }
    }

    /// Whether the first phase of its commit is over.
    pub(super) fn is_prepared(&self) -> bool {
        self.open.is_prepared
    }

    /// The first phase of its commit is over.
    pub(super) fn set_prepared(&mut self) {
        self.open.is_prepared = true;
    }

    /// Goes back to where the statement began that failed, and sorts the error. A conflict or a lost connection ends the
    /// transaction.
    pub(super) async fn recover(
        mut self,
        broken: Broken,
        back: &str,
        sql: Option<&Sql>,
        control: &Control,
    ) -> ResourceError {
        let leaves_connection = broken.leaves_connection();
        let error = broken.into_error(sql);
        if matches!(error, ResourceError::Conflict { .. }) {
            self.inner.end(refused(&error));
            self.close("ROLLBACK", control).await;
        } else if !leaves_connection {
            // The database rolls back what has lost its connection.
            self.inner.end(refused(&error));
        } else if self.tell(back, control).await.is_ok() {
            self.settle();
        }
        error
    }

    /// Has the server run statements without rows.
    pub(super) async fn tell(&self, statements: &str, control: &Control) -> Result<(), Broken> {
        tell(self.connection().map_err(Broken::Refused)?, statements, control).await
    }

    /// The connection is free for the next.
    pub(in super::super) fn settle(mut self) {
        self.is_settled = true;
    }

    /// Ends the transaction, and gives the connection back with nothing left on it.
    pub(super) async fn close(&mut self, end: &str, control: &Control) {
        if self.tell(end, control).await.is_ok() && self.tell(CLEAN, control).await.is_ok() {
            self.give_back();
        }
    }

    /// Gives the connection back, clean.
    pub(super) fn give_back(&mut self) {
        if let Some(lease) = self.open.lease.take() {
            lease.give_back();
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.is_settled {
            let message = "a statement was stopped, and the transaction with it".to_owned();
            self.inner.end(BranchError::Refused { message, is_retryable: false });
            self.open.lease = None;
        }
    }
}
