//! Streams of a session: data that flow into a request, or out of it, while it runs.

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Body, Method, StatusCode};

use super::parcel::{Parcel, Repeat};
use super::{EndPoint, Error, Session};

/// Says of blocks whether more will come.
const STREAM: HeaderName = HeaderName::from_static("rejoin-stream");

/// One stream of a session. Nothing about it is sent twice: what was read is gone, and what was written may have arrived. So when an
/// answer is lost, that is [`Error::OutcomeUnknown`].
///
/// ```no_run
/// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
/// let feed = session.stream("feed");
/// feed.write_block("text/plain", "17").await?;
/// feed.write_block("text/plain", "42").await?;
/// feed.close().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SessionStream {
    session: Session,
    name: Box<str>,
}

/// Blocks that were read from a session stream.
///
/// ```no_run
/// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
/// let blocks = session.stream("tap").read_blocks(10).await?;
/// println!("{} bytes, and {}", blocks.data.len(), if blocks.has_ended { "no more" } else { "more to come" });
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamBlocks {
    /// The bytes of all of them.
    pub data: Bytes,
    /// Whether that was the end.
    pub has_ended: bool,
}

impl SessionStream {
    pub(super) fn new(session: Session, name: &str) -> Self {
        Self { session, name: name.into() }
    }

    /// Reads everything to the end of the stream, as it comes. A reader that is slow slows the request.
    ///
    /// # Errors
    ///
    /// Any of [`Error`] that is known before the first block. Of a request that fails, the data break off
    /// ([`Error::BrokenOff`]).
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// let mut tap = session.stream("tap").read().await?;
    /// while let Some(piece) = tap.next_piece().await? {
    ///     println!("{} bytes", piece.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn read(&self) -> Result<EndPoint, Error> {
        let parcel = self.parcel(Method::GET)?;
        let opened = self.session.service().exchange().open(&parcel).await?;
        Ok(EndPoint::new(self.session.caller().clone(), parcel, opened))
    }

    /// Waits for so many blocks, or for the end.
    ///
    /// # Errors
    ///
    /// Any of [`Error`].
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// let tap = session.stream("tap");
    /// loop {
    ///     let blocks = tap.read_blocks(1).await?;
    ///     println!("{}", String::from_utf8_lossy(&blocks.data));
    ///     if blocks.has_ended {
    ///         break;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn read_blocks(&self, blocks: u32) -> Result<StreamBlocks, Error> {
        let mut parcel = self.parcel(Method::GET)?;
        parcel.url.query_pairs_mut().append_pair("blocks", &blocks.to_string());
        let answer = self.session.service().exchange().whole(&parcel).await?;
        let has_ended = answer.status == StatusCode::NO_CONTENT
            || answer.headers.get(STREAM).is_some_and(|state| state.as_bytes() == b"ended");
        Ok(StreamBlocks { data: answer.body, has_ended })
    }

    /// Writes one block, and waits until the request has taken it.
    ///
    /// # Errors
    ///
    /// Any of [`Error`].
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// let feed = session.stream("feed");
    /// for id in 1..=3 {
    ///     feed.write_block("text/plain", id.to_string()).await?;
    /// }
    /// feed.close().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn write_block(&self, content_type: &str, block: impl Into<Bytes>) -> Result<(), Error> {
        let mut parcel = self.parcel(Method::POST)?;
        parcel.headers.insert(CONTENT_TYPE, media_type(content_type)?);
        parcel.body = block.into();
        self.session.service().exchange().whole(&parcel).await.map(drop)
    }

    /// Writes everything, and ends the stream.
    ///
    /// # Errors
    ///
    /// Any of [`Error`].
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// session.stream("feed").write_all("text/csv", "id,name\n7,Ada\n").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn write_all(&self, content_type: &str, data: impl Into<Bytes>) -> Result<(), Error> {
        let mut parcel = self.parcel(Method::PUT)?;
        parcel.headers.insert(CONTENT_TYPE, media_type(content_type)?);
        parcel.body = data.into();
        self.session.service().exchange().whole(&parcel).await.map(drop)
    }

    /// Writes what a stream of the program gives, as it comes, and ends the stream of the session. A request that is slow slows
    /// the program. If the program's stream fails, the request does.
    ///
    /// # Errors
    ///
    /// Any of [`Error`].
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// use futures_util::stream;
    ///
    /// let lines = stream::iter((0..1_000_000).map(|number| Ok::<_, std::io::Error>(format!("{number}\n"))));
    /// session.stream("feed").write_stream("text/csv", lines).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn write_stream<S, B, E>(&self, content_type: &str, data: S) -> Result<(), Error>
    where
        S: Stream<Item = Result<B, E>> + Send + 'static,
        B: Into<Bytes> + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        let mut parcel = self.parcel(Method::PUT)?;
        parcel.headers.insert(CONTENT_TYPE, media_type(content_type)?);
        let body = Body::wrap_stream(data.map_ok(Into::<Bytes>::into));
        self.session.service().exchange().upload(&parcel, body).await
    }

    /// Ends a stream that is written.
    ///
    /// # Errors
    ///
    /// Any of [`Error`].
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// session.stream("feed").close().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn close(&self) -> Result<(), Error> {
        self.session.service().exchange().whole(&self.parcel(Method::PUT)?).await.map(drop)
    }

    /// Drops the stream: the request that writes it goes on without it, one that reads it fails.
    ///
    /// # Errors
    ///
    /// Any of [`Error`].
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// session.stream("tap").discard().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn discard(&self) -> Result<(), Error> {
        self.session.service().exchange().whole(&self.parcel(Method::DELETE)?).await.map(drop)
    }

    fn parcel(&self, method: Method) -> Result<Parcel, Error> {
        self.session.parcel(method, &["session", "streams", &self.name], Repeat::Never)
    }
}

fn media_type(text: &str) -> Result<HeaderValue, Error> {
    HeaderValue::try_from(text).map_err(|_| Error::Setting(format!("`{text}` is not a media type")))
}
