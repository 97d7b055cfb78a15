//! Compression of answers, as `Accept-Encoding` asks for it (RFC 9110, section 12.5.3).
//!
//! The work is done on threads that may block, block by block, each flushed so that what has been produced has been sent.

use std::future::Future;
use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, VARY};
use http::{HeaderMap, HeaderValue};
use http_body::{Body as _, Frame};
use tokio::task::{JoinHandle, spawn_blocking};

/// Below this size a whole answer is not worth compressing, in bytes.
const SMALLEST: u64 = 1024;

/// A content coding that we can write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Zstd,
    Gzip,
}

impl Coding {
    /// In the order in which we prefer them where the client does not care.
    const ALL: [(Self, &'static str); 2] = [(Self::Zstd, "zstd"), (Self::Gzip, "gzip")];

    fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }
}

/// Compresses the answer if the client asks for a coding that we know.
pub(super) fn compress(request_headers: &HeaderMap, response: Response) -> Response {
    // Several lines of a list are one list (RFC 9110, section 5.3).
    let accepted: Vec<&str> =
        request_headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok()).collect();
    let coding = choose(&accepted.join(","));
    let is_small = response.body().size_hint().exact().is_some_and(|size| size < SMALLEST);
    let Some(coding) = coding.filter(|_| !is_small && !response.headers().contains_key(CONTENT_ENCODING)) else {
        return response;
    };
    let Ok(encoder) = Encoder::new(coding) else { return response };
    let (mut head, body) = response.into_parts();
    head.headers.remove(CONTENT_LENGTH);
    head.headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    head.headers.append(VARY, HeaderValue::from_static("accept-encoding"));
    Response::from_parts(head, Body::new(CompressedBody { source: body, state: State::Idle(Box::new(encoder)) }))
}

/// The coding with the highest weight; `None` is "as it is".
fn choose(accepted: &str) -> Option<Coding> {
    let weight_of = |name: &str| {
        let mut any = None;
        for item in accepted.split(',') {
            let mut parts = item.split(';').map(str::trim);
            let coding = parts.next().unwrap_or_default();
            let weight = parts
                .find_map(|parameter| parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q=")))
                .map_or(1.0, |weight| weight.parse::<f32>().unwrap_or(0.0));
            if coding.eq_ignore_ascii_case(name) {
                return weight;
            }
            if coding == "*" {
                any = Some(weight);
            }
        }
        any.unwrap_or(0.0)
    };
    let mut best: Option<(Coding, f32)> = None;
    for (coding, name) in Coding::ALL {
        let weight = weight_of(name);
        if weight > best.map_or(0.0, |(_, best)| best) {
            best = Some((coding, weight));
        }
    }
    best.map(|(coding, _)| coding)
}

enum Encoder {
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl Encoder {
    fn new(coding: Coding) -> io::Result<Self> {
        Ok(match coding {
            Coding::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), flate2::Compression::new(4))),
            Coding::Zstd => Self::Zstd(zstd::stream::write::Encoder::new(Vec::new(), 1)?),
        })
    }

    /// Takes in a block and gives out all that it became.
    fn block(&mut self, block: &[u8]) -> io::Result<Bytes> {
        let out = match self {
            Self::Gzip(encoder) => {
                encoder.write_all(block)?;
                encoder.flush()?;
                encoder.get_mut()
            }
            Self::Zstd(encoder) => {
                encoder.write_all(block)?;
                encoder.flush()?;
                encoder.get_mut()
            }
        };
        Ok(std::mem::take(out).into())
    }

    fn finish(self) -> io::Result<Bytes> {
        match self {
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
        .map(Bytes::from)
    }
}

struct CompressedBody {
    source: Body,
    state: State,
}

enum State {
    /// The next block of the source is waited for.
    Idle(Box<Encoder>),
    /// A block is being compressed.
    Block(JoinHandle<io::Result<(Box<Encoder>, Bytes)>>),
    /// The end is being written; the trailers of the source follow it.
    Finish(JoinHandle<io::Result<Bytes>>, Option<HeaderMap>),
    /// All data have been given out.
    Trailers(Option<HeaderMap>),
}

impl http_body::Body for CompressedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        loop {
            match &mut this.state {
                State::Idle(_) => {
                    let frame = ready!(Pin::new(&mut this.source).poll_frame(context)).transpose()?;
                    let State::Idle(mut encoder) = std::mem::replace(&mut this.state, State::Trailers(None)) else {
                        continue;
                    };
                    this.state = match frame.map(Frame::into_data) {
                        Some(Ok(block)) => State::Block(spawn_blocking(move || {
                            let compressed = encoder.block(&block)?;
                            Ok((encoder, compressed))
                        })),
                        Some(Err(frame)) => {
                            State::Finish(spawn_blocking(move || encoder.finish()), frame.into_trailers().ok())
                        }
                        None => State::Finish(spawn_blocking(move || encoder.finish()), None),
                    };
                }
                State::Block(work) => {
                    let (encoder, compressed) = ready!(poll_work(work, context))?;
                    this.state = State::Idle(encoder);
                    if !compressed.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(compressed))));
                    }
                }
                State::Finish(work, trailers) => {
                    let compressed = ready!(poll_work(work, context))?;
                    this.state = State::Trailers(trailers.take());
                    return Poll::Ready(Some(Ok(Frame::data(compressed))));
                }
                State::Trailers(trailers) => {
                    return Poll::Ready(trailers.take().map(|trailers| Ok(Frame::trailers(trailers))));
                }
            }
        }
    }
}

fn poll_work<T>(work: &mut JoinHandle<io::Result<T>>, context: &mut Context<'_>) -> Poll<Result<T, axum::Error>> {
    let done = ready!(Pin::new(work).poll(context));
    Poll::Ready(done.map_err(axum::Error::new)?.map_err(axum::Error::new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coding_with_the_highest_weight_is_taken() {
        for (accepted, expected) in [
            ("gzip", Some(Coding::Gzip)),
            ("gzip, zstd", Some(Coding::Zstd)),
            ("gzip;q=1.0, zstd;q=0.5", Some(Coding::Gzip)),
            ("GZIP", Some(Coding::Gzip)),
            ("*", Some(Coding::Zstd)),
            ("zstd;q=0, *", Some(Coding::Gzip)),
            ("br, deflate", None),
            ("identity", None),
            ("gzip;q=0", None),
            ("", None),
        ] {
            assert_eq!(choose(accepted), expected, "{accepted}");
        }
    }
}
