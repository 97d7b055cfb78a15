//! What a request is answered with, gathered in memory.

use arrow_array::RecordBatch;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::rows::{batches_of, structs};
use super::{EndPointName, Error, Failure};
use crate::document::{DataEncoding, DocumentError, ResponseEvent, ResponseReader, ResponseSession, Status};

/// An answer above this size is not read on a thread that has other things to do.
const MUCH: usize = 1024 * 1024;

/// The answer to a request that completed, or that goes on (an asynchronous one).
///
/// ```no_run
/// # async fn example(service: rejoin::client::DataService, request: rejoin::client::Request) -> Result<(), Box<dyn std::error::Error>> {
/// let response = service.perform(&request).await?;
/// println!("request {} in {:?}", response.request_id(), response.session());
/// println!("{}", response.text("csv")?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Response {
    request_id: Box<str>,
    session: ResponseSession,
    status: Status,
    results: Vec<ResponseResult>,
    results_kept: bool,
}

/// How far an activity is, or the data of an end-point.
///
/// ```no_run
/// # async fn example(response: rejoin::client::Response) -> Result<(), rejoin::client::Error> {
/// for result in response.results() {
///     println!("{}: {:?}, {} bytes", result.name, result.content_type, result.data.len());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ResponseResult {
    /// The name of the activity, or of its output.
    pub name: Box<str>,
    /// How far it is.
    pub status: Status,
    /// The media type of the data; an activity has none.
    pub content_type: Option<Box<str>>,
    /// The data.
    pub data: Bytes,
    /// Whether the data are text, in UTF-8.
    pub is_text: bool,
}

impl Response {
    /// Reads a response document.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] when the request failed.
    pub(super) async fn parse(document: Bytes) -> Result<Self, Error> {
        if document.len() < MUCH {
            return read(&document);
        }
        let reading = tokio::task::spawn_blocking(move || read(&document));
        reading.await.unwrap_or_else(|_| Err(Error::Unexpected("the response can't be read".into())))
    }

    /// The id of the request: what to name when asking the operator about it.
    ///
    /// ```no_run
    /// # async fn example(response: rejoin::client::Response) -> Result<(), rejoin::client::Error> {
    /// println!("the log of the service says more under {}", response.request_id());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The session that the request was joined to: its id, and when it ends.
    ///
    /// ```no_run
    /// # async fn example(response: rejoin::client::Response) -> Result<(), rejoin::client::Error> {
    /// println!("the session ends at {:?}, if nobody comes before", response.session().idle_expires);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn session(&self) -> &ResponseSession {
        &self.session
    }

    /// Whether the request goes on behind this answer.
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
    /// use rejoin::client::Request;
    ///
    /// let response = service.perform(&Request::document("…")?).await?;
    /// if response.is_running() {
    ///     println!("its streams are to be read and written");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.status == Status::Processing
    }

    /// All results, in the order of the document.
    ///
    /// ```no_run
    /// # async fn example(response: rejoin::client::Response) -> Result<(), rejoin::client::Error> {
    /// println!("{} results", response.results().len());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn results(&self) -> &[ResponseResult] {
        &self.results
    }

    /// The text of an end-point. Line ends are `\n`, as XML has them.
    ///
    /// # Errors
    ///
    /// [`Error::NoResult`] where there is none of that name, or it is not text. [`Error::ResultsNotKept`] where the answer is told
    /// again and was too large.
    ///
    /// ```no_run
    /// # async fn example(response: rejoin::client::Response) -> Result<(), rejoin::client::Error> {
    /// println!("{}", response.text("csv")?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn text(&self, end_point: &(impl EndPointName + ?Sized)) -> Result<&str, Error> {
        let end_point = end_point.end_point_name();
        let result = self.result(end_point)?;
        let text = result.is_text.then(|| std::str::from_utf8(&result.data).ok()).flatten();
        text.ok_or_else(|| self.no_result(&format!("text `{end_point}`, which is bytes")))
    }

    /// The bytes of an end-point.
    ///
    /// # Errors
    ///
    /// As [`text`](Self::text).
    ///
    /// ```no_run
    /// # async fn example(response: rejoin::client::Response) -> Result<(), Box<dyn std::error::Error>> {
    /// std::fs::write("customers.parquet", response.bytes("parquet")?)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn bytes(&self, end_point: &(impl EndPointName + ?Sized)) -> Result<&Bytes, Error> {
        self.result(end_point.end_point_name()).map(|result| &result.data)
    }

    /// The rows of an end-point that is an Arrow stream, as `sqlResultsToArrow` writes it.
    ///
    /// # Errors
    ///
    /// As [`text`](Self::text), and [`Error::Format`] when it is no Arrow stream.
    ///
    /// ```no_run
    /// # async fn example(response: rejoin::client::Response) -> Result<(), rejoin::client::Error> {
    /// let rows: usize = response.batches("arrow")?.iter().map(|batch| batch.num_rows()).sum();
    /// # Ok(())
    /// # }
    /// ```
    pub fn batches(&self, end_point: &(impl EndPointName + ?Sized)) -> Result<Vec<RecordBatch>, Error> {
        batches_of(self.bytes(end_point)?.clone())
    }

    /// The same rows as structs.
    ///
    /// # Errors
    ///
    /// As [`batches`](Self::batches), and [`Error::Row`] when a row does not fit.
    ///
    /// ```no_run
    /// # async fn example(response: rejoin::client::Response) -> Result<(), rejoin::client::Error> {
    /// let customers: Vec<(i64, String)> = response.structs("arrow")?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn structs<T: DeserializeOwned>(&self, end_point: &(impl EndPointName + ?Sized)) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        for batch in self.batches(end_point)? {
            structs(&batch, &mut all)?;
        }
        Ok(all)
    }

    /// How many rows a statement has changed, of its end-point: `<updateCount>3</updateCount>`.
    ///
    /// # Errors
    ///
    /// As [`text`](Self::text).
    ///
    /// ```no_run
    /// # async fn example(service: rejoin::client::DataService) -> Result<(), rejoin::client::Error> {
    /// use rejoin::client::Request;
    /// use rejoin::document::activities::SqlUpdateStatement;
    ///
    /// let mut request = Request::new();
    /// let count = request.add(SqlUpdateStatement::new("DELETE FROM orders WHERE id = 7"));
    /// assert_eq!(service.perform(&request).await?.update_count(&count)?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn update_count(&self, end_point: &(impl EndPointName + ?Sized)) -> Result<u64, Error> {
        update_count(self.bytes(end_point)?)
    }

    fn result(&self, end_point: &str) -> Result<&ResponseResult, Error> {
        let mut end_points = self.results.iter().filter(|result| result.content_type.is_some());
        match end_points.find(|result| *result.name == *end_point) {
            Some(result) => Ok(result),
            None if !self.results_kept => Err(Error::ResultsNotKept),
            None => Err(self.no_result(&format!("end-point `{end_point}`"))),
        }
    }

    fn no_result(&self, wanted: &str) -> Error {
        let known = self.results.iter().filter_map(|result| {
            result.content_type.as_ref().map(|content_type| format!("`{}` ({content_type})", result.name))
        });
        let known: Vec<String> = known.collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Error::NoResult { wanted: wanted.into(), known }
    }
}

/// The number of `<updateCount>3</updateCount>`.
pub(super) fn update_count(end_point: &[u8]) -> Result<u64, Error> {
    let text = end_point.strip_prefix(b"<updateCount>").and_then(|text| text.strip_suffix(b"</updateCount>"));
    let number = text.and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
    let no_number = || Error::NoResult { wanted: "number of updated rows".into(), known: "something else".into() };
    number.ok_or_else(no_number)
}

fn read(document: &[u8]) -> Result<Response, Error> {
    gather(document).map_err(|error| Error::Unexpected(format!("the response can't be read: {error}")))?
}

/// Reads the document, and then what it says: a response, or why there is none.
fn gather(document: &[u8]) -> Result<Result<Response, Error>, DocumentError> {
    let mut reader = ResponseReader::new(document)?;
    let mut session = None;
    let mut results: Vec<ResponseResult> = Vec::new();
    let mut data = Vec::new();
    let mut end = (Status::Unstarted, None, true);
    loop {
        match reader.next()? {
            ResponseEvent::Session(found) => session = Some(found),
            ResponseEvent::Result(start) => {
                let is_text = start.encoding == DataEncoding::Text;
                let (name, status, content_type) = (start.name, start.status, start.content_type);
                results.push(ResponseResult { name, status, content_type, data: Bytes::new(), is_text });
            }
            ResponseEvent::Text(text) => data.extend_from_slice(text.as_bytes()),
            ResponseEvent::Bytes(bytes) => data.extend_from_slice(bytes),
            ResponseEvent::ResultEnd => {
                if let Some(result) = results.last_mut() {
                    result.data = std::mem::take(&mut data).into();
                }
            }
            ResponseEvent::Error(_) => {}
            ResponseEvent::Request { status, error, results_kept } => end = (status, error, results_kept),
            ResponseEvent::End => break,
        }
    }
    let request_id: Box<str> = reader.request_id().into();
    Ok(match (end, session) {
        ((status @ (Status::Completed | Status::Processing), _, results_kept), Some(session)) => {
            Ok(Response { request_id, session, status, results, results_kept })
        }
        ((_, Some(error), _), _) => Err(Error::refused(Failure::of_response(error, &request_id))),
        ((status, None, _), _) => Err(Error::refused(Failure::stopped(status, &request_id))),
    })
}
