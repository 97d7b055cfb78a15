//! A query whose rows are fetched some at a time, over requests.

use arrow_array::RecordBatch;
use serde::de::DeserializeOwned;

use super::rows::{batches_of, structs};
use super::{EndPointName, Error, Query, Request, Session};
use crate::document::activities::{CloseCursor, FetchCursor, SqlResultsToArrow};

/// A cursor that is open in a session. The service closes it at its end; [`close`](Cursor::close) does before.
///
/// Rows that were fetched are not given again. So each page is fetched with a key: when its answer is lost, the service tells it
/// again. Pages of more than 256 KiB it does not keep: [`Error::ResultsNotKept`] says that one was lost.
///
/// ```no_run
/// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
/// let query = session.query("SELECT id, name FROM customer WHERE town = ? ORDER BY id").parameter("Oban");
/// let mut customers = session.open_cursor("customers", query).await?;
/// while let Some(page) = customers.fetch_structs::<(i64, String)>(50).await? {
///     println!("{page:?}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Cursor {
    session: Session,
    name: Box<str>,
    is_over: bool,
}

impl Cursor {
    pub(super) async fn open(session: Session, name: &str, query: Query) -> Result<Self, Error> {
        let mut request = Request::new();
        request.add_named(name, query.into_cursor());
        session.perform(&request).await?;
        Ok(Self { session, name: name.into(), is_over: false })
    }

    /// The next rows, so many at the most; `None` at the end.
    ///
    /// # Errors
    ///
    /// Any of [`Error`].
    ///
    /// ```no_run
    /// # async fn example(mut cursor: rejoin::client::Cursor) -> Result<(), rejoin::client::Error> {
    /// while let Some(page) = cursor.fetch(100).await? {
    ///     println!("{} rows of {} columns", page.num_rows(), page.num_columns());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn fetch(&mut self, rows: u32) -> Result<Option<RecordBatch>, Error> {
        if self.is_over || rows == 0 {
            return Ok(None);
        }
        let mut request = Request::new();
        let page = request.add_named("fetch", FetchCursor::new(&*self.name, rows.into()));
        let arrow = request.add_named("pack", SqlResultsToArrow::of(page));
        let batches = batches_of(self.session.caller().raw(&request, arrow.end_point_name()).await?)?;
        let fetched: usize = batches.iter().map(RecordBatch::num_rows).sum();
        // Fewer than were asked for: that was the end.
        self.is_over = fetched < rows as usize;
        let Some(schema) = batches.first().map(RecordBatch::schema).filter(|_| fetched > 0) else { return Ok(None) };
        let page = arrow_select::concat::concat_batches(&schema, &batches);
        page.map(Some).map_err(|error| Error::Unexpected(format!("the rows can't be put together: {error}")))
    }

    /// The same rows as structs, tuples or single values.
    ///
    /// # Errors
    ///
    /// As [`fetch`](Self::fetch), and [`Error::Row`] when a row does not fit.
    ///
    /// ```no_run
    /// # async fn example(mut cursor: rejoin::client::Cursor) -> Result<(), rejoin::client::Error> {
    /// while let Some(page) = cursor.fetch_structs::<(i64, String)>(100).await? {
    ///     for (id, name) in page {
    ///         println!("{id}: {name}");
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn fetch_structs<T: DeserializeOwned>(&mut self, rows: u32) -> Result<Option<Vec<T>>, Error> {
        let Some(page) = self.fetch(rows).await? else { return Ok(None) };
        let mut all = Vec::new();
        structs(&page, &mut all)?;
        Ok(Some(all))
    }

    /// Closes the cursor before its end.
    ///
    /// # Errors
    ///
    /// Any of [`Error`], but those of rows.
    ///
    /// ```no_run
    /// # async fn example(mut cursor: rejoin::client::Cursor) -> Result<(), rejoin::client::Error> {
    /// let first_page = cursor.fetch(100).await?;
    /// cursor.close().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn close(self) -> Result<(), Error> {
        if self.is_over {
            return Ok(());
        }
        let mut request = Request::new();
        request.add_named("close", CloseCursor::new(&*self.name));
        self.session.perform(&request).await.map(drop)
    }
}
