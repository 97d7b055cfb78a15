//! What the clients know of all transfers.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use anyhow::{Result, ensure};

/// What each account has in the beginning.
pub(super) const CAPITAL: i64 = 1_000_000;

/// An account as its database has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) balance: i64,
    /// How often something was moved.
    pub(super) moves: i64,
}

/// What all transfers together should have come to.
#[derive(Debug)]
pub(super) struct Ledger {
    /// How many databases there are: with one, both accounts are in it.
    pub(super) databases: usize,
    pub(super) is_closing: AtomicBool,
    /// What the first account has lost and the second has won.
    pub(super) moved: AtomicI64,
    pub(super) transfers: AtomicU64,
    /// Of which the commit was not answered, and which turned out to be made.
    pub(super) found_made: AtomicU64,
    /// The same, and not made.
    pub(super) found_not_made: AtomicU64,
    /// Commits that were sent again, and were told the same.
    pub(super) told_again: AtomicU64,
    /// How often which fault was answered.
    pub(super) faults: Mutex<BTreeMap<String, u64>>,
    pub(super) broken_off: AtomicU64,
    /// Clients that dropped their connection in the middle of a request.
    pub(super) dropped: AtomicU64,
    pub(super) inspections: AtomicU64,
}

impl Ledger {
    pub(super) fn new(databases: usize) -> Self {
        Self {
            databases,
            is_closing: AtomicBool::new(false),
            moved: AtomicI64::new(0),
            transfers: AtomicU64::new(0),
            found_made: AtomicU64::new(0),
            found_not_made: AtomicU64::new(0),
            told_again: AtomicU64::new(0),
            faults: Mutex::default(),
            broken_off: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            inspections: AtomicU64::new(0),
        }
    }

    /// A request that was answered with a fault.
    pub(super) fn refused(&self, code: &str) {
        let mut faults = self.faults.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *faults.entry(code.to_owned()).or_default() += 1;
    }

    /// Which faults were answered, and how often.
    pub(super) fn told(&self) -> String {
        let faults = self.faults.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let each: Vec<String> = faults.iter().map(|(code, times)| format!("{code} {times}")).collect();
        each.join(", ")
    }

    /// A transfer that is made.
    pub(super) fn made(&self, amount: i64) {
        self.transfers.fetch_add(1, Ordering::Relaxed);
        self.moved.fetch_add(amount, Ordering::Relaxed);
    }

    /// Checks the accounts: their sum, and that every transfer was made once that is known to be made, and no other.
    pub(super) fn audit(&self, accounts: &[Account]) -> Result<String> {
        let sum: i64 = accounts.iter().map(|account| account.balance).sum();
        let [transfers, found_made, found_not_made, told_again, broken_off, dropped, inspections] = [
            &self.transfers,
            &self.found_made,
            &self.found_not_made,
            &self.told_again,
            &self.broken_off,
            &self.dropped,
            &self.inspections,
        ]
        .map(|count| count.load(Ordering::Relaxed));
        ensure!(sum == 2 * CAPITAL, "the sum is {sum} and should be {}: {accounts:?}", 2 * CAPITAL);
        let (count, moved) = (i64::try_from(transfers)?, self.moved.load(Ordering::Relaxed));
        let expected =
            [Account { balance: CAPITAL - moved, moves: count }, Account { balance: CAPITAL + moved, moves: count }];
        ensure!(accounts == expected, "the accounts are {accounts:?} and should be {expected:?}");
        ensure!(transfers > 0, "nothing was transferred");
        Ok(format!(
            "{transfers} transfers; of {} that were not answered {found_made} turned out to be made, and {told_again} were told the \
             same when they were sent again; {broken_off} requests broke \
             off, {dropped} were dropped by their clients; {inspections} times the sum was right meanwhile; faults: {}",
            found_made + found_not_made,
            self.told()
        ))
    }
}
