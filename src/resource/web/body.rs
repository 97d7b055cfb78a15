//! The body of an answer, while it comes.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use super::fault::fault_of;
use super::{Origin, WebError};
use crate::session::{Clock, Moment};

/// What ends a body before its end.
pub(super) struct BodyWatch {
    pub(super) origin: Origin,
    pub(super) clock: Arc<dyn Clock>,
    /// The longest time from one piece to the next.
    pub(super) idle: Duration,
    /// When the whole exchange has to be over.
    pub(super) deadline: Moment,
    pub(super) cancel: CancellationToken,
    /// Given back when the body is read or nobody reads it any more.
    pub(super) _turn: OwnedSemaphorePermit,
}

/// The pieces of a body. An error is the last of them.
pub(super) fn watched(
    pieces: BoxStream<'static, reqwest::Result<Bytes>>,
    watch: BodyWatch,
) -> BoxStream<'static, Result<Bytes, WebError>> {
    let pieces = stream::unfold(Some((pieces, watch)), async |state| {
        let (mut pieces, watch) = state?;
        match watch.next(&mut pieces).await {
            Ok(piece) => piece.map(|piece| (Ok(piece), Some((pieces, watch)))),
            Err(error) => Some((Err(error), None)),
        }
    });
    pieces.boxed()
}

impl BodyWatch {
    async fn next(&self, pieces: &mut BoxStream<'static, reqwest::Result<Bytes>>) -> Result<Option<Bytes>, WebError> {
        let now = self.clock.now();
        let idle_until = now.after(self.idle);
        // Pieces that always are there would never let the clock speak.
        if now >= self.deadline {
            return Err(self.timed_out(idle_until));
        }
        let until = idle_until.min(self.deadline);
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(WebError::Cancelled),
            piece = pieces.next() => piece.transpose().map_err(|error| fault_of(&self.origin, &error)),
            () = self.clock.sleep_until(until) => Err(self.timed_out(idle_until)),
        }
    }

    fn timed_out(&self, idle_until: Moment) -> WebError {
        let origin = &self.origin;
        let message = if idle_until <= self.deadline {
            format!("{origin}: nothing of the body of the answer came for {} s", self.idle.as_secs_f64())
        } else {
            format!("{origin}: the answer was not complete in the time that there is for a whole exchange")
        };
        WebError::TimedOut { message }
    }
}
