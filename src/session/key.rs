//! What is stored in place of an id, and the map that finds sessions by it.

use std::fmt;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use sha2::{Digest, Sha256};

use super::SessionId;
use super::id::equal_in_constant_time;

/// The SHA-256 of a session id: all that is kept of it. Who reads the memory or the store of the service learns no id.
#[derive(Clone, Copy)]
pub struct SessionKey([u8; 32]);

impl SessionKey {
    /// The key of an id.
    #[must_use]
    pub fn of(id: &SessionId) -> Self {
        Self(Sha256::digest(id.as_bytes()).into())
    }

    /// The key that a store has kept.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes, for a store to keep.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A number to spread keys by: all bits of a hash are equally good.
    pub(super) fn spread(&self) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|index| self.0[index]))
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(…)")
    }
}

impl PartialEq for SessionKey {
    fn eq(&self, other: &Self) -> bool {
        equal_in_constant_time(&self.0, &other.0)
    }
}

impl Eq for SessionKey {}

impl Hash for SessionKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.spread());
    }
}

/// Takes the hash that a key already is. Only keys of ids that the service drew itself are ever put into a map, so nobody
/// can choose them to collide.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct KeyHasher(u64);

/// Makes [`KeyHasher`]s.
pub(super) type BuildKeyHasher = BuildHasherDefault<KeyHasher>;

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_hash_of_the_id_and_not_the_id() {
        // Behaviour 51: only the hash is stored. The expected value is SHA-256 of 32 zero bytes.
        let key = SessionKey::of(&SessionId::from_bytes([0; 32]));
        assert_eq!(key.0[..4], [0x66, 0x68, 0x7a, 0xad]);
        assert_eq!(key, SessionKey::of(&SessionId::from_bytes([0; 32])));
        assert_ne!(key, SessionKey::of(&SessionId::from_bytes([1; 32])));
    }
}
