//! Hashes of passwords: argon2id, and bcrypt for files that `htpasswd -B` has made.

use std::fmt;

use argon2::password_hash::{self, PasswordHasher, PasswordVerifier, phc};
use argon2::{Argon2, Params};

use super::random::{NoRandomNumbers, random};

/// The longest password that is looked at, in bytes.
const LONGEST: usize = 1024;

/// What one check may cost: memory in KiB, and that times the passes over it.
const MOST_MEMORY: u32 = 1024 * 1024;
const MOST_WORK: u64 = 4 * MOST_MEMORY as u64;

/// The highest cost of bcrypt that is taken: a check takes some seconds at it, and doubles with each one more.
const MOST_COST: u32 = 16;

/// The hash of a password, with its salt and costs.
#[derive(Clone)]
pub(crate) enum PasswordHash {
    /// `$argon2id$v=19$m=…,t=…,p=…$salt$hash`
    Argon2id(Box<phc::PasswordHash>),
    /// `$2y$cost$salthash`, `$2b$…`
    Bcrypt(Box<str>),
}

/// Why a password can't be hashed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HashingError {
    /// There is no salt.
    #[error(transparent)]
    Random(#[from] NoRandomNumbers),
    /// It is too long, or there is no memory for it.
    #[error("the password can't be hashed: {0}")]
    Argon2(#[from] password_hash::Error),
}

impl PasswordHash {
    /// Reads a hash.
    ///
    /// # Errors
    ///
    /// What is wrong with it. The message does not repeat it: what stands there may be a password.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with("$argon2id$") {
            let hash = phc::PasswordHash::new(text).ok().filter(|hash| hash.salt.is_some() && hash.hash.is_some());
            let hash = hash.ok_or("an argon2id hash that is not complete")?;
            let params = Params::try_from(&hash).map_err(|_| "an argon2id hash with costs that can't be")?;
            let (memory, passes) = (params.m_cost(), params.t_cost());
            if memory > MOST_MEMORY || u64::from(memory) * u64::from(passes) > MOST_WORK {
                return Err(format!(
                    "an argon2id hash that costs too much to check: m={memory},t={passes}; m may be {MOST_MEMORY}, m times \
                     t {MOST_WORK}"
                ));
            }
            return Ok(Self::Argon2id(Box::new(hash)));
        }
        if text.starts_with("$2y$") || text.starts_with("$2b$") {
            let parts: bcrypt::HashParts = text.parse().map_err(|_| "a bcrypt hash that is not complete")?;
            let cost = parts.get_cost();
            if !(4..=MOST_COST).contains(&cost) {
                return Err(format!("a bcrypt hash of the cost {cost}; expected 4 to {MOST_COST}"));
            }
            return Ok(Self::Bcrypt(text.into()));
        }
        Err("expected the hash of a password: $argon2id$…, $2y$… or $2b$…; `rejoin user NAME` makes one".into())
    }

    /// Hashes a password with argon2id and a salt of its own.
    ///
    /// # Errors
    ///
    /// [`HashingError`]
    pub(crate) fn of(password: &str) -> Result<String, HashingError> {
        let salt: [u8; 16] = random()?;
        Ok(Argon2::default().hash_password_with_salt(password.as_bytes(), &salt)?.to_string())
    }

    /// Whether this is the hash of the password. It takes as long for a wrong one: tens of milliseconds, on this thread.
    pub(super) fn is_of(&self, password: &str) -> bool {
        match self {
            Self::Argon2id(hash) => Argon2::default().verify_password(password.as_bytes(), &**hash).is_ok(),
            Self::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
        }
    }

    /// Takes the time of a check where there is nothing to check against.
    pub(super) fn spend_time_on(password: &str) {
        // Nobody looks at the outcome.
        let _ = Argon2::default().hash_password_into(password.as_bytes(), b"nobody has this salt", &mut [0; 32]);
    }
}

/// Whether a text can be a password: what can't is refused unseen.
pub(crate) fn can_be_password(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST && !text.contains(char::is_control)
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_know_their_password_and_no_other() {
        let argon2id = PasswordHash::of("secret").unwrap();
        assert!(argon2id.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{argon2id}");
        assert_ne!(argon2id, PasswordHash::of("secret").unwrap(), "each has a salt of its own");
        let bcrypt = bcrypt::hash("secret", 4).unwrap();
        for hash in [argon2id, bcrypt.replacen("$2b$", "$2y$", 1), bcrypt] {
            let hash = PasswordHash::parse(&hash).unwrap();
            assert!(hash.is_of("secret"));
            assert!(!hash.is_of("Secret") && !hash.is_of(""));
            assert_eq!(format!("{hash:?}"), "PasswordHash(…)");
        }
    }

    #[test]
    fn what_is_no_hash_is_refused_and_not_repeated() {
        let salted = "$c2FsdHNhbHRzYWx0$";
        for wrong in [
            "secret".to_owned(),
            "$apr1$secret".into(),
            "$2a$04$secret".into(),
            "$2y$04$secret".into(),
            format!("$argon2id$v=19$m=19456,t=2,p=1{salted}"),
            "$argon2id$v=19$m=19456,t=2,p=1".into(),
            format!("$argon2id$v=19$m=1,t=2,p=1{salted}c2VjcmV0c2VjcmV0"),
            format!("$argon2id$v=19$m=4194304,t=1,p=1{salted}c2VjcmV0c2VjcmV0"),
            format!("$argon2id$v=19$m=1048576,t=5,p=1{salted}c2VjcmV0c2VjcmV0"),
            bcrypt::hash("secret", 4).unwrap().replace("$04$", "$31$"),
        ] {
            let message = PasswordHash::parse(&wrong).unwrap_err();
            assert!(!message.contains("secret") && !message.contains("c2V"), "{wrong}: {message}");
        }
    }

    #[test]
    fn a_password_has_no_control_characters_and_an_end() {
        assert!(can_be_password("pass wörd: 😀"));
        assert!(!can_be_password("") && !can_be_password("a\nb") && !can_be_password("a\0"));
        assert!(!can_be_password(&"a".repeat(LONGEST + 1)));
    }
}
