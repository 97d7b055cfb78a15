//! A query, and the ways to get its rows.

use arrow_array::RecordBatch;
use serde::de::DeserializeOwned;

use super::caller::Caller;
use super::rows::{batches_of, first_batch, structs};
use super::{EndPointName, Error, Request, Rows};
use crate::document::activities::stream::Bytes;
use crate::document::activities::{OpenCursor, SqlQueryStatement, SqlResultsToArrow, SqlValue, ToStream};

/// How many bytes are read for the first row: what a service packs into one batch, and more.
const BEGINNING: usize = 2 * 1024 * 1024;

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
    caller: Caller,
    query: SqlQueryStatement,
}

impl Query {
    pub(super) fn new(caller: Caller, sql: impl Into<String>) -> Self {
        Self { caller, query: SqlQueryStatement::new(sql.into()) }
    }

    /// The value for the next `?`. It is bound, never spliced into the statement; `None` is NULL. A text takes on the type that
    /// it is compared with.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
    /// let born_here = service.query("SELECT name FROM customer WHERE town = ? AND id > ?").parameter("Oban").parameter(100);
    /// let without_phone = service.query("SELECT name FROM customer WHERE phone IS ?").parameter(None::<String>);
    /// # Ok(())
    /// # }
    /// ```
    pub fn parameter(mut self, value: impl Into<SqlValue>) -> Self {
        self.query = self.query.parameter(value);
        self
    }

    /// Asks that data resource, where the service has several.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
    /// let accounts: i64 = service.query("SELECT count(*) FROM account").on("ledger").one().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on(mut self, data_resource: &str) -> Self {
        self.query = self.query.resource(data_resource);
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
        let (caller, request, arrow) = self.request();
        Ok(Rows::new(caller.stream(&request, arrow.end_point_name()).await?))
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
        let (caller, request, arrow) = self.request();
        batches_of(caller.raw(&request, arrow.end_point_name()).await?)
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

    /// The first row; `None` where there is none. No more is read than some thousand rows, but the database may have done the work
    /// for all: where there may be many, say `LIMIT 1`.
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
        let (caller, request, arrow) = self.request();
        let (bytes, is_whole) = caller.beginning(&request, arrow.end_point_name(), BEGINNING).await?;
        let batch = match first_batch(bytes, is_whole)? {
            Some(batch) => Some(batch),
            None if is_whole => None,
            // The first batch alone is larger.
            None => batches_of(caller.raw(&request, arrow.end_point_name()).await?)?.into_iter().next(),
        };
        let mut all = Vec::new();
        if let Some(batch) = batch {
            structs(&batch.slice(0, batch.num_rows().min(1)), &mut all)?;
        }
        Ok(all.pop())
    }

    /// The first row of a query that always has one, such as a count.
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

    /// The cursor over its rows.
    pub(super) fn into_cursor(self) -> OpenCursor {
        OpenCursor { statement: self.query.statement, is_scrollable: false }
    }

    /// Who sends it, the request, and its end-point.
    fn request(self) -> (Caller, Request, ToStream<Bytes>) {
        let mut request = Request::new();
        let rows = request.add_named("query", self.query);
        let arrow = request.add_named("pack", SqlResultsToArrow::of(rows));
        (self.caller, request, arrow)
    }
}
