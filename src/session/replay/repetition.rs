//! A repeatable request while it runs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::content::{Content, Known};
use super::in_flight::InFlightMark;
use super::seal::{Nonce, Secret};
use super::{Fingerprint, KeptAnswer, Remember};
use crate::session::{
    Answer, AnswerAccount, AnswerRecord, AnswerScope, Clock, Departure, Moment, SessionError, SessionHandle,
};

/// Where answers are remembered: what a session manager is to its repeatable requests.
pub trait AnswerShelf: Send + Sync {
    /// What is remembered under a name.
    fn find(&self, scope: &AnswerScope) -> Answer<Result<Option<AnswerRecord>, SessionError>>;

    /// Remembers something of a request on that account, apart from its release, as durably as a release would. If it is to be kept
    /// with a session that has ended, it is forgotten.
    fn keep(&self, account: AnswerAccount, record: AnswerRecord) -> Answer<Result<(), SessionError>>;
}

/// A repeatable request from its beginning to its end. While it is there, whoever sends the same request is told that it runs;
/// dropped without anything that was remembered, it leaves no trace, and the request may be sent again.
pub struct Repetition {
    pub(super) _mark: InFlightMark,
    pub(super) shelf: Arc<dyn AnswerShelf>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) account: AnswerAccount,
    /// How long an answer is kept that belongs to no session.
    pub(super) retention: Duration,
    pub(super) answer_bytes: usize,
    pub(super) named: Named,
}

/// What a request is remembered by.
#[derive(Clone)]
pub(super) struct Named {
    pub(super) scope: AnswerScope,
    pub(super) session: Option<SessionHandle>,
    pub(super) sequence: Option<u64>,
    pub(super) fingerprint: Fingerprint,
    pub(super) secret: Secret,
    pub(super) nonce: Nonce,
}

impl Named {
    fn content(&self, known: Known) -> Content {
        Content { fingerprint: self.fingerprint, sequence: self.sequence.unwrap_or(0), known }
    }
}

impl Repetition {
    /// The number of the request in its session, if its client counts.
    #[must_use]
    pub fn sequence(&self) -> Option<u64> {
        self.named.sequence
    }

    /// How many bytes an answer has at the most that is kept whole.
    #[must_use]
    pub fn answer_bytes(&self) -> usize {
        self.answer_bytes
    }

    /// The clock of the sessions.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// What the release of the request remembers. `answer` makes it, when it is known how the session stands after that.
    #[must_use]
    pub fn remember(&self, answer: impl FnOnce(&Departure) -> KeptAnswer + Send + 'static) -> Remember {
        let named = self.named.clone();
        Remember {
            scope: named.scope,
            session: named.session,
            account: self.account,
            until: self.until(),
            sequence: named.sequence,
            answer: Box::new(move |departure| {
                named.content(Known::Answered(answer(departure))).write(&named.secret, &named.nonce)
            }),
        }
    }

    /// Remembers that the request begins, before it changes anything that the session does not know of. Should the process die
    /// before the answer is remembered, this is found, and the request is not run again. What it does in a
    /// transaction, or with one, is told by the end of that, so it is noted with it.
    ///
    /// # Errors
    ///
    /// [`SessionError`] when that can't be remembered: then the request must not run.
    pub fn begins(&self, transaction: Option<Uuid>) -> BoxFuture<'static, Result<(), SessionError>> {
        self.keep_content(Known::Begun(transaction))
    }

    /// Remembers an answer apart from the release.
    ///
    /// # Errors
    ///
    /// [`SessionError`] when it can't be remembered.
    pub fn keep(&self, answer: KeptAnswer) -> BoxFuture<'static, Result<(), SessionError>> {
        self.keep_content(Known::Answered(answer))
    }

    fn keep_content(&self, known: Known) -> BoxFuture<'static, Result<(), SessionError>> {
        let named = &self.named;
        let record = AnswerRecord {
            scope: named.scope,
            session: named.session,
            numbered: named.sequence.is_some(),
            until: self.until(),
            content: named.content(known).write(&named.secret, &named.nonce),
        };
        Box::pin(self.shelf.keep(self.account, record))
    }

    /// What is kept with a session goes with it, and not before.
    fn until(&self) -> Moment {
        match self.named.session {
            Some(_) => Moment::NEVER,
            None => self.clock.now().after(self.retention),
        }
    }
}

impl fmt::Debug for Repetition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repetition")
            .field("session", &self.named.session)
            .field("sequence", &self.named.sequence)
            .finish_non_exhaustive()
    }
}
