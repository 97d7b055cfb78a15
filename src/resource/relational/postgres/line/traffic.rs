//! What the driver has said, and what of it was answered.

/// The messages that the server answers by saying that it is ready for more: a simple query, and the end of a group of others.
const ASKING: [u8; 2] = *b"QS";

/// The messages of a group, which waits for its end: parse, bind, describe, execute, close, flush.
const GROUPED: [u8; 6] = *b"PBDECH";

/// What the driver has sent and received so far: whether it waits for an answer.
///
/// The driver says some things without to wait, that it needs a statement no more for example, so nobody else can tell.
#[derive(Debug)]
pub(super) struct Traffic {
    sent: Messages,
    received: Messages,
    /// How often the server still has to say that it is ready.
    owed: usize,
    /// Whether a group was begun, and its end was not sent.
    is_in_group: bool,
}

impl Traffic {
    /// Of a line on which nothing was said yet.
    pub(super) fn new() -> Self {
        // The first message has no tag, and is answered as well.
        Self { sent: Messages::begun_by(b'S'), received: Messages::default(), owed: 0, is_in_group: false }
    }

    /// The driver has sent so much.
    pub(super) fn note_sent(&mut self, bytes: &[u8]) {
        self.sent.follow(bytes, |tag| {
            if ASKING.contains(&tag) {
                (self.owed, self.is_in_group) = (self.owed + 1, false);
            } else if GROUPED.contains(&tag) {
                self.is_in_group = true;
            }
        });
    }

    /// The driver has received so much.
    pub(super) fn note_received(&mut self, bytes: &[u8]) {
        self.received.follow(bytes, |tag| match tag {
            // To what comes in copies the server answers once it has come: it overlooks the end of the group that began them.
            b'Z' | b'G' => self.owed = self.owed.saturating_sub(1),
            _ => {}
        });
    }

    /// Whether all is answered, and no message is on its way.
    pub(super) fn is_over(&self) -> bool {
        self.owed == 0 && !self.is_in_group && self.sent.is_at_boundary() && self.received.is_at_boundary()
    }
}

/// Finds messages in bytes that come piece by piece: a tag, the length of the rest with its own four bytes, the rest.
#[derive(Debug, Default)]
struct Messages {
    header: [u8; 5],
    /// How much of the header has come.
    filled: usize,
    /// How much of the body is still to come.
    rest: usize,
}

impl Messages {
    /// Messages of which the first has no tag; it is taken for one with this.
    fn begun_by(tag: u8) -> Self {
        Self { header: [tag, 0, 0, 0, 0], filled: 1, rest: 0 }
    }

    /// Goes on; `begun` gets the tag of each message of which the header has come.
    fn follow(&mut self, mut bytes: &[u8], mut begun: impl FnMut(u8)) {
        while !bytes.is_empty() {
            let body = self.rest.min(bytes.len());
            (self.rest, bytes) = (self.rest - body, &bytes[body..]);
            let header = (self.header.len() - self.filled).min(bytes.len());
            if self.rest > 0 || header == 0 {
                continue;
            }
            self.header[self.filled..self.filled + header].copy_from_slice(&bytes[..header]);
            (self.filled, bytes) = (self.filled + header, &bytes[header..]);
            if let [tag, a, b, c, d] = self.header
                && self.filled == self.header.len()
            {
                let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
                (self.filled, self.rest) = (0, length.saturating_sub(4));
                begun(tag);
            }
        }
    }

    fn is_at_boundary(&self) -> bool {
        self.filled == 0 && self.rest == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START_UP: &[u8] = b"\0\0\0\x09\0\x03\0\0\0";
    const READY: &[u8] = b"Z\0\0\0\x05I";

    /// A line of which the start was answered.
    fn started() -> Traffic {
        let mut traffic = Traffic::new();
        traffic.note_sent(START_UP);
        traffic.note_received(b"R\0\0\0\x08\0\0\0\0");
        assert!(!traffic.is_over());
        traffic.note_received(READY);
        assert!(traffic.is_over());
        traffic
    }

    #[test]
    fn what_the_driver_asks_is_over_once_the_server_is_ready() {
        let mut traffic = started();
        traffic.note_sent(b"Q\0\0\0\x05\0");
        assert!(!traffic.is_over());
        traffic.note_received(b"I\0\0\0\x04");
        assert!(!traffic.is_over());
        traffic.note_received(READY);
        assert!(traffic.is_over());
        // Two groups that are sent at once.
        traffic.note_sent(b"C\0\0\0\x07Sa\0S\0\0\0\x04C\0\0\0\x07Sb\0S\0\0\0\x04");
        traffic.note_received(b"3\0\0\0\x04Z\0\0\0\x05I3\0\0\0\x04");
        assert!(!traffic.is_over());
        traffic.note_received(READY);
        assert!(traffic.is_over());
    }

    #[test]
    fn messages_may_come_in_pieces_of_any_size() {
        let mut traffic = started();
        let sent = b"P\0\0\0\x0Aa\0SSQ\0S\0\0\0\x04";
        for byte in sent {
            traffic.note_sent(std::slice::from_ref(byte));
            assert!(!traffic.is_over());
        }
        let received = b"1\0\0\0\x04D\0\0\0\x08ZZZZZ\0\0\0\x05T";
        for (place, byte) in received.iter().enumerate() {
            traffic.note_received(std::slice::from_ref(byte));
            assert_eq!(traffic.is_over(), place + 1 == received.len());
        }
    }

    #[test]
    fn what_is_half_sent_is_not_over() {
        let mut traffic = started();
        for part in [&b"C"[..], b"\0\0\0\x07", b"Sa", b"\0", b"S\0\0\0\x04"] {
            traffic.note_sent(part);
            assert!(!traffic.is_over(), "its group has not ended, or was not answered");
        }
    }

    #[test]
    fn rows_that_are_copied_to_the_server_are_answered_once() {
        let mut traffic = started();
        traffic.note_sent(b"B\0\0\0\x04E\0\0\0\x04S\0\0\0\x04");
        traffic.note_received(b"2\0\0\0\x04G\0\0\0\x07\0\0\0");
        traffic.note_sent(b"d\0\0\0\x08SSQQc\0\0\0\x04S\0\0\0\x04");
        assert!(!traffic.is_over());
        traffic.note_received(b"C\0\0\0\x04Z\0\0\0\x05T");
        assert!(traffic.is_over());
    }
}
