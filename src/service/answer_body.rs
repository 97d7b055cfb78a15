//! The body of an HTTP response that streams while the request runs.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame as BodyFrame, SizeHint};

use super::headers::REQUEST_STATUS;
use crate::document::Status;
use crate::engine::{AnswerBody, AnswerStream, BrokenAnswer, Frame};

/// The body for an answer. With `trailers` its end says how the request ended.
pub(super) fn answer_body(body: AnswerBody, trailers: bool) -> Body {
    match body {
        AnswerBody::Whole(bytes) if trailers => Body::new(WholeBody { bytes: Some(bytes), ended: false }),
        AnswerBody::Whole(bytes) => Body::from(bytes),
        AnswerBody::Stream(stream) => Body::new(StreamBody { stream, trailers, ended: false }),
    }
}

/// An answer that is all there, followed by its trailers.
struct WholeBody {
    bytes: Option<Bytes>,
    ended: bool,
}

impl http_body::Body for WholeBody {
    type Data = Bytes;
    type Error = BrokenAnswer;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<BodyFrame<Bytes>, BrokenAnswer>>> {
        if let Some(bytes) = self.bytes.take().filter(|bytes| !bytes.is_empty()) {
            return Poll::Ready(Some(Ok(BodyFrame::data(bytes))));
        }
        if std::mem::replace(&mut self.ended, true) {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(Ok(BodyFrame::trailers(status_trailers(Status::Completed)))))
    }
}

/// An answer on its way. When it breaks off the transfer is broken too: HTTP/1.1 closes the connection before the last chunk,
/// HTTP/2 resets the stream.
struct StreamBody {
    stream: AnswerStream,
    trailers: bool,
    ended: bool,
}

impl http_body::Body for StreamBody {
    type Data = Bytes;
    type Error = BrokenAnswer;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<BodyFrame<Bytes>, BrokenAnswer>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        match ready!(self.stream.poll_next(context))? {
            Frame::Data(bytes) => Poll::Ready(Some(Ok(BodyFrame::data(bytes)))),
            Frame::End(status) => {
                self.ended = true;
                Poll::Ready(self.trailers.then(|| Ok(BodyFrame::trailers(status_trailers(status)))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

fn status_trailers(status: Status) -> HeaderMap {
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert(REQUEST_STATUS, http::HeaderValue::from_static(status.as_str()));
    trailers
}
