use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use md5::Md5;
use sha2::{Digest as _, Sha256, Sha512};

use crate::ingest::settings::ChecksumAlgorithm;

/// Makes the digest of a file while it comes.
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Md5(Md5),
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    /// Of a file that has no byte yet.
    #[must_use]
    pub fn new(algorithm: ChecksumAlgorithm) -> Self {
        Self(match algorithm {
            ChecksumAlgorithm::Md5 => State::Md5(Md5::new()),
            ChecksumAlgorithm::Sha256 => State::Sha256(Sha256::new()),
            ChecksumAlgorithm::Sha512 => State::Sha512(Sha512::new()),
        })
    }

    /// Takes what comes next.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Md5(hash) => hash.update(bytes),
            State::Sha256(hash) => hash.update(bytes),
            State::Sha512(hash) => hash.update(bytes),
        }
    }

    /// The digest of all that it has taken.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(match self.0 {
            State::Md5(hash) => hash.finalize().to_vec(),
            State::Sha256(hash) => hash.finalize().to_vec(),
            State::Sha512(hash) => hash.finalize().to_vec(),
        })
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

/// The digest of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest(Vec<u8>);

impl Digest {
    /// Reads a digest as people and servers write it: in hexadecimal or base64, alone, behind the name of its algorithm
    /// (`sha256:…`, `SHA-256=…`), or as one of several (`Repr-Digest` of RFC 9530, `sha-256=:…:, sha-512=:…:`). `None` when it
    /// holds none of that algorithm.
    ///
    /// ```
    /// use rejoin::ingest::settings::ChecksumAlgorithm;
    /// use rejoin::ingest::transfer::{Digest, Hasher};
    ///
    /// let digest = Hasher::new(ChecksumAlgorithm::Md5).finish();
    /// let read = |text| Digest::parse(text, ChecksumAlgorithm::Md5);
    /// assert_eq!(read("D41D8CD98F00B204E9800998ECF8427E"), Some(digest.clone()));
    /// assert_eq!(read("sha-256=:AAAA:, md5=:1B2M2Y8AsgTpgAmY7PhCfg==:"), Some(digest));
    /// assert_eq!(read("crc32c=AAAAAA=="), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str, algorithm: ChecksumAlgorithm) -> Option<Self> {
        text.split(',').find_map(|one| {
            let one = one.trim();
            let named = one.split_once(['=', ':']).and_then(|(name, rest)| Some((algorithm_of(name)?, rest)));
            let digits = match named {
                Some((named, _)) if named != algorithm => return None,
                Some((_, rest)) => rest,
                None => one,
            };
            decode(digits.trim_matches([':', '"', ' ']), algorithm)
        })
    }
}

/// In hexadecimal.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn algorithm_of(name: &str) -> Option<ChecksumAlgorithm> {
    let name = name.trim().to_ascii_lowercase().replace('-', "");
    [ChecksumAlgorithm::Md5, ChecksumAlgorithm::Sha256, ChecksumAlgorithm::Sha512]
        .into_iter()
        .find(|algorithm| algorithm.name() == name)
}

fn decode(digits: &str, algorithm: ChecksumAlgorithm) -> Option<Digest> {
    let length = algorithm.bytes();
    if digits.len() == 2 * length {
        let pair = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        let is_hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        return is_hexadecimal.then(|| (0..length).map(|at| pair(2 * at)).collect::<Option<_>>())?.map(Digest);
    }
    let engines = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD];
    engines.iter().find_map(|engine| engine.decode(digits).ok()).filter(|bytes| bytes.len() == length).map(Digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_in_the_ways_in_which_it_is_written() {
        let mut hasher = Hasher::new(ChecksumAlgorithm::Sha256);
        hasher.update(b"ab");
        hasher.update(b"c");
        let digest = hasher.finish();
        let hexadecimal = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let base64 = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
        assert_eq!(digest.to_string(), hexadecimal);
        for text in [
            hexadecimal.to_owned(),
            hexadecimal.to_uppercase(),
            base64.to_owned(),
            base64.trim_end_matches('=').to_owned(),
            base64.replace('+', "-").replace('/', "_"),
            format!("sha256:{hexadecimal}"),
            format!("SHA-256={base64}"),
            format!("md5=:1B2M2Y8AsgTpgAmY7PhCfg==:, sha-256=:{base64}:"),
            format!("\"{hexadecimal}\""),
        ] {
            assert_eq!(Digest::parse(&text, ChecksumAlgorithm::Sha256).as_ref(), Some(&digest), "{text}");
        }
        for text in ["", "abc", &hexadecimal[2..], &format!("sha512:{hexadecimal}"), "ü"] {
            assert_eq!(Digest::parse(text, ChecksumAlgorithm::Sha256), None, "{text}");
        }
    }
}
