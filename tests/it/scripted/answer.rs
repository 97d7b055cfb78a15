//! What the server says, and how it fails to.

use std::time::Duration;

/// An answer, or what happens instead of one.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(super) status: u16,
    pub(super) reason: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) delivery: Delivery,
}

/// How the answer gets to the client.
#[derive(Debug, Clone, Copy)]
pub(super) enum Delivery {
    /// As it should.
    Whole,
    /// The connection is reset before a byte of it.
    Reset,
    /// The connection is reset after so many bytes of its body.
    ResetAfter(usize),
    /// So many bytes of its body come at a time, with a pause before each.
    Drip(usize, Duration),
    /// Its body is said so many times.
    Times(usize),
    /// Its body is said again and again.
    Endless,
    /// It never comes.
    Never,
    /// Its head comes, and nothing more.
    Silent,
    /// These bytes and no others, head and body; then the connection is closed.
    Raw,
    /// These bytes again and again, until the client has enough.
    RawEndless,
    /// One byte of its head, and nothing more, until the client leaves.
    OneByte,
}

/// 200 with a JSON body.
pub(crate) fn json(body: impl Into<Vec<u8>>) -> Answer {
    status(200).header("content-type", "application/json").body(body)
}

/// 200 with a CSV body.
pub(crate) fn csv(body: impl Into<Vec<u8>>) -> Answer {
    status(200).header("content-type", "text/csv").body(body)
}

/// A status with its usual reason, and nothing else.
pub(crate) fn status(status: u16) -> Answer {
    let usual = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    Answer {
        status,
        reason: usual.unwrap_or_default().into(),
        headers: Vec::new(),
        body: Vec::new(),
        delivery: Delivery::Whole,
    }
}

impl Answer {
    /// With that status, and everything else as it is.
    pub(crate) fn with_status(self, code: u16) -> Self {
        let Self { status, reason, .. } = status(code);
        Self { status, reason, ..self }
    }

    /// With that reason phrase.
    pub(crate) fn reason(self, reason: &str) -> Self {
        Self { reason: reason.into(), ..self }
    }

    /// With one more header. With a `content-length` of one's own, no other is added.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With that body.
    pub(crate) fn body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// The connection is reset before a byte of it was sent; the request was read.
    pub(crate) fn reset(self) -> Self {
        Self { delivery: Delivery::Reset, ..self }
    }

    /// The connection is reset after so many bytes of its body.
    pub(crate) fn reset_after(self, bytes: usize) -> Self {
        Self { delivery: Delivery::ResetAfter(bytes), ..self }
    }

    /// Slow loris: so many bytes of its body at a time, each after a pause by the clock of the machine.
    pub(crate) fn drip(self, bytes: usize, pause: Duration) -> Self {
        Self { delivery: Delivery::Drip(bytes.max(1), pause), ..self }
    }

    /// Its body is said so many times, as one.
    pub(crate) fn times(self, times: usize) -> Self {
        Self { delivery: Delivery::Times(times), ..self }
    }

    /// Its body is said again and again, in chunks, until the client has enough.
    pub(crate) fn endless(self) -> Self {
        Self { delivery: Delivery::Endless, ..self }
    }

    /// Nothing is ever said, and the connection stays.
    pub(crate) fn never(self) -> Self {
        Self { delivery: Delivery::Never, ..self }
    }

    /// The head is sent, the body never.
    pub(crate) fn silent(self) -> Self {
        Self { delivery: Delivery::Silent, ..self }
    }

    /// The bytes of its body are all that is said, status and headers among them; then the connection is closed.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { delivery: Delivery::Raw, ..status(200).body(bytes) }
    }

    /// These bytes are said without end: no head ever comes to its end, unless they have one.
    pub(crate) fn raw_endless(bytes: impl Into<Vec<u8>>) -> Self {
        Self { delivery: Delivery::RawEndless, ..status(200).body(bytes) }
    }

    /// One byte of the head comes, and no second one.
    pub(crate) fn one_byte(self) -> Self {
        Self { delivery: Delivery::OneByte, ..self }
    }
}
