//! Reading what a client posts: bounded in size and in time.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use http_body_util::BodyExt;

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BodyError {
    #[error("the document is larger than {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("the document did not arrive within {} ms", within.as_millis())]
    TooSlow { within: Duration },
    #[error("the document broke off before its end")]
    BrokeOff,
}

/// Reads a whole body of at most `limit` bytes that arrives within a time.
///
/// A body that says how large it is, is refused before a byte of it is read.
pub(super) async fn read_body(body: Body, limit: u64, within: Duration) -> Result<Bytes, BodyError> {
    if body.size_hint().lower() > limit {
        return Err(BodyError::TooLarge { limit });
    }
    tokio::time::timeout(within, read_frames(body, limit)).await.unwrap_or(Err(BodyError::TooSlow { within }))
}

async fn read_frames(mut body: Body, limit: u64) -> Result<Bytes, BodyError> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyError::BrokeOff)?.into_data() else { continue };
        if (first.len() + rest.len() + data.len()) as u64 > limit {
            return Err(BodyError::TooLarge { limit });
        }
        // Nearly every document comes in one piece, which is used as it is.
        if first.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    let mut all = BytesMut::with_capacity(first.len() + rest.len());
    all.extend_from_slice(&first);
    all.extend_from_slice(&rest);
    Ok(all.freeze())
}
