//! A statement that writes.

use arrow_array::RecordBatch;
use serde::de::DeserializeOwned;

use super::caller::Caller;
use super::response::update_count;
use super::rows::{batches_of, structs};
use super::{EndPointName, Error, Request};
use crate::document::activities::{SqlResultsToArrow, SqlUpdateStatement, SqlValue, ToStream};

/// A statement that writes, and has yet to be sent. It is sent with a key, so that it is done once however often its answer is
/// lost.
///
/// ```no_run
/// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
/// let update = service.update("UPDATE customer SET credit = credit + ? WHERE id = ?").parameter(10.5).parameter(42);
/// println!("{} changed", update.run().await?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "an update does nothing before it is run"]
pub struct Update {
    caller: Caller,
    update: SqlUpdateStatement,
}

impl Update {
    pub(super) fn new(caller: Caller, sql: impl Into<String>) -> Self {
        Self { caller, update: SqlUpdateStatement::new(sql.into()) }
    }

    /// The value for the next `?`. It is bound, never spliced into the statement; `None` is NULL. A text takes on the type of its
    /// column.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
    /// let update = service.update("UPDATE customer SET phone = ? WHERE id = ?").parameter(None::<String>).parameter(7);
    /// update.run().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn parameter(mut self, value: impl Into<SqlValue>) -> Self {
        self.update = self.update.parameter(value);
        self
    }

    /// Writes to that data resource, where the service has several.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
    /// service.update("UPDATE account SET balance = 0").on("ledger").run().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on(mut self, data_resource: &str) -> Self {
        self.update = self.update.resource(data_resource);
        self
    }

    /// Runs it, and gives the rows that the statement gives itself (`RETURNING`): as structs (by the names of the columns), as
    /// tuples (by their order), or as single values, where there is one column.
    ///
    /// They come back with the answer that says that it is done; of an update whose answer is lost, they are those of the first
    /// time.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run), and [`Error::Row`] where a row does not fit.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
    /// let insert = service.update("INSERT INTO customer (name) VALUES (?) RETURNING id").parameter("Ada");
    /// let ids: Vec<i64> = insert.returning().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn returning<T: DeserializeOwned>(self) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        for batch in self.returning_batches().await? {
            structs(&batch, &mut all)?;
        }
        Ok(all)
    }

    /// As [`returning`](Self::returning), as Arrow batches: one at least, with the columns.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
    /// for batch in service.update("DELETE FROM orders WHERE paid RETURNING *").returning_batches().await? {
    ///     println!("{} orders", batch.num_rows());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn returning_batches(self) -> Result<Vec<RecordBatch>, Error> {
        let mut request = Request::new();
        let returned = ToStream::new("returned");
        request.add_named("update", self.update.returned_rows(returned.clone()));
        let arrow = request.add_named("pack", SqlResultsToArrow::of(returned));
        batches_of(self.caller.raw(&request, arrow.end_point_name()).await?)
    }

    /// Runs it, and gives the number of rows that it changed.
    ///
    /// # Errors
    ///
    /// Any of [`Error`], but those of rows. [`Error::OutcomeUnknown`]: it may have been done.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
    /// let deleted = service.update("DELETE FROM orders WHERE id = ?").parameter(7).run().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run(self) -> Result<u64, Error> {
        let mut request = Request::new();
        let count = request.add_named("update", self.update);
        update_count(&self.caller.raw(&request, count.end_point_name()).await?)
    }
}
