//! The body of an answer, measured as it goes out.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};

use super::requests::Sending;

/// A body that counts its bytes and tells when it ends. Dropped before its end it has broken off.
pub(super) struct MeasuredBody {
    body: Body,
    /// `None` once the end was told.
    sending: Option<Sending>,
}

impl MeasuredBody {
    pub(super) fn new(body: Body, sending: Sending) -> Self {
        Self { body, sending: Some(sending) }
    }

    fn end(&mut self, whole: bool) {
        if let Some(sending) = self.sending.take() {
            sending.ended(whole);
        }
    }
}

impl http_body::Body for MeasuredBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let (Some(data), Some(sending)) = (frame.data_ref(), &self.sending) {
                    sending.sent(data.len());
                }
            }
            Poll::Ready(Some(Err(_))) => self.end(false),
            Poll::Ready(None) => self.end(true),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for MeasuredBody {
    fn drop(&mut self) {
        // Nobody asks for more of a body that says that it is at its end.
        let whole = self.body.is_end_stream();
        self.end(whole);
    }
}
