//! How much is remembered beside the sessions, and what gives way when that is too much.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::AnswerAccount;
use crate::session::{AnswerScope, Moment};

/// How many answers that belong to no session one account has at the most, and how many bytes.
pub(super) const PER_ACCOUNT: Bounds = Bounds { answers: 10_000, bytes: 64 * 1024 * 1024 };

/// The same of all together.
pub(super) const IN_ALL: Bounds = Bounds { answers: 100_000, bytes: 512 * 1024 * 1024 };

/// How much there may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) answers: usize,
    pub(super) bytes: usize,
}

/// An account of the answers that belong to no session.
///
/// When somebody has too many, the oldest of those give way. When there are too many in all, the oldest of whoever has the most
/// bytes give way: nobody pushes out the answers of somebody who has few.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    entries: HashMap<AnswerScope, Entry>,
    accounts: HashMap<AnswerAccount, Account>,
    /// By their bytes and answers.
    by_size: BTreeSet<(usize, usize, AnswerAccount)>,
    /// By the moment at which they are forgotten.
    expiring: BTreeSet<(Moment, [u8; 32])>,
    bytes: usize,
    /// How many were entered.
    entered: u64,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    account: AnswerAccount,
    bytes: usize,
    until: Moment,
    /// How many were entered before.
    number: u64,
}

#[derive(Debug, Default)]
struct Account {
    /// The oldest first. What was forgotten before its turn, or entered again, still stands here.
    answers: VecDeque<(u64, AnswerScope)>,
    count: usize,
    bytes: usize,
}

impl Ledger {
    /// Enters an answer, and answers with those that have to give way for it.
    pub(super) fn enter(
        &mut self,
        account: AnswerAccount,
        scope: AnswerScope,
        bytes: usize,
        until: Moment,
        (each, all): (Bounds, Bounds),
    ) -> Vec<AnswerScope> {
        // One that is entered again, because its request has come to its end, is as young as that.
        self.strike(&scope);
        let number = self.entered;
        self.entered += 1;
        self.entries.insert(scope, Entry { account, bytes, until, number });
        self.expiring.insert((until, scope.0));
        self.bytes += bytes;
        self.change(account, |account| {
            account.answers.push_back((number, scope));
            account.count += 1;
            account.bytes += bytes;
        });
        let mut out = Vec::new();
        while self.accounts.get(&account).is_some_and(|account| exceeds(account.count, account.bytes, each)) {
            out.extend(self.forget_oldest_of(account));
        }
        while exceeds(self.entries.len(), self.bytes, all) {
            let Some((_, _, largest)) = self.by_size.last().copied() else { break };
            out.extend(self.forget_oldest_of(largest));
        }
        out
    }

    /// Changes an account, which is there for as long as it has answers.
    fn change(&mut self, name: AnswerAccount, change: impl FnOnce(&mut Account)) {
        let account = self.accounts.entry(name).or_default();
        self.by_size.remove(&(account.bytes, account.count, name));
        change(account);
        if account.count == 0 {
            self.accounts.remove(&name);
        } else {
            self.by_size.insert((account.bytes, account.count, name));
        }
    }

    /// Forgets what was kept for long enough, and answers with that.
    pub(super) fn expire(&mut self, now: Moment) -> Vec<AnswerScope> {
        let mut out = Vec::new();
        while let Some((until, scope)) = self.expiring.first().copied()
            && until <= now
        {
            let scope = AnswerScope(scope);
            if !self.strike(&scope) {
                self.expiring.pop_first();
            }
            out.push(scope);
        }
        out
    }

    fn forget_oldest_of(&mut self, account: AnswerAccount) -> Option<AnswerScope> {
        loop {
            let (number, scope) = self.accounts.get_mut(&account)?.answers.pop_front()?;
            if self.entries.get(&scope).is_some_and(|entry| entry.number == number) {
                self.strike(&scope);
                return Some(scope);
            }
        }
    }

    /// Takes one out, if it is there.
    fn strike(&mut self, scope: &AnswerScope) -> bool {
        let Some(Entry { account, bytes, until, .. }) = self.entries.remove(scope) else { return false };
        self.expiring.remove(&(until, scope.0));
        self.bytes -= bytes;
        let entries = std::mem::take(&mut self.entries);
        self.change(account, |account| {
            account.count -= 1;
            account.bytes -= bytes;
            if account.answers.len() > 2 * account.count + 16 {
                let is_there =
                    |(number, scope): &(u64, AnswerScope)| entries.get(scope).is_some_and(|it| it.number == *number);
                account.answers.retain(is_there);
            }
        });
        self.entries = entries;
        true
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.entries.len()
    }
}

fn exceeds(answers: usize, bytes: usize, bounds: Bounds) -> bool {
    answers > bounds.answers || (bytes > bounds.bytes && answers > 1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::session::Principal;

    const NEVER: Bounds = Bounds { answers: usize::MAX, bytes: usize::MAX };

    fn scope(number: u8) -> AnswerScope {
        AnswerScope([number; 32])
    }

    fn owner(name: &str) -> AnswerAccount {
        AnswerAccount::new(&Principal::new(name), None)
    }

    #[test]
    fn the_oldest_answers_of_a_principal_give_way_to_its_own() {
        let mut ledger = Ledger::default();
        let bounds = (Bounds { answers: 2, bytes: 100 }, NEVER);
        let mut enter = |number, bytes| ledger.enter(owner("a"), scope(number), bytes, Moment::NEVER, bounds);
        assert_eq!(enter(1, 10), []);
        assert_eq!(enter(2, 10), []);
        assert_eq!(enter(3, 10), [scope(1)]);
        assert_eq!(enter(4, 95), [scope(2), scope(3)]);
        // Entered again it is the youngest, and counted once.
        assert_eq!(enter(5, 1), []);
        assert_eq!(enter(4, 1), []);
        assert_eq!(enter(6, 1), [scope(5)]);
        // One that is larger than everything is kept all the same, alone.
        assert_eq!(enter(7, 1000), [scope(4), scope(6)]);
    }

    #[test]
    fn who_has_few_keeps_them_when_there_are_too_many_in_all() {
        let mut ledger = Ledger::default();
        let bounds = (NEVER, Bounds { answers: 3, bytes: usize::MAX });
        let mut enter = |who, number, bytes| ledger.enter(owner(who), scope(number), bytes, Moment::NEVER, bounds);
        assert_eq!(enter("few", 1, 5), []);
        assert_eq!(enter("many", 2, 4), []);
        assert_eq!(enter("many", 3, 4), []);
        assert_eq!(enter("many", 4, 4), [scope(2)]);
        assert_eq!(enter("few", 5, 1), [scope(3)]);
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let mut ledger = Ledger::default();
        let bounds = (NEVER, NEVER);
        let at = |seconds| Moment::ORIGIN.after(Duration::from_secs(seconds));
        for number in 1..=3 {
            let _ = ledger.enter(owner("a"), scope(number), 1, at(number.into()), bounds);
        }
        assert_eq!(ledger.expire(at(0)), []);
        assert_eq!(ledger.expire(at(2)), [scope(1), scope(2)]);
        assert_eq!((ledger.len(), ledger.bytes, ledger.accounts.len()), (1, 1, 1));
        assert_eq!(ledger.by_size.len(), 1);
        assert_eq!(ledger.expire(at(9)), [scope(3)]);
        assert_eq!((ledger.len(), ledger.bytes, ledger.accounts.len()), (0, 0, 0));
        assert!(ledger.by_size.is_empty());
    }
}
