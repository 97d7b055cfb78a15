//! What names a repeatable request.

use std::fmt;

use sha2::{Digest, Sha256};

use super::account::owner_of;
use super::{ClientNetwork, Fingerprint};
use crate::session::{AnswerScope, Principal, SessionHandle, SessionId};

/// The key that a client gave a request, and gives it again when it sends it again.
///
/// Who knows the key of a request that made a session, and may speak for its client, gets the id of that session. So it is
/// not shown.
///
/// ```
/// use rejoin::session::IdempotencyKey;
///
/// let key = IdempotencyKey::new("8e03978e-40d5-43e8-bc93-6894a57f9324")?;
/// assert_eq!(format!("{key:?}"), "IdempotencyKey(…)");
/// assert!(IdempotencyKey::new("").is_err());
/// # Ok::<(), rejoin::session::MalformedKey>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyKey(Box<str>);

/// The text is no key. The text itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key has 1 to {LONGEST_KEY} characters of printable ASCII: take a UUID")]
pub struct MalformedKey;

/// How many characters a key has at the most.
const LONGEST_KEY: usize = 255;

impl IdempotencyKey {
    /// A key.
    ///
    /// # Errors
    ///
    /// [`MalformedKey`] when it has no character, more than 255, or one that is not printable ASCII.
    pub fn new(key: &str) -> Result<Self, MalformedKey> {
        let is_key = (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if is_key { Ok(Self(key.into())) } else { Err(MalformedKey) }
    }

    /// How many characters it has.
    #[must_use]
    pub fn length(&self) -> usize {
        self.0.len()
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencyKey(…)")
    }
}

/// By what a client names a request that it may send again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepeatName {
    /// By a key, that means the same in its session, or for its principal where it names none.
    Key(IdempotencyKey),
    /// By a number in its session. The first is 1.
    Sequence(u64),
}

/// A repeatable request that has come.
#[derive(Debug, Clone)]
pub struct Asked {
    /// By what its client names it.
    pub name: RepeatName,
    /// The id by which it names its session; without one it belongs to its principal alone.
    pub session: Option<SessionId>,
    /// What it asks for.
    pub fingerprint: Fingerprint,
    /// From where it comes, if that is known: of those who don't say who they are, the answers of each network are counted apart.
    pub network: Option<ClientNetwork>,
}

impl Asked {
    /// The number of the request, if its client counts.
    pub(super) fn sequence(&self) -> Option<u64> {
        match self.name {
            RepeatName::Key(_) => None,
            RepeatName::Sequence(number) => Some(number),
        }
    }

    /// Under which name its answer is remembered. All requests that are numbered in one session share one. It begins with what
    /// tells whose it is, so that answers can be counted of which there is nothing but the name.
    pub(in crate::session) fn scope(&self, session: Option<SessionHandle>, principal: &Principal) -> AnswerScope {
        let (kind, key): (&[u8], &[u8]) = match &self.name {
            RepeatName::Key(key) => (b"key", key.as_bytes()),
            RepeatName::Sequence(_) => (b"sequence", b""),
        };
        let session = session.map(SessionHandle::uuid);
        let parts: [&[u8]; 5] = [
            kind,
            if principal.id().is_some() { b"principal" } else { b"anonymous" },
            principal.id().unwrap_or_default().as_bytes(),
            session.as_ref().map_or(&[], |session| session.as_bytes()),
            key,
        ];
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let (owner, hash): (_, [u8; 32]) = (owner_of(principal), hash.finalize().into());
        AnswerScope(std::array::from_fn(|index| owner.get(index).copied().unwrap_or(hash[index])))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn asked(name: RepeatName) -> Asked {
        Asked { name, session: None, fingerprint: Fingerprint::of(&[]), network: None }
    }

    fn key(text: &str) -> RepeatName {
        RepeatName::Key(IdempotencyKey::new(text).unwrap())
    }

    #[test]
    fn a_key_means_something_to_one_principal_in_one_session() {
        // Behaviour 57.
        let session = |number| Some(SessionHandle::new(Uuid::from_u128(number)));
        let (ada, carl) = (Principal::new("ada"), Principal::new("carl"));
        let scopes = [
            asked(key("k")).scope(None, &ada),
            asked(key("k")).scope(None, &carl),
            asked(key("k")).scope(None, &Principal::anonymous()),
            asked(key("k")).scope(None, &Principal::new("")),
            asked(key("l")).scope(None, &ada),
            asked(key("k")).scope(session(1), &ada),
            asked(key("k")).scope(session(2), &ada),
            asked(RepeatName::Sequence(1)).scope(session(1), &ada),
        ];
        for (index, scope) in scopes.iter().enumerate() {
            assert!(!scopes[..index].contains(scope), "{index}");
        }
        let numbered = asked(RepeatName::Sequence(2)).scope(session(1), &ada);
        assert_eq!(numbered, scopes[7], "the numbers of a session share one");
    }

    #[test]
    fn a_key_is_printable_and_not_too_long() {
        for text in ["a", " ", "~", &"x".repeat(LONGEST_KEY)] {
            assert!(IdempotencyKey::new(text).is_ok(), "{text}");
        }
        for text in ["", "\t", "é", "\u{7f}", &"x".repeat(LONGEST_KEY + 1)] {
            assert_eq!(IdempotencyKey::new(text), Err(MalformedKey), "{text}");
        }
    }
}
