//! Sends requests, and sends them again where that is safe. Every request of the toolkit goes through here.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};

use super::body::Body;
use super::parcel::{Parcel, Repeat};
use super::patience::{Mishap, Patience, chain};
use super::{Code, Error, Failure};
use crate::document::{Fault, Limits};

/// Stands on every answer of a data service.
const REQUEST_ID: HeaderName = HeaderName::from_static("rejoin-request-id");

/// The largest fault that is read.
const FAULT_BYTES: usize = 1024 * 1024;

/// How one data service resource is reached.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) http: Client,
    /// The resource, without a query.
    pub(super) url: Url,
    pub(super) authorization: Option<HeaderValue>,
    pub(super) session_header: HeaderName,
    pub(super) compression: bool,
    pub(super) patience: Duration,
    /// How long the head of an answer may take before it counts as lost.
    pub(super) answer_within: Option<Duration>,
    /// The largest answer that is gathered in memory.
    pub(super) answer_bytes: usize,
}

/// An answer that is good, as far as its head says.
pub(super) struct Opened {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
}

/// An answer that is there, or as much of it as is wanted.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Whether that is all.
    pub(super) is_all: bool,
}

impl Exchange {
    /// Sends a request until there is an answer, and gives its head; its body has yet to come.
    pub(super) async fn open(&self, parcel: &Parcel) -> Result<Opened, Error> {
        let (mut parcel, mut patience) = (Cow::Borrowed(parcel), self.patience());
        loop {
            match self.attempt(&parcel).await {
                Ok(opened) => return Ok(opened),
                Err(mishap) => bear(&mut patience, mishap, &mut parcel).await?,
            }
        }
    }

    /// Sends a request until its whole answer is there.
    pub(super) async fn whole(&self, parcel: &Parcel) -> Result<Whole, Error> {
        let whole = self.gathered(parcel, self.answer_bytes).await?;
        if whole.is_all { Ok(whole) } else { Err(too_large(self.answer_bytes, parcel.repeat)) }
    }

    /// Sends a request until so many bytes of its answer are there, or all.
    pub(super) async fn gathered(&self, parcel: &Parcel, most: usize) -> Result<Whole, Error> {
        let (mut parcel, mut patience) = (Cow::Borrowed(parcel), self.patience());
        loop {
            match self.attempt_whole(&parcel, most).await {
                Ok(whole) => return Ok(whole),
                Err(mishap) => bear(&mut patience, mishap, &mut parcel).await?,
            }
        }
    }

    pub(super) fn patience(&self) -> Patience {
        Patience::new(self.patience)
    }

    async fn attempt_whole(&self, parcel: &Parcel, most: usize) -> Result<Whole, Mishap> {
        let Opened { status, headers, body } = self.attempt(parcel).await?;
        let (body, is_all) = body.gathered(most).await.map_err(Mishap::Lost)?;
        Ok(Whole { status, headers, body, is_all })
    }

    /// Sends a request with a body that comes as it goes, and so can't be sent twice.
    pub(super) async fn upload(&self, parcel: &Parcel, body: reqwest::Body) -> Result<(), Error> {
        let request = self.request(parcel).body(body);
        let outcome = match self.sent(request.send()).await {
            Ok(response) if response.status().is_success() => return Ok(()),
            Ok(response) => refused(response, parcel.repeat).await,
            Err(mishap) => mishap,
        };
        match outcome {
            Mishap::Refused(failure) => Err(Error::refused(*failure)),
            mishap => self.patience().bear(mishap, Repeat::Never).await,
        }
    }

    /// Sends a request once.
    pub(super) async fn attempt(&self, parcel: &Parcel) -> Result<Opened, Mishap> {
        let mut request = self.request(parcel);
        if !parcel.body.is_empty() {
            request = request.body(parcel.body.clone());
        }
        let response = self.sent(request.send()).await?;
        if response.status().is_success() {
            return opened(response);
        }
        Err(refused(response, parcel.repeat).await)
    }

    /// A request up to its body.
    fn request(&self, parcel: &Parcel) -> RequestBuilder {
        let request = self.bare(parcel.method.clone(), parcel.url.clone()).headers(parcel.headers.clone());
        if self.compression { request.header(ACCEPT_ENCODING, "zstd") } else { request }
    }

    /// A request that says who sends it, and nothing else.
    pub(super) fn bare(&self, method: Method, url: Url) -> RequestBuilder {
        let request = self.http.request(method, url);
        match &self.authorization {
            Some(authorization) => request.header(AUTHORIZATION, authorization),
            None => request,
        }
    }

    /// Waits for the head of an answer.
    async fn sent(&self, sending: impl Future<Output = reqwest::Result<Response>>) -> Result<Response, Mishap> {
        let outcome = match self.answer_within {
            None => sending.await,
            Some(time) => match tokio::time::timeout(time, sending).await {
                Ok(outcome) => outcome,
                Err(_) => return Err(Mishap::Lost(format!("nothing was answered for {time:?}"))),
            },
        };
        outcome.map_err(|error| {
            if error.is_connect() {
                Mishap::NotSent { url: self.url.to_string(), cause: error }
            } else if error.is_builder() {
                Mishap::Final(Error::Setting(chain(&error)))
            } else {
                Mishap::Lost(chain(&error))
            }
        })
    }
}

/// Waits until a request may be sent again.
///
/// An answer that breaks off may do so because the request failed midway, which would happen each time. So a request that only reads
/// gets a key before it is sent again: the time after that, the service tells why.
pub(super) async fn bear(patience: &mut Patience, mishap: Mishap, parcel: &mut Cow<'_, Parcel>) -> Result<(), Error> {
    let only_reads = parcel.repeat == Repeat::Harmless && parcel.method == Method::POST;
    let (mishap, wants_key) = match mishap {
        // It came to its end, and is to be read again from its beginning.
        Mishap::Refused(failure) if only_reads && failure.code == Code::ResultsNotKept => {
            (Mishap::Lost(failure.message), true)
        }
        Mishap::Lost(reason) => (Mishap::Lost(reason), only_reads && !parcel.has_key()),
        other => (other, false),
    };
    patience.bear(mishap, parcel.repeat).await?;
    if wants_key {
        *parcel = Cow::Owned(Parcel { repeat: Repeat::Harmless, ..parcel.clone().into_owned().with_key(None)? });
    }
    Ok(())
}

/// What to say of an answer that was not read to its end: a request that may change something has perhaps been done.
fn too_large(most: usize, repeat: Repeat) -> Error {
    let reason = format!("the answer has more than {most} bytes; read it as a stream, or let `answer_bytes` be more");
    match repeat {
        Repeat::Harmless => Error::Unexpected(reason),
        Repeat::Recognised | Repeat::Never => Error::OutcomeUnknown { reason },
    }
}

fn opened(mut response: Response) -> Result<Opened, Mishap> {
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    if !headers.contains_key(REQUEST_ID) {
        let url = response.url();
        return Err(Mishap::Final(Error::Unexpected(format!(
            "what answers at {url} is no data service: expected http://HOST:PORT/services/RESOURCE"
        ))));
    }
    let body = Body::of(response, &headers).map_err(|reason| Mishap::Final(Error::Unexpected(reason)))?;
    Ok(Opened { status, headers, body })
}

/// What an answer says that is not good.
async fn refused(mut response: Response, repeat: Repeat) -> Mishap {
    let (status, url) = (response.status(), response.url().clone());
    let headers = std::mem::take(response.headers_mut());
    let is_json = headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().ends_with(b"json"));
    let body = match Body::of(response, &headers) {
        Ok(body) => body.gathered(FAULT_BYTES).await,
        Err(reason) => return Mishap::Final(Error::Unexpected(reason)),
    };
    let bytes = match body {
        Ok((bytes, _)) => bytes,
        Err(reason) => return Mishap::Lost(reason),
    };
    let fault = if is_json { Fault::parse_json(&bytes) } else { Fault::parse(&bytes, &Limits::default()) };
    match (fault, status) {
        (Ok(fault), _) => Mishap::Refused(Box::new(Failure::of_fault(fault))),
        // A gateway says that it did not hear from the service: what became of the request it does not know.
        (_, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT) => {
            Mishap::Lost(format!("a gateway answered {status}"))
        }
        _ if status.is_server_error() && repeat != Repeat::Harmless => Mishap::Final(Error::OutcomeUnknown {
            reason: format!("something between here and the service, or in its place, answered {status}"),
        }),
        (Err(_), _) => Mishap::Final(Error::Unexpected(format!(
            "what answers {status} at {url} is no data service: expected http://HOST:PORT/services/RESOURCE"
        ))),
    }
}
