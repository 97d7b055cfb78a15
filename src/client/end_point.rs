//! The data of one end-point, as they come.

use std::borrow::Cow;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use futures_util::future::BoxFuture;
use reqwest::header::CONTENT_TYPE;

use super::Error;
use super::body::Body;
use super::caller::Caller;
use super::exchange::{Opened, bear};
use super::parcel::{Parcel, Repeat};
use super::patience::{Mishap, Patience};

/// The raw data of one end-point, or of a session stream: pieces of bytes, as they come. A reader that is slow slows the service.
///
/// When the connection breaks, the answer of a request with a key is taken up where it broke off, if the service has kept it. That of
/// a request that only reads can't be, because it may come out differently: [`Error::BrokenOff`]. Only a stream that ends
/// without an error is whole.
///
/// ```no_run
/// # async fn example(service: rejoin::client::DataService, request: rejoin::client::Request) -> Result<(), rejoin::client::Error> {
/// use futures_util::TryStreamExt;
///
/// let csv = service.stream(&request, "csv").await?;
/// let bytes = csv.try_fold(0, async |sum, piece| Ok(sum + piece.len())).await?;
/// # Ok(())
/// # }
/// ```
pub struct EndPoint {
    content_type: Box<str>,
    /// How many bytes are gathered at most.
    most: usize,
    state: State,
}

/// The next piece, and what gives the one behind it.
type NextPiece = BoxFuture<'static, (Box<Reading>, Result<Option<Bytes>, Error>)>;

/// What is done about the next piece.
enum State {
    Idle(Box<Reading>),
    Reading(NextPiece),
    Over,
}

/// An answer that is being read.
struct Reading {
    caller: Caller,
    parcel: Parcel,
    body: Body,
    /// How many bytes were given.
    given: u64,
    /// How many bytes of an answer that is told again were given already.
    skipped: u64,
    patience: Patience,
}

impl EndPoint {
    pub(super) fn new(caller: Caller, parcel: Parcel, opened: Opened) -> Self {
        let content_type = opened.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or("application/octet-stream").into();
        let exchange = caller.service().exchange();
        let (patience, most) = (exchange.patience(), exchange.answer_bytes);
        let reading = Reading { caller, parcel, body: opened.body, given: 0, skipped: 0, patience };
        Self { content_type, most, state: State::Idle(Box::new(reading)) }
    }

    /// The media type of the data.
    ///
    /// ```no_run
    /// # async fn example(csv: rejoin::client::EndPoint) -> Result<(), rejoin::client::Error> {
    /// assert_eq!(csv.content_type(), "text/csv");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`Error::BrokenOff`], or why the request failed: then what has come is not all.
    ///
    /// ```no_run
    /// # async fn example(mut csv: rejoin::client::EndPoint) -> Result<(), rejoin::client::Error> {
    /// while let Some(piece) = csv.next_piece().await? {
    ///     println!("{} bytes more", piece.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn next_piece(&mut self) -> Result<Option<Bytes>, Error> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await.transpose()
    }

    /// All that is left, in memory.
    ///
    /// # Errors
    ///
    /// As [`next_piece`](Self::next_piece), and [`Error::Unexpected`] beyond
    /// [`answer_bytes`](super::DataServiceBuilder::answer_bytes).
    ///
    /// ```no_run
    /// # async fn example(csv: rejoin::client::EndPoint) -> Result<(), rejoin::client::Error> {
    /// let bytes = csv.whole().await?;
    /// println!("{}", String::from_utf8_lossy(&bytes));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn whole(mut self) -> Result<Bytes, Error> {
        let mut gathered = Bytes::new();
        let mut more = Vec::new();
        while let Some(piece) = self.next_piece().await? {
            if gathered.len().max(more.len()) + piece.len() > self.most {
                return Err(Error::Unexpected(format!(
                    "the data have more than {} bytes; read them piece by piece",
                    self.most
                )));
            }
            if gathered.is_empty() {
                gathered = piece;
                continue;
            }
            if more.is_empty() {
                more.extend_from_slice(&gathered);
            }
            more.extend_from_slice(&piece);
        }
        Ok(if more.is_empty() { gathered } else { more.into() })
    }
}

impl Stream for EndPoint {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match std::mem::replace(&mut self.state, State::Over) {
                State::Over => return Poll::Ready(None),
                State::Idle(mut reading) => {
                    self.state = State::Reading(Box::pin(async move {
                        let outcome = reading.next().await;
                        (reading, outcome)
                    }));
                }
                State::Reading(mut future) => match future.as_mut().poll(context) {
                    Poll::Pending => {
                        self.state = State::Reading(future);
                        return Poll::Pending;
                    }
                    Poll::Ready((reading, Ok(Some(piece)))) => {
                        self.state = State::Idle(reading);
                        return Poll::Ready(Some(Ok(piece)));
                    }
                    Poll::Ready((_, Ok(None))) => return Poll::Ready(None),
                    Poll::Ready((_, Err(error))) => return Poll::Ready(Some(Err(error))),
                },
            }
        }
    }
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            match self.body.next().await {
                Ok(Some(piece)) => {
                    if let Some(piece) = self.fresh(piece) {
                        self.given += piece.len() as u64;
                        return Ok(Some(piece));
                    }
                }
                Ok(None) if self.skipped > 0 => {
                    return Err(Error::Unexpected("the answer that was told again is shorter than the first".into()));
                }
                Ok(None) => return Ok(None),
                Err(reason) => self.resume(reason).await?,
            }
        }
    }

    /// What of a piece was not given before.
    fn fresh(&mut self, mut piece: Bytes) -> Option<Bytes> {
        let known = usize::try_from(self.skipped).unwrap_or(usize::MAX).min(piece.len());
        self.skipped -= known as u64;
        let fresh = piece.split_off(known);
        (!fresh.is_empty()).then_some(fresh)
    }

    /// Has the answer told again.
    async fn resume(&mut self, reason: String) -> Result<(), Error> {
        let is_told_again = match self.parcel.repeat {
            Repeat::Recognised => true,
            Repeat::Harmless => self.given == 0,
            Repeat::Never => false,
        };
        if !is_told_again {
            return Err(Error::BrokenOff { reason });
        }
        let (mut mishap, mut parcel) = (Mishap::Lost(reason), Cow::Owned(self.parcel.clone()));
        loop {
            let borne = bear(&mut self.patience, mishap, &mut parcel).await;
            borne.map_err(|error| self.caller.noted(error, &parcel))?;
            match self.caller.service().exchange().attempt(&parcel).await {
                Ok(opened) => {
                    self.body = opened.body;
                    self.skipped = self.given;
                    self.parcel = parcel.into_owned();
                    return Ok(());
                }
                Err(next) => mishap = next,
            }
        }
    }
}

impl fmt::Debug for EndPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndPoint").field("content_type", &self.content_type).finish_non_exhaustive()
    }
}
