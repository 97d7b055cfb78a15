//! Right answers, kept for a while: to check a password takes tens of milliseconds, and a client sends it with every request.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use super::Caller;
use super::random::{NoRandomNumbers, random};

/// For how long a right answer is remembered.
const KEPT: Duration = Duration::from_mins(5);

/// How many are, at the most.
const MOST: usize = 4096;

/// A key of this process, from which nothing outside of it can be found out.
#[derive(Clone, Copy)]
pub(super) struct ProcessKey([u8; 32]);

/// Who somebody says that he is, as a hash: name and password can't be told from it, as it is made with the key of the process.
///
/// The key stands in front, and the hash never leaves the process: nobody can make one longer. As nobody can foresee one
/// either, the time in which two are compared tells nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Claim([u8; 32]);

/// Claims that were found true. Who has one removed from a file of accounts drops the whole.
pub(super) struct Remembered {
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    by_claim: HashMap<Claim, (Caller, Instant)>,
    /// The oldest first. All are kept for the same time, so the oldest is the next that goes.
    in_order: VecDeque<Claim>,
}

impl ProcessKey {
    /// Draws a key.
    ///
    /// # Errors
    ///
    /// [`NoRandomNumbers`]
    pub(super) fn draw() -> Result<Self, NoRandomNumbers> {
        Ok(Self(random()?))
    }

    /// The claim of a name and a password.
    pub(super) fn claim(&self, name: &str, password: &str) -> Claim {
        let hash = Sha256::new()
            .chain_update(self.0)
            .chain_update(name.len().to_le_bytes())
            .chain_update(name)
            .chain_update(password);
        Claim(hash.finalize().into())
    }
}

impl Claim {
    /// A number that is always the same for the same claim, and that nobody outside can foresee.
    pub(super) fn spread(&self, below: usize) -> usize {
        let number = u64::from_le_bytes(std::array::from_fn(|index| self.0[index]));
        usize::try_from(number % (below.max(1) as u64)).unwrap_or(0)
    }
}

impl Remembered {
    pub(super) fn new() -> Self {
        Self { entries: Mutex::default() }
    }

    /// Who makes the claim, if it was found true not long ago.
    pub(super) fn get(&self, claim: &Claim, now: Instant) -> Option<Caller> {
        let entries = self.entries.lock();
        let (caller, until) = entries.by_claim.get(claim)?;
        (now < *until).then(|| caller.clone())
    }

    /// Remembers a claim that was found true.
    pub(super) fn put(&self, claim: Claim, caller: Caller, now: Instant) {
        let mut entries = self.entries.lock();
        if entries.by_claim.insert(claim, (caller, now + KEPT)).is_some() {
            entries.in_order.retain(|other| *other != claim);
        }
        entries.in_order.push_back(claim);
        while entries.in_order.len() > MOST {
            if let Some(oldest) = entries.in_order.pop_front() {
                entries.by_claim.remove(&oldest);
            }
        }
    }
}

impl fmt::Debug for ProcessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProcessKey(…)")
    }
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remembered").field("claims", &self.entries.lock().in_order.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Role;
    use crate::session::Principal;

    fn caller(id: &str) -> Caller {
        Caller { principal: Principal::new(id), role: Role::User }
    }

    #[test]
    fn a_claim_is_that_of_one_name_and_one_password_in_one_process() {
        let key = ProcessKey::draw().unwrap();
        assert!(key.claim("ada", "secret") == key.claim("ada", "secret"));
        assert!(key.claim("ada", "secret") != key.claim("adas", "ecret"));
        assert!(key.claim("ada", "secret") != ProcessKey::draw().unwrap().claim("ada", "secret"));
        assert!(key.claim("ada", "").spread(3) < 3 && key.claim("ada", "").spread(0) == 0);
    }

    #[test]
    fn a_right_answer_is_remembered_for_a_while() {
        let (key, remembered, now) = (ProcessKey::draw().unwrap(), Remembered::new(), Instant::now());
        let claim = key.claim("ada", "secret");
        assert_eq!(remembered.get(&claim, now), None);
        remembered.put(claim, caller("ada"), now);
        assert_eq!(remembered.get(&claim, now + KEPT / 2), Some(caller("ada")));
        assert_eq!(remembered.get(&key.claim("ada", "Secret"), now), None);
        assert_eq!(remembered.get(&claim, now + KEPT), None);
        remembered.put(claim, caller("ada"), now + KEPT);
        assert_eq!(remembered.get(&claim, now + KEPT), Some(caller("ada")));
    }

    #[test]
    fn no_more_are_remembered_than_may_be_and_the_oldest_goes_first() {
        let (key, remembered, now) = (ProcessKey::draw().unwrap(), Remembered::new(), Instant::now());
        let claim = |number: usize| key.claim(&number.to_string(), "secret");
        for number in 0..=MOST {
            remembered.put(claim(number), caller("x"), now);
        }
        assert_eq!(remembered.get(&claim(0), now), None);
        assert!(remembered.get(&claim(1), now).is_some() && remembered.get(&claim(MOST), now).is_some());
        let entries = remembered.entries.lock();
        assert_eq!((entries.by_claim.len(), entries.in_order.len()), (MOST, MOST));
    }
}
