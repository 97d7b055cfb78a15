//! Remembered answers in the memory of the process.

use std::collections::{HashMap, VecDeque};

use super::AnswerAccount;
use super::ledger::{IN_ALL, Ledger, PER_ACCOUNT};
use crate::session::{AnswerRecord, AnswerScope, CountedAnswer, Moment, SessionHandle};

/// Remembered answers in the memory of the process.
///
/// Those that are kept with a session go with it, and of each session there are only the latest. The others are kept for their
/// time, but on one account not more than 10,000 or 64 MiB, and of all not more than 100,000 or 512 MiB: then the oldest give
/// way.
#[derive(Debug, Default)]
pub struct AnswerBook {
    answers: HashMap<AnswerScope, AnswerRecord>,
    sessions: HashMap<SessionHandle, OfSession>,
    /// The account of those that end by themselves.
    ledger: Ledger,
}

/// The answers that are kept with a session.
#[derive(Debug, Default)]
struct OfSession {
    /// The oldest first.
    latest: VecDeque<AnswerScope>,
    numbered: Option<AnswerScope>,
}

impl AnswerBook {
    /// What is remembered under a name at `now`.
    #[must_use]
    pub fn find(&self, scope: &AnswerScope, now: Moment) -> Option<AnswerRecord> {
        self.answers.get(scope).filter(|record| now < record.until).cloned()
    }

    /// Remembers an answer on that account, in place of what was remembered under its name. Of one session as many
    /// are kept as `answers`.
    pub fn keep(&mut self, account: AnswerAccount, record: AnswerRecord, answers: usize) {
        let scope = record.scope;
        let mut out = Vec::new();
        match record.session.filter(|_| record.until == Moment::NEVER) {
            None => {
                let bounds = (PER_ACCOUNT, IN_ALL);
                out = self.ledger.enter(account, scope, record.content.len(), record.until, bounds);
            }
            Some(session) if record.numbered => {
                self.sessions.entry(session).or_default().numbered = Some(scope);
            }
            Some(session) => {
                let latest = &mut self.sessions.entry(session).or_default().latest;
                latest.retain(|other| *other != scope);
                latest.push_back(scope);
                let surplus = latest.len().saturating_sub(answers);
                out.extend(latest.drain(..surplus));
            }
        }
        self.answers.insert(scope, record);
        for scope in out {
            self.answers.remove(&scope);
        }
    }

    /// Counts an answer that belongs to no session and is kept elsewhere. Answers with those that have to give way for it.
    #[must_use]
    pub fn count(&mut self, account: AnswerAccount, record: &AnswerRecord) -> Vec<AnswerScope> {
        self.ledger.enter(account, record.scope, record.content.len(), record.until, (PER_ACCOUNT, IN_ALL))
    }

    /// Counts answers that belong to no session and that a store has, the oldest first. Answers with those that have to give way.
    ///
    /// From where those came who did not say who they are is not known any more, so they are one account. It takes nothing more,
    /// and is bounded by what there may be in all: else whoever filled it would push out the others.
    #[must_use]
    pub fn restore(&mut self, answers: impl IntoIterator<Item = CountedAnswer>) -> Vec<AnswerScope> {
        let mut out = Vec::new();
        for CountedAnswer { scope, bytes, until } in answers {
            let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
            out.extend(self.ledger.enter(AnswerAccount::of(&scope), scope, bytes, until, (IN_ALL, IN_ALL)));
        }
        out
    }

    /// A session has ended: what is kept with it goes.
    pub fn forget_session(&mut self, session: SessionHandle) {
        let Some(of_session) = self.sessions.remove(&session) else { return };
        for scope in of_session.latest.into_iter().chain(of_session.numbered) {
            // The answer of the request that ended it is kept beyond it.
            if self.answers.get(&scope).is_some_and(|record| record.until == Moment::NEVER) {
                self.answers.remove(&scope);
            }
        }
    }

    /// Forgets what was kept for long enough.
    pub fn purge(&mut self, now: Moment) {
        for scope in self.ledger.expire(now) {
            self.answers.remove(&scope);
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;
    use crate::session::Principal;

    /// Of whoever does not say who it is.
    fn nobody() -> AnswerAccount {
        AnswerAccount::new(&Principal::anonymous(), None)
    }

    fn scope(number: u8) -> AnswerScope {
        AnswerScope([number; 32])
    }

    fn record(number: u8, session: Option<u128>) -> AnswerRecord {
        let session = session.map(|number| SessionHandle::new(Uuid::from_u128(number)));
        let until = Moment::NEVER;
        AnswerRecord { scope: scope(number), session, numbered: false, until, content: vec![number].into() }
    }

    fn known(book: &AnswerBook) -> Vec<u8> {
        (0..20).filter(|number| book.find(&scope(*number), Moment::ORIGIN).is_some()).collect()
    }

    #[test]
    fn of_a_session_the_latest_are_kept_and_its_last_number() {
        let mut book = AnswerBook::default();
        let who = nobody();
        book.keep(who, AnswerRecord { numbered: true, ..record(9, Some(1)) }, 2);
        for number in 1..=4 {
            book.keep(who, record(number, Some(1)), 2);
        }
        book.keep(who, record(5, Some(2)), 2);
        assert_eq!(known(&book), [3, 4, 5, 9]);
        // The same again takes the place of what was there.
        book.keep(who, record(3, Some(1)), 2);
        assert_eq!(known(&book), [3, 4, 5, 9]);
        book.forget_session(SessionHandle::new(Uuid::from_u128(1)));
        assert_eq!(known(&book), [5]);
    }

    #[test]
    fn none_are_kept_where_none_are_to_be() {
        let mut book = AnswerBook::default();
        book.keep(nobody(), record(1, Some(1)), 0);
        assert!(book.is_empty());
    }

    #[test]
    fn the_answer_that_ended_a_session_stays_for_its_time() {
        let mut book = AnswerBook::default();
        let who = nobody();
        let until = Moment::ORIGIN.after(Duration::from_secs(5));
        book.keep(who, record(1, Some(1)), 4);
        book.forget_session(SessionHandle::new(Uuid::from_u128(1)));
        book.keep(who, AnswerRecord { until, ..record(2, Some(1)) }, 4);
        assert_eq!(known(&book), [2]);
        assert!(book.find(&scope(2), until).is_none());
        book.purge(until);
        assert_eq!(book.len(), 0);
    }

    #[test]
    fn one_client_does_not_push_out_the_answers_of_the_others() {
        let mut book = AnswerBook::default();
        let from = |number: u8| {
            let network = std::net::IpAddr::from([192, 0, 2, number]).into();
            AnswerAccount::new(&Principal::anonymous(), Some(network))
        };
        let until = Moment::ORIGIN.after(Duration::from_secs(5));
        let answer = |number: u32| {
            let mut name = [0; 32];
            name[..4].copy_from_slice(&number.to_be_bytes());
            AnswerRecord { scope: AnswerScope(name), until, ..record(0, None) }
        };
        let kept = |book: &AnswerBook, number: u32| book.find(&answer(number).scope, Moment::ORIGIN).is_some();
        book.keep(from(1), answer(0), 4);
        for number in 1..=10_001 {
            book.keep(from(2), answer(number), 4);
        }
        assert!(kept(&book, 0));
        assert!(!kept(&book, 1), "its own give way");
        assert!(kept(&book, 10_001));
    }

    #[test]
    fn what_a_store_has_counts() {
        let mut book = AnswerBook::default();
        let until = Moment::ORIGIN.after(Duration::from_secs(5));
        let scope_of = |owner: u8, number: u32| {
            let mut name = [owner; 32];
            name[8..12].copy_from_slice(&number.to_be_bytes());
            AnswerScope(name)
        };
        let found = |owner, number| CountedAnswer { scope: scope_of(owner, number), bytes: 60 * 1024, until };
        // As many as there may be in all have their place, and more have not.
        let most = 512 * 1024 / 60;
        assert_eq!(book.restore((0..most).map(|number| found(1, number))), []);
        assert_eq!(book.restore([found(2, 0)]), [scope_of(1, 0)]);
        // Who comes now finds them there.
        let account = AnswerAccount::of(&scope_of(2, 0));
        let new = AnswerRecord { scope: scope_of(2, 1), content: vec![0; 60 * 1024].into(), until, ..record(0, None) };
        assert_eq!(book.count(account, &new), [scope_of(1, 1)]);
    }
}
