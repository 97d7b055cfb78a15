//! Where ids come from.

use std::fmt;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::id::ID_BYTES;
use super::{SessionHandle, SessionId};

/// How much [`SystemIds`] asks the system for at once.
const POOL_BYTES: usize = 4096;

/// The system gave no random bytes. No session is made then: an id that can be guessed is worse than none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system's random number generator failed; no session id can be issued")]
pub struct RandomUnavailable;

/// A source of random bytes, and of the ids made from them.
pub trait IdSource: Send + Sync + fmt::Debug {
    /// Fills `bytes` with random bytes that nobody else gets.
    ///
    /// # Errors
    ///
    /// [`RandomUnavailable`] when there are none.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable>;

    /// A version 7 UUID of that time: a request id, for one.
    ///
    /// # Errors
    ///
    /// [`RandomUnavailable`] when there are no random bytes.
    fn uuid(&self, time: DateTime<Utc>) -> Result<Uuid, RandomUnavailable> {
        let mut random = [0; UUID_RANDOM_BYTES];
        self.fill(&mut random)?;
        Ok(uuid_v7(time, random))
    }
}

const UUID_RANDOM_BYTES: usize = 10;

fn uuid_v7(time: DateTime<Utc>, random: [u8; UUID_RANDOM_BYTES]) -> Uuid {
    let millis = u64::try_from(time.timestamp_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// A new session id and the handle that goes with it. They share no bits.
pub(super) fn new_names(
    ids: &dyn IdSource,
    time: DateTime<Utc>,
) -> Result<(SessionId, SessionHandle), RandomUnavailable> {
    let mut random = [0; ID_BYTES + UUID_RANDOM_BYTES];
    ids.fill(&mut random)?;
    let id = SessionId::from_bytes(std::array::from_fn(|index| random[index]));
    let handle = SessionHandle::new(uuid_v7(time, std::array::from_fn(|index| random[ID_BYTES + index])));
    Ok((id, handle))
}

/// A new id for a session that has its handle.
pub(super) fn new_id(ids: &dyn IdSource) -> Result<SessionId, RandomUnavailable> {
    let mut random = [0; ID_BYTES];
    ids.fill(&mut random)?;
    Ok(SessionId::from_bytes(random))
}

/// Random bytes of the operating system.
///
/// They are fetched by the page, because a system call costs more than all the rest of an implicit session. Bytes that were
/// handed out are erased here.
pub struct SystemIds {
    pool: Mutex<Pool>,
}

struct Pool {
    bytes: [u8; POOL_BYTES],
    /// What stands before this index was handed out.
    next: usize,
}

impl SystemIds {
    /// A source of its own.
    #[must_use]
    pub fn new() -> Self {
        Self { pool: Mutex::new(Pool { bytes: [0; POOL_BYTES], next: POOL_BYTES }) }
    }
}

impl Default for SystemIds {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SystemIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SystemIds")
    }
}

impl IdSource for SystemIds {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        if bytes.len() > POOL_BYTES {
            return getrandom::fill(bytes).map_err(|_| RandomUnavailable);
        }
        let mut pool = self.pool.lock();
        if POOL_BYTES - pool.next < bytes.len() {
            getrandom::fill(&mut pool.bytes).map_err(|_| RandomUnavailable)?;
            pool.next = 0;
        }
        let (from, to) = (pool.next, pool.next + bytes.len());
        bytes.copy_from_slice(&pool.bytes[from..to]);
        pool.bytes[from..to].fill(0);
        pool.next = to;
        Ok(())
    }
}

/// The same bytes in every run, for tests: whoever knows the seed knows all ids.
///
/// ```
/// use rejoin::session::{IdSource, SeededIds};
///
/// let (mut first, mut second) = ([0; 16], [0; 16]);
/// SeededIds::new(7).fill(&mut first)?;
/// SeededIds::new(7).fill(&mut second)?;
/// assert_eq!(first, second);
/// # Ok::<(), rejoin::session::RandomUnavailable>(())
/// ```
#[derive(Debug)]
pub struct SeededIds {
    seed: u64,
    drawn: Mutex<u64>,
}

impl SeededIds {
    /// The source of that seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, drawn: Mutex::new(0) }
    }
}

impl IdSource for SeededIds {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        let mut drawn = self.drawn.lock();
        for piece in bytes.chunks_mut(32) {
            *drawn += 1;
            let hash = Sha256::new().chain_update(self.seed.to_le_bytes()).chain_update(drawn.to_le_bytes()).finalize();
            piece.copy_from_slice(&hash[..piece.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_million_ids_are_all_different() {
        // Behaviour 50. The pool is refilled about ten thousand times.
        let ids = SystemIds::new();
        let mut seen = HashSet::new();
        for _ in 0..1_000_000 {
            assert!(seen.insert(*new_id(&ids).unwrap().as_bytes()));
        }
    }

    #[test]
    fn bytes_that_were_handed_out_are_erased() {
        let ids = SystemIds::new();
        let mut bytes = [0; 64];
        ids.fill(&mut bytes).unwrap();
        assert_ne!(bytes, [0; 64]);
        let pool = ids.pool.lock();
        assert_eq!(pool.bytes[..64], [0; 64]);
        assert_eq!(pool.next, 64);
    }

    #[test]
    fn more_than_a_page_is_filled_as_well() {
        let mut bytes = vec![0; POOL_BYTES + 1];
        SystemIds::new().fill(&mut bytes).unwrap();
        assert!(bytes[POOL_BYTES - 32..].iter().any(|byte| *byte != 0));
    }

    #[test]
    fn an_id_and_its_handle_share_no_bits() {
        // Behaviour 49: the handle is shown, so it must say nothing about the id. Behaviour 50: no time in the id.
        let time = DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_000);
        let (id, handle) = new_names(&SeededIds::new(1), time).unwrap();
        let tail = &handle.uuid().into_bytes()[9..];
        assert!(!id.as_bytes().windows(tail.len()).any(|window| window == tail));
        let (other, _) = new_names(&SeededIds::new(1), time + chrono::TimeDelta::days(1)).unwrap();
        assert_eq!(id, other);
    }

    #[test]
    fn a_handle_says_when_its_session_was_created() {
        let time = DateTime::UNIX_EPOCH + chrono::TimeDelta::milliseconds(1_767_225_600_123);
        let (_, handle) = new_names(&SeededIds::new(1), time).unwrap();
        assert_eq!(handle.created(), time);
    }

    #[test]
    fn handles_sort_by_time() {
        let ids = SystemIds::new();
        let time = DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_000);
        let earlier = ids.uuid(time).unwrap();
        let later = ids.uuid(time + chrono::TimeDelta::milliseconds(1)).unwrap();
        assert!(earlier < later);
        assert_eq!(earlier.get_version_num(), 7);
    }
}
