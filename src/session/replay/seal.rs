//! How the id of a new session is kept, without being kept.
//!
//! The id is a secret that the store does not have: only its hash is stored. The answer of a request that made a session, or
//! gave it a new id, has to tell that id again. So it is sealed with a pad that is made from what the client of the request has
//! and sends again: its key, or the id by which it came. A store without those says nothing about the id.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::session::SessionId;

/// How many random bytes go into a pad.
pub(super) const NONCE_BYTES: usize = 32;

/// A number that is used for one pad.
pub(super) type Nonce = [u8; NONCE_BYTES];

/// Seals an id, or opens what was sealed: HMAC-SHA256 of the nonce under the secret, put over the id bit by bit (a pad that is
/// used once, because the nonce is).
pub(super) fn pad(id: [u8; 32], secret: &[u8], nonce: &Nonce) -> [u8; 32] {
    // A key of any length will do.
    let Ok(mut pad) = Hmac::<Sha256>::new_from_slice(secret) else { return [0; 32] };
    pad.update(nonce);
    let pad: [u8; 32] = pad.finalize().into_bytes().into();
    std::array::from_fn(|index| id[index] ^ pad[index])
}

/// What only the client of a request has.
#[derive(Clone)]
pub(super) enum Secret {
    /// Its key.
    Key(super::IdempotencyKey),
    /// The id by which it came to its session.
    Id(SessionId),
}

impl Secret {
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Key(key) => key.as_bytes(),
            Self::Id(id) => id.as_bytes(),
        }
    }

    /// The id by which it came, if it came by one.
    pub(super) fn presented(&self) -> Option<&SessionId> {
        match self {
            Self::Key(_) => None,
            Self::Id(id) => Some(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_is_opened_by_the_same_secret_alone() {
        let id = [7; 32];
        let nonce = [9; NONCE_BYTES];
        let sealed = pad(id, b"key", &nonce);
        assert_ne!(sealed, id);
        assert_eq!(pad(sealed, b"key", &nonce), id);
        assert_ne!(pad(sealed, b"kez", &nonce), id);
        assert_ne!(pad(sealed, b"key", &[8; NONCE_BYTES]), id);
        // RFC 4231 keys are shorter and longer than a block; so may ours be.
        let long = [b'x'; 255];
        assert_eq!(pad(pad(id, &long, &nonce), &long, &nonce), id);
    }
}
