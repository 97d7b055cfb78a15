//! The names of a session: the id, which is a secret, and the handle, which is not.

use std::fmt;
use std::hint::black_box;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// How many random bytes an id has.
pub(super) const ID_BYTES: usize = 32;

/// The length of an id as text: 32 bytes as base64url without padding.
pub const ID_LENGTH: usize = 43;

/// A session id: 256 random bits that the server issued. Who knows it and is the session's owner may join the session.
///
/// It is a secret. `Debug` shows nothing of it, there is no `Display`, and two ids are compared in constant time. The one way
/// to see it is [`SessionId::expose`], for the response and the carrier. In logs, lists and errors a session goes by its
/// [`SessionHandle`].
///
/// ```
/// use rejoin::session::SessionId;
///
/// let id = SessionId::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8").unwrap();
/// assert_eq!(format!("{id:?}"), "SessionId(…)");
/// assert_eq!(id.expose().as_str(), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
/// ```
#[derive(Clone)]
pub struct SessionId([u8; ID_BYTES]);

/// The text is no session id: it is not the base64url form, without padding, of 32 bytes.
///
/// The text itself is not repeated: it may be a mistyped secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a session id has {ID_LENGTH} characters of `A-Z`, `a-z`, `0-9`, `-` and `_`, as the service issued it")]
pub struct MalformedSessionId;

impl SessionId {
    /// An id of bytes that an id source made.
    #[must_use]
    pub(super) fn from_bytes(bytes: [u8; ID_BYTES]) -> Self {
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8; ID_BYTES] {
        &self.0
    }

    /// Reads the text form. There is exactly one for each id: padding, white space, other alphabets and set bits after the
    /// last byte are refused, so that two texts never name one session.
    ///
    /// # Errors
    ///
    /// [`MalformedSessionId`] when the text is anything else.
    pub fn parse(text: &str) -> Result<Self, MalformedSessionId> {
        if text.len() != ID_LENGTH {
            return Err(MalformedSessionId);
        }
        let mut bytes = [0; ID_BYTES];
        match URL_SAFE_NO_PAD.decode_slice_unchecked(text, &mut bytes) {
            Ok(ID_BYTES) => Ok(Self(bytes)),
            _ => Err(MalformedSessionId),
        }
    }

    /// The text form, for the one who may see it.
    #[must_use]
    pub fn expose(&self) -> ExposedId {
        ExposedId(URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(…)")
    }
}

impl PartialEq for SessionId {
    fn eq(&self, other: &Self) -> bool {
        equal_in_constant_time(&self.0, &other.0)
    }
}

impl Eq for SessionId {}

/// Compares without telling by its time where the first difference is.
pub(super) fn equal_in_constant_time(left: &[u8; 32], right: &[u8; 32]) -> bool {
    let difference = left.iter().zip(right).fold(0, |difference, (left, right)| difference | (left ^ right));
    black_box(difference) == 0
}

/// A session id made visible: what goes into a response, a header or a cookie, and nowhere else.
#[derive(Clone)]
pub struct ExposedId(String);

impl ExposedId {
    /// The id, 43 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExposedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ExposedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExposedId(…)")
    }
}

/// The public name of a session: a version 7 UUID. It gives no access, so it may stand in logs, lists and URLs; handles
/// sort by the time at which their sessions were created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionHandle(Uuid);

impl SessionHandle {
    /// A handle of that UUID, such as one that an operator names.
    #[must_use]
    pub fn new(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The UUID.
    #[must_use]
    pub fn uuid(self) -> Uuid {
        self.0
    }

    /// When the session was created, by the wall clock, to the millisecond: a UUID of version 7 begins with that.
    pub(super) fn created(self) -> DateTime<Utc> {
        let millis = i64::try_from(self.0.as_u128() >> 80).unwrap_or(0);
        DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::UNIX_EPOCH)
    }
}

impl fmt::Display for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    #[test]
    fn an_id_reads_what_it_shows() {
        // Behaviour 50: a fixed alphabet, 256 bits.
        let id = SessionId::parse(TEXT).unwrap();
        assert_eq!(id.expose().to_string(), TEXT);
        assert_eq!(id.as_bytes()[31], 31);
    }

    #[test]
    fn only_the_canonical_text_is_an_id() {
        // Behaviour 51: malformed ids are refused by their syntax, without a look-up.
        let wrong = [
            "",
            "AAEC",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH+8",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH/8",
            " AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh\u{e9}",
        ];
        for text in wrong {
            assert_eq!(SessionId::parse(text), Err(MalformedSessionId), "{text:?}");
        }
    }

    #[test]
    fn nothing_shows_an_id_by_accident() {
        // Behaviour 49.
        let id = SessionId::parse(TEXT).unwrap();
        for shown in [format!("{id:?}"), format!("{:?}", id.expose()), MalformedSessionId.to_string()] {
            assert!(!shown.contains("AAEC"), "{shown}");
        }
    }

    #[test]
    fn ids_that_differ_in_one_bit_differ() {
        let id = SessionId::from_bytes([7; 32]);
        assert_eq!(id, id.clone());
        for index in 0..32 {
            let mut bytes = [7; 32];
            bytes[index] ^= 0x80;
            assert_ne!(id, SessionId::from_bytes(bytes));
        }
    }
}
