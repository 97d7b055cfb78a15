//! A statement that writes.

use std::fmt::Display;

use super::caller::Caller;
use super::query::output;
use super::statement::Statement;
use super::{Error, Request};

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
    statement: Statement,
}

impl Update {
    pub(super) fn new(caller: Caller, sql: impl Into<String>) -> Self {
        Self { statement: Statement::new(caller, sql) }
    }

    /// The value for the next `?`. It is bound, never spliced into the statement, and takes on the type of its column.
    pub fn parameter(mut self, value: impl Display) -> Self {
        self.statement.parameter(value);
        self
    }

    /// Writes to that data resource, where the service has several.
    pub fn on(mut self, data_resource: &str) -> Self {
        self.statement.on(data_resource);
        self
    }

    /// Runs it, and gives the number of rows that it changed.
    ///
    /// # Errors
    ///
    /// Any of [`Error`], but those of rows. [`Error::OutcomeUnknown`]: it may have been done.
    pub async fn run(self) -> Result<u64, Error> {
        let update =
            self.statement.activity("sqlUpdateStatement", "update").with_child(output("resultStream", "count"));
        self.statement.caller.perform(&Request::new().step(update)).await?.update_count("count")
    }
}
