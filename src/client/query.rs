//! A query, and the ways to get its rows.

use std::fmt::Display;

use arrow_array::RecordBatch;
use serde::de::DeserializeOwned;

use super::caller::Caller;
use super::rows::{batches_of, structs};
use super::statement::{Statement, child};
use super::{Error, Request, Rows};
use crate::document::ActivityElement;

/// The name of the end-point.
const ARROW: &str = "arrow";

/// A query that has yet to be sent. Its rows travel as Arrow.
///
/// ```no_run
/// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
/// #[derive(serde::Deserialize)]
/// struct Customer {
///     id: i64,
///     name: String,
///     phone: Option<String>,
/// }
///
/// let query = service.query("SELECT id, name, phone FROM customer WHERE town = ?").parameter("Oban");
/// let customers: Vec<Customer> = query.all().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a query does nothing before its rows are asked for"]
pub struct Query {
    statement: Statement,
}

impl Query {
    pub(super) fn new(caller: Caller, sql: impl Into<String>) -> Self {
        Self { statement: Statement::new(caller, sql) }
    }

    /// The value for the next `?`. It is bound, never spliced into the statement, and takes on the type that it is compared
    /// with.
    pub fn parameter(mut self, value: impl Display) -> Self {
        self.statement.parameter(value);
        self
    }

    /// Asks that data resource, where the service has several.
    pub fn on(mut self, data_resource: &str) -> Self {
        self.statement.on(data_resource);
        self
    }

    /// The rows as a stream of Arrow batches, as they come: the database waits for a reader that is slow.
    ///
    /// # Errors
    ///
    /// Any of [`Error`] that is known before the first row.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
    /// let mut rows = service.query("SELECT * FROM orders").rows().await?;
    /// while let Some(batch) = rows.next_batch().await? {
    ///     println!("{} rows", batch.num_rows());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn rows(self) -> Result<Rows, Error> {
        let end_point = self.statement.caller.stream(&self.request(), ARROW).await?;
        Ok(Rows::new(end_point))
    }

    /// The rows as Arrow batches, all of them in memory. Without rows there is one batch, with the columns.
    ///
    /// # Errors
    ///
    /// Any of [`Error`], but those of rows.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
    /// let batches = service.query("SELECT id, name FROM customer").batches().await?;
    /// assert_eq!(batches[0].schema().field(1).name(), "name");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn batches(self) -> Result<Vec<RecordBatch>, Error> {
        batches_of(self.statement.caller.raw(&self.request(), ARROW).await?)
    }

    /// The rows as structs (by the names of the columns), as tuples (by their order), or as single values, where there is one
    /// column.
    ///
    /// # Errors
    ///
    /// Any of [`Error`]: [`Error::Row`] where a row does not fit.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
    /// let names: Vec<String> = service.query("SELECT name FROM customer ORDER BY name").all().await?;
    /// let towns: Vec<(String, u32)> = service.query("SELECT town, count(*) FROM customer GROUP BY town").all().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn all<T: DeserializeOwned>(self) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        for batch in self.batches().await? {
            structs(&batch, &mut all)?;
        }
        Ok(all)
    }

    /// The first row; `None` where there is none.
    ///
    /// # Errors
    ///
    /// As [`all`](Self::all).
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
    /// let town: Option<String> = service.query("SELECT town FROM customer WHERE id = ?").parameter(7).first().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn first<T: DeserializeOwned>(self) -> Result<Option<T>, Error> {
        let mut all = Vec::new();
        for batch in self.batches().await? {
            structs(&batch.slice(0, batch.num_rows().min(1)), &mut all)?;
            if !all.is_empty() {
                break;
            }
        }
        Ok(all.pop())
    }

    /// The only row of a query that always has one, such as a count.
    ///
    /// # Errors
    ///
    /// As [`all`](Self::all), and [`Error::NoResult`] where there is no row.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
    /// let orders: u64 = service.query("SELECT count(*) FROM orders").one().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn one<T: DeserializeOwned>(self) -> Result<T, Error> {
        let no_row = || Error::NoResult { wanted: "row".into(), known: "none".into() };
        self.first().await?.ok_or_else(no_row)
    }

    /// The query as an activity of that kind, up to its outputs.
    pub(super) fn into_activity(self, kind: &str, name: &str) -> ActivityElement {
        self.statement.activity(kind, name)
    }

    fn request(&self) -> Request {
        let query = self.statement.activity("sqlQueryStatement", "query").with_child(output("resultStream", "rows"));
        Request::new().step(query).step(to_arrow("rows"))
    }
}

/// The step that turns a stream of rows into an Arrow stream, the end-point.
pub(super) fn to_arrow(rows: &str) -> ActivityElement {
    ActivityElement::new("sqlResultsToArrow", "pack")
        .with_child(child("resultSet").with_attribute("from", rows))
        .with_child(output("arrowOutput", ARROW))
}

/// A child that names an output.
pub(super) fn output(child_name: &'static str, name: &str) -> crate::document::Element {
    child(child_name).with_attribute("name", name)
}
