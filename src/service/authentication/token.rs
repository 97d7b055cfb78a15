//! Tokens, and their hashes.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::random::{NoRandomNumbers, random};

/// The SHA-256 of a token: all that is kept of it. A token is 256 random bits, so that nobody finds it by trying, and it needs
/// neither salt nor a slow hash.
///
/// Hashes are compared with `==` and looked up in a map. How long that takes may tell how much of the hash of what was sent is
/// right, but nobody can choose a token by the beginning of its hash.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of a token.
    pub(crate) fn of(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// Reads a hash: 64 hexadecimal digits.
    ///
    /// # Errors
    ///
    /// What is wrong with it. The message does not repeat it: what stands there may be a token.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            || "expected the SHA-256 of a token, 64 hexadecimal digits; `rejoin token NAME` makes one".to_owned();
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let mut hash = [0; 32];
        if pairs.len() != hash.len() || !rest.is_empty() {
            return Err(wrong());
        }
        for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
            *byte = (digit(*high).ok_or_else(wrong)? << 4) | digit(*low).ok_or_else(wrong)?;
        }
        Ok(Self(hash))
    }

    /// The hash as files have it.
    pub(crate) fn to_hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn digit(character: u8) -> Option<u8> {
    char::from(character).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// A new token: 256 random bits, as 43 characters of base64url.
///
/// # Errors
///
/// [`NoRandomNumbers`]
pub(crate) fn new_token() -> Result<String, NoRandomNumbers> {
    Ok(BASE64_URL_SAFE_NO_PAD.encode(random::<32>()?))
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_hash() {
        let token = new_token().unwrap();
        assert_eq!(token.len(), 43);
        assert_ne!(token, new_token().unwrap());
        let hash = TokenHash::of(&token);
        assert_eq!(TokenHash::parse(&hash.to_hex()).unwrap(), hash);
        assert_eq!(TokenHash::parse(&hash.to_hex().to_uppercase()).unwrap(), hash);
        assert_eq!(
            TokenHash::of("abc").to_hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "FIPS 180-2, appendix B.1"
        );
        assert_eq!(format!("{hash:?}"), "TokenHash(…)");
    }

    #[test]
    fn what_is_no_hash_is_refused_and_not_repeated() {
        let token = new_token().unwrap();
        for wrong in ["", "ab", &token, &"é".repeat(32), &"0".repeat(63), &"0".repeat(65), &"g".repeat(64)] {
            assert!(!TokenHash::parse(wrong).unwrap_err().contains(&token), "{wrong}");
        }
    }
}
