//! The rows of a query, as they come.

use std::pin::Pin;
use std::task::{Context, Poll};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use serde::de::DeserializeOwned;

use super::{EndPoint, Error};
use crate::format::ArrowReader;

pub use crate::format::{RowError, structs};

/// The rows of a query as a stream of Arrow batches. A reader that is slow slows the database.
///
/// ```no_run
/// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
/// use futures_util::TryStreamExt;
///
/// let rows = service.query("SELECT * FROM orders").rows().await?;
/// let batches: Vec<arrow_array::RecordBatch> = rows.try_collect().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Rows {
    end_point: EndPoint,
    reader: ArrowReader,
    /// The columns, from the first batch on.
    schema: Option<SchemaRef>,
    /// A batch that was read to know the columns.
    first: Option<RecordBatch>,
    is_over: bool,
}

impl Rows {
    /// Reads an end-point that is an Arrow stream, such as that of `sqlResultsToArrow`.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService, request: rejoin::client::Request) -> Result<(), rejoin::client::Error> {
    /// use rejoin::client::Rows;
    ///
    /// let rows = Rows::new(service.stream(&request, "arrow").await?);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn new(end_point: EndPoint) -> Self {
        Self { end_point, reader: ArrowReader::new(), schema: None, first: None, is_over: false }
    }

    /// The columns as the first batch has them, whenever that came. Types of later ones may be wider.
    ///
    /// # Errors
    ///
    /// As [`next_batch`](Self::next_batch).
    ///
    /// ```no_run
    /// # async fn example(mut rows: rejoin::client::Rows) -> Result<(), rejoin::client::Error> {
    /// for column in rows.schema().await?.fields() {
    ///     println!("{}: {}", column.name(), column.data_type());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn schema(&mut self) -> Result<SchemaRef, Error> {
        if self.schema.is_none() {
            self.first = self.next_batch().await?;
        }
        self.schema
            .clone()
            .ok_or_else(|| Error::Unexpected("the rows broke off before their columns were known".into()))
    }

    /// The next batch; `None` at the end. Without rows there is one batch, with the columns.
    ///
    /// # Errors
    ///
    /// Those of [`EndPoint::next_piece`], and [`Error::Format`] when the data are no Arrow stream.
    ///
    /// ```no_run
    /// # async fn example(mut rows: rejoin::client::Rows) -> Result<(), rejoin::client::Error> {
    /// while let Some(batch) = rows.next_batch().await? {
    ///     println!("{} rows", batch.num_rows());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn next_batch(&mut self) -> Result<Option<RecordBatch>, Error> {
        self.next().await.transpose()
    }

    /// The rows of the next batch as structs, tuples or single values; `None` at the end.
    ///
    /// # Errors
    ///
    /// As [`next_batch`](Self::next_batch), and [`Error::Row`] when a row does not fit.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
    /// let mut rows = service.query("SELECT id, item FROM orders").rows().await?;
    /// while let Some(orders) = rows.next_structs::<(i64, String)>().await? {
    ///     for (id, item) in orders {
    ///         println!("{id}: {item}");
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn next_structs<T: DeserializeOwned>(&mut self) -> Result<Option<Vec<T>>, Error> {
        let Some(batch) = self.next_batch().await? else { return Ok(None) };
        let mut all = Vec::new();
        structs(&batch, &mut all)?;
        Ok(Some(all))
    }

    /// All rows that are left, as structs, tuples or single values.
    ///
    /// # Errors
    ///
    /// As [`next_structs`](Self::next_structs).
    ///
    /// ```no_run
    /// # async fn example(rows: rejoin::client::Rows) -> Result<(), rejoin::client::Error> {
    /// let customers: Vec<(i64, String)> = rows.all().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn all<T: DeserializeOwned>(mut self) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        while let Some(batch) = self.next_batch().await? {
            structs(&batch, &mut all)?;
        }
        Ok(all)
    }

    /// What the data that have come give; `None` when it takes more, or at the end.
    fn next_read(&mut self) -> Result<Option<RecordBatch>, Error> {
        let block = if self.is_over { self.reader.end()? } else { self.reader.next_block()? };
        if let (None, Some(block)) = (&self.schema, &block) {
            self.schema = Some(block.schema());
        }
        Ok(block)
    }
}

impl Stream for Rows {
    type Item = Result<RecordBatch, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        while !self.is_over {
            match self.next_read() {
                Ok(Some(batch)) => return Poll::Ready(Some(Ok(batch))),
                Ok(None) => {}
                Err(error) => {
                    self.is_over = true;
                    return Poll::Ready(Some(Err(error)));
                }
            }
            match self.end_point.poll_next_unpin(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(piece))) => self.reader.bytes(piece),
                Poll::Ready(Some(Err(error))) => {
                    self.is_over = true;
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Ready(None) => {
                    self.is_over = true;
                    return Poll::Ready(self.next_read().transpose());
                }
            }
        }
        Poll::Ready(None)
    }
}

/// The batches of an Arrow stream that is there as a whole.
pub(super) fn batches_of(bytes: Bytes) -> Result<Vec<RecordBatch>, Error> {
    let mut reader = ArrowReader::new();
    reader.bytes(bytes);
    let mut batches = Vec::new();
    while let Some(batch) = reader.next_block()? {
        batches.push(batch);
    }
    batches.extend(reader.end()?);
    Ok(batches)
}

/// The first batch of an Arrow stream, if it is there.
pub(super) fn first_batch(bytes: Bytes, is_whole: bool) -> Result<Option<RecordBatch>, Error> {
    let mut reader = ArrowReader::new();
    reader.bytes(bytes);
    Ok(match reader.next_block()? {
        None if is_whole => reader.end()?,
        first => first,
    })
}
