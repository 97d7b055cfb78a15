//! `…/session/streams/{name}`: reading and writing the streams of a session, whole or by the block.
//!
//! A stream is used through a guard ([`OutputEnd`], [`InputEnd`]) that decides, whatever becomes of the HTTP request, whether the
//! stream can be used again or is broken. The guard of what is read travels with the body of the answer, for only when that
//! has been handed over the data are somebody's.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Extension;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, Uri, Version};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use uuid::Uuid;

use super::authentication::Caller;
use super::cross_site::check_post;
use super::entrance::RequestId;
use super::headers::STREAM;
use super::media_type::{FaultFormat, form_of_stream};
use super::own_session::carried_session_for_change;
use super::query::Parameters;
use super::refusal::Refusal;
use super::request_body::{BodyError, read_body};
use super::state::{ServedResource, ServiceState};
use crate::block::{BLOCK_BYTES, Block};
use crate::session::{InputEnd, InputForm, OutputEnd, SessionId, SessionStreams, StreamError};

/// The most blocks that one answer may be asked to hold.
const MOST_BLOCKS: usize = 1_000_000;

/// Serves one stream of a session.
pub(super) async fn stream(
    State(state): State<ServiceState>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    Extension(caller): Extension<Caller>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    // What is no UTF-8 names nothing.
    let (resource, name) = path.map(|Path(names)| names).unwrap_or_default();
    let served = async {
        let resource = state.resource(&resource)?;
        let visit = Visit { state: &state, resource, caller: &caller, request_id, name: &name, head: &head };
        visit.serve(body).await
    };
    served.await.unwrap_or_else(|refusal| refusal.into_response(request_id, FaultFormat::wished_for(&head.headers)))
}

/// One request to one stream.
struct Visit<'a> {
    state: &'a ServiceState,
    resource: &'a ServedResource,
    caller: &'a Caller,
    request_id: Uuid,
    name: &'a str,
    head: &'a Parts,
}

impl Visit<'_> {
    async fn serve(&self, body: Body) -> Result<Response, Refusal> {
        if self.head.method == Method::HEAD {
            // Nothing can be told of a stream without taking from it.
            let message = "a session stream is read with GET: HEAD would take from it";
            return Err(Refusal::method_not_allowed(message, "GET,PUT,POST,DELETE"));
        }
        let carrier = self.resource.carrier();
        if self.head.method != Method::GET {
            check_post(self.head, carrier.origins())?;
        }
        let id = carried_session_for_change(self.head, &carrier)?;
        let blocks = blocks_of(&self.head.uri)?;
        if blocks.is_some() && self.head.method != Method::GET {
            return Err(Refusal::new(400, "RequestInvalid", "`blocks` says how much to read: it goes with GET alone"));
        }
        if self.head.method == Method::GET && blocks.is_none() && self.head.version < Version::HTTP_11 {
            let message =
                "HTTP/1.1 is needed to read a stream whole: over HTTP/1.0 its end can't be told; use ?blocks=n";
            return Err(Refusal::new(505, "HttpVersionNotSupported", message));
        }
        let streams = self.streams(&id).await?;
        let served = match self.head.method {
            Method::GET => self.read(&streams, blocks).await,
            Method::POST => self.write_block(&streams, body).await,
            Method::PUT => self.write_all(&streams, body).await,
            _ => streams.remove(self.name).map(|()| no_content()).map_err(Failure::from),
        };
        match served {
            // The session knows why and when.
            Err(Failure::Stream(StreamError::SessionEnded)) => match self.streams(&id).await {
                Err(refusal) => Err(refusal),
                Ok(_) => Err(Refusal::of_stream(&StreamError::SessionEnded)),
            },
            Err(Failure::Stream(error)) => Err(Refusal::of_stream(&error)),
            Err(Failure::Refused(refusal)) => Err(refusal),
            Ok(response) => Ok(response),
        }
    }

    async fn streams(&self, id: &SessionId) -> Result<Arc<SessionStreams>, Refusal> {
        let streams = self.resource.engine.sessions().streams(id, &self.caller.principal).await;
        streams.map_err(|error| Refusal::of_session(&error, self.request_id))
    }

    async fn read(&self, streams: &Arc<SessionStreams>, blocks: Option<usize>) -> Result<Response, Failure> {
        let end = streams.take_output(self.name)?;
        match blocks {
            None => read_whole(end).await,
            Some(blocks) => read_blocks(end, blocks, self.state.limits.document_bytes).await,
        }
    }

    /// One block.
    async fn write_block(&self, streams: &Arc<SessionStreams>, body: Body) -> Result<Response, Failure> {
        let form = form_of_stream(&self.head.headers)?;
        // The bodies in memory are never more than there are places.
        let _admitted = self.resource.engine.admit().map_err(Refusal::of_admission)?;
        let body = read_body(body, self.state.limits.document_bytes, self.state.body_timeout).await?;
        let mut end = streams.take_input(self.name)?;
        if !body.is_empty() {
            end.send(body, form).await?;
        }
        Ok(no_content())
    }

    /// All that is to come, in blocks, and the end.
    async fn write_all(&self, streams: &Arc<SessionStreams>, mut body: Body) -> Result<Response, Failure> {
        let form = form_of_stream(&self.head.headers)?;
        let mut end = streams.take_input(self.name)?;
        let mut gathered = BytesMut::new();
        loop {
            let frame = tokio::select! {
                frame = body.frame() => frame,
                error = end.closed() => return Err(error.into()),
            };
            let Some(frame) = frame else { break };
            let Ok(data) = frame.map_err(|_| BodyError::BrokeOff)?.into_data() else { continue };
            end.begin();
            send_full_blocks(&mut end, &mut gathered, data, form).await?;
        }
        if !gathered.is_empty() {
            end.send(gathered.freeze(), form).await?;
        }
        end.finish().await?;
        Ok(no_content())
    }
}

/// Sends what has come in blocks of one size, and keeps the rest.
async fn send_full_blocks(
    end: &mut InputEnd,
    gathered: &mut BytesMut,
    mut data: Bytes,
    form: InputForm,
) -> Result<(), StreamError> {
    while gathered.len() + data.len() >= BLOCK_BYTES {
        let piece = data.split_to(BLOCK_BYTES - gathered.len());
        let block = if gathered.is_empty() {
            piece
        } else {
            gathered.extend_from_slice(&piece);
            gathered.split().freeze()
        };
        end.send(block, form).await?;
    }
    gathered.extend_from_slice(&data);
    Ok(())
}

/// Everything to the end of the stream. The answer begins with the first block, so that what is wrong before has a status.
async fn read_whole(mut end: OutputEnd) -> Result<Response, Failure> {
    let first = match end.next().await {
        Ok(first) => first,
        Err(error) => return Err(told(end, error)),
    };
    let content_type = end.content_type(first.as_ref());
    let Some(first) = first else {
        end.finish();
        return Ok(data(content_type, None, Body::empty()));
    };
    let first = bytes_of(first)?;
    let pieces = stream::unfold((Some(first), Some(end)), |(first, end)| async move {
        let mut end = end?;
        if let Some(first) = first {
            return Some((Ok(first), (None, Some(end))));
        }
        match end.next().await {
            Ok(Some(block)) => Some((bytes_of(block).map_err(|_| BrokenTransfer), (None, Some(end)))),
            Ok(None) => {
                end.finish();
                None
            }
            Err(_) => {
                // What has come through is sent first, as far as the client takes it. Then the transfer breaks: half of the
                // data must not look like all.
                tokio::task::yield_now().await;
                Some((Err(BrokenTransfer), (None, None)))
            }
        }
    });
    Ok(data(content_type, None, Body::from_stream(pieces)))
}

/// So many blocks, or what there is to the end of the stream.
async fn read_blocks(mut end: OutputEnd, blocks: usize, most_bytes: u64) -> Result<Response, Failure> {
    let mut gathered = Gathered::default();
    while gathered.blocks < blocks && (gathered.bytes.len() as u64) < most_bytes {
        match end.next().await {
            Ok(Some(block)) => gathered.add(&end, block)?,
            Ok(None) => {
                gathered.progress = Progress::Ended;
                break;
            }
            Err(error) if gathered.blocks == 0 => return Err(told(end, error)),
            // What there is belongs to the client; the next question is told the rest.
            Err(StreamError::Broken { .. }) => break,
            Err(error) => return Err(error.into()),
        }
    }
    let Gathered { bytes, content_type, progress, .. } = gathered;
    if bytes.is_empty() && progress == Progress::Ended {
        end.finish();
        let mut response = no_content();
        response.headers_mut().insert(STREAM, progress.header());
        return Ok(response);
    }
    let body = GuardedBody { bytes: Some(bytes.freeze()), end: Some(end), progress };
    Ok(data(content_type, Some(progress), Body::new(body)))
}

/// Blocks that make one answer.
#[derive(Default)]
struct Gathered {
    bytes: BytesMut,
    blocks: usize,
    content_type: &'static str,
    progress: Progress,
}

impl Gathered {
    fn add(&mut self, end: &OutputEnd, block: Block) -> Result<(), Failure> {
        if self.blocks == 0 {
            self.content_type = end.content_type(Some(&block));
        }
        self.blocks += 1;
        self.bytes.extend_from_slice(&bytes_of(block)?);
        Ok(())
    }
}

/// Whether there is more of a stream to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Progress {
    #[default]
    Open,
    Ended,
}

impl Progress {
    fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Open => "open",
            Self::Ended => "ended",
        })
    }
}

/// The body of an answer of some blocks. The stream is given back, or is done with, when they have been handed over; dropped
/// before, it breaks.
struct GuardedBody {
    bytes: Option<Bytes>,
    end: Option<OutputEnd>,
    progress: Progress,
}

impl http_body::Body for GuardedBody {
    type Data = Bytes;
    type Error = BrokenTransfer;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenTransfer>>> {
        let Some(bytes) = self.bytes.take() else { return Poll::Ready(None) };
        if let Some(mut end) = self.end.take() {
            end.handed_over();
            if self.progress == Progress::Ended {
                end.finish();
            }
        }
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, Bytes::len) as u64)
    }
}

/// The transfer ends before the stream does.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the session stream broke off")]
struct BrokenTransfer;

/// Why a stream was not served.
enum Failure {
    Stream(StreamError),
    Refused(Refusal),
}

impl From<StreamError> for Failure {
    fn from(error: StreamError) -> Self {
        Self::Stream(error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<BodyError> for Failure {
    fn from(error: BodyError) -> Self {
        Self::Refused(Refusal::of_body(error))
    }
}

/// A client that is told that a stream is broken needs it no more.
fn told(end: OutputEnd, error: StreamError) -> Failure {
    if let StreamError::Broken { .. } = error {
        end.finish();
    }
    error.into()
}

fn bytes_of(block: Block) -> Result<Bytes, Refusal> {
    match block {
        Block::Text(text) => Ok(text.into_bytes()),
        Block::Bytes(bytes) => Ok(bytes),
        Block::Rows(_) => {
            let message = "the stream carries rows, which can't leave the service as they are: turn them into text with \
                           `sqlResultsToXML` or `sqlResultsToCSV`";
            Err(Refusal::new(422, "ActivityFailed", message))
        }
    }
}

/// `?blocks=n`, and nothing else.
fn blocks_of(uri: &Uri) -> Result<Option<usize>, Refusal> {
    let expected = format!("a whole number from 1 to {MOST_BLOCKS}");
    Parameters::read(uri, &["blocks"])?
        .parse("blocks", &expected, |value| value.parse().ok().filter(|blocks| (1..=MOST_BLOCKS).contains(blocks)))
}

fn no_content() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `progress` is told of a part; the end of the whole is the end of the answer.
fn data(content_type: &'static str, progress: Option<Progress>, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(progress) = progress {
        headers.insert(STREAM, progress.header());
    }
    response
}
