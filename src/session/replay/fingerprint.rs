use std::fmt;

use sha2::{Digest, Sha256};

/// What a request asks for, as a hash: two requests of one fingerprint are the same request.
///
/// ```
/// use rejoin::session::Fingerprint;
///
/// let first = Fingerprint::of(&[b"<perform/>", b"table"]);
/// assert_eq!(first, Fingerprint::of(&[b"<perform/>", b"table"]));
/// assert_ne!(first, Fingerprint::of(&[b"<perform/>table", b""]));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of everything that makes a difference, part by part.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            // Where a part ends is hashed too, so that nothing moves from one to the next unseen.
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    pub(super) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(…)")
    }
}
