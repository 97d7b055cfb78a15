//! What is known of a repeatable request that comes.

use std::sync::Arc;

use futures_util::future::{Either, ready};
use parking_lot::RwLock;
use uuid::Uuid;

use super::content::{Content, Known, Unreadable};
use super::in_flight::{InFlight, InFlightMark, Running};
use super::repetition::Named;
use super::seal::{NONCE_BYTES, Secret};
use super::{AnswerAccount, AnswerShelf, Asked, KeptAnswer, RepeatName, Repetition};
use crate::document::ReplaySettings;
use crate::session::{Answer, AnswerRecord, AnswerScope, Clock, IdSource, Principal, SessionError, SessionHandle};

/// What is known of a repeatable request that comes.
#[derive(Debug)]
pub enum Recalled {
    /// Nothing: it may run.
    New(Box<Repetition>),
    /// It was answered, with this.
    Answered(KeptAnswer),
    /// It began, and the process died. It is not run again, because it may have changed more than its session.
    Unknown(Unfinished),
    /// It runs just now.
    InFlight,
    /// Another request has its name.
    Reused,
    /// Its number is not the next, which is this one.
    Expected(u64),
}

/// A request that began and was not answered, because the process died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfinished {
    /// The session that it named.
    pub session: Option<NamedSession>,
    /// The transaction that its statements were part of, or that it was to commit, where its end is remembered.
    pub transaction: Option<Uuid>,
}

/// The repeatable requests of one session manager: which of them run, and how those that come are received.
#[derive(Debug)]
pub struct Replays {
    in_flight: InFlight,
    settings: RwLock<ReplaySettings>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
}

/// The session that a request names, as its manager knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedSession {
    /// Its name.
    pub handle: SessionHandle,
    /// Whether it has ended.
    pub ended: bool,
}

impl Replays {
    /// Those of a manager of that clock and that source of random numbers.
    #[must_use]
    pub fn new(settings: ReplaySettings, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Self {
        Self { in_flight: InFlight::default(), settings: RwLock::new(settings), clock, ids }
    }

    /// Takes a changed configuration: for requests that come from now on.
    pub fn reconfigure(&self, settings: ReplaySettings) {
        *self.settings.write() = settings;
    }

    /// What is configured.
    #[must_use]
    pub fn settings(&self) -> ReplaySettings {
        *self.settings.read()
    }

    /// What is known of a request that comes. Nobody who asks for the same gets [`Recalled::New`] until that is dropped.
    pub fn recall(
        &self,
        asked: &Asked,
        session: Option<NamedSession>,
        owner: &Principal,
        shelf: &Arc<dyn AnswerShelf>,
    ) -> Answer<Result<Recalled, SessionError>> {
        let scope = asked.scope(session.map(|session| session.handle), owner);
        let request = Running { fingerprint: asked.fingerprint, sequence: asked.sequence() };
        let mark = match self.in_flight.enter(scope, request) {
            Ok(mark) => mark,
            Err(running) => return Either::Left(ready(Ok(beside(&running, request)))),
        };
        let named = match self.named(asked, scope, session) {
            Ok(named) => named,
            Err(error) => return Either::Left(ready(Err(error))),
        };
        let account = AnswerAccount::new(owner, asked.network);
        let repetition = self.repetition(mark, named, account, shelf);
        let now = self.clock.now();
        let decide = move |found: Result<Option<AnswerRecord>, SessionError>| {
            let record = found?.filter(|record| now < record.until);
            let content = record.map(|record| Content::read(record.content, &repetition.named.secret)).transpose();
            Ok(received(content.map_err(|Unreadable| SessionError::AnswerUnreadable)?, repetition, session))
        };
        // Only now: whoever was in flight before had remembered its answer when it left the table.
        match shelf.find(&scope) {
            Either::Left(found) => Either::Left(ready(decide(found.into_inner()))),
            Either::Right(found) => Either::Right(Box::pin(async move { decide(found.await) })),
        }
    }

    /// What a request is remembered by.
    fn named(&self, asked: &Asked, scope: AnswerScope, session: Option<NamedSession>) -> Result<Named, SessionError> {
        let secret = match (&asked.session, &asked.name) {
            (Some(id), _) => Secret::Id(id.clone()),
            (None, RepeatName::Key(key)) => Secret::Key(key.clone()),
            // Only in a session anything is counted.
            (None, RepeatName::Sequence(_)) => return Err(SessionError::NotFound),
        };
        let mut nonce = [0; NONCE_BYTES];
        self.ids.fill(&mut nonce)?;
        let session = session.map(|session| session.handle);
        Ok(Named { scope, session, sequence: asked.sequence(), fingerprint: asked.fingerprint, secret, nonce })
    }

    fn repetition(
        &self,
        mark: InFlightMark,
        named: Named,
        account: AnswerAccount,
        shelf: &Arc<dyn AnswerShelf>,
    ) -> Box<Repetition> {
        let settings = self.settings();
        Box::new(Repetition {
            _mark: mark,
            shelf: Arc::clone(shelf),
            clock: Arc::clone(&self.clock),
            account,
            retention: settings.retention,
            answer_bytes: usize::try_from(settings.answer_bytes).unwrap_or(usize::MAX),
            named,
        })
    }
}

/// How a request is received while another of its scope runs.
fn beside(running: &Running, request: Running) -> Recalled {
    let same = running.fingerprint == request.fingerprint;
    match (running.sequence, request.sequence) {
        (Some(running), Some(number)) if number < running || number > running.saturating_add(1) => {
            Recalled::Expected(running.saturating_add(1))
        }
        // The next comes too early.
        (Some(running), Some(number)) if number > running => Recalled::InFlight,
        _ if same => Recalled::InFlight,
        _ => Recalled::Reused,
    }
}

/// How a request is received when none of its scope runs.
fn received(known: Option<Content>, repetition: Box<Repetition>, session: Option<NamedSession>) -> Recalled {
    if let Some(number) = repetition.named.sequence {
        let last = known.as_ref().map_or(0, |known| known.sequence);
        if session.is_some_and(|session| session.ended) && (known.is_none() || number != last) {
            // Whoever joins it is told.
            return Recalled::New(repetition);
        }
        if number != last {
            let is_next = last.checked_add(1) == Some(number);
            return if is_next { Recalled::New(repetition) } else { Recalled::Expected(last.saturating_add(1)) };
        }
    }
    match known {
        None => Recalled::New(repetition),
        Some(known) if known.fingerprint != repetition.named.fingerprint => Recalled::Reused,
        Some(Content { known: Known::Answered(answer), .. }) => Recalled::Answered(answer),
        Some(Content { known: Known::Begun(transaction), .. }) => {
            Recalled::Unknown(Unfinished { session, transaction })
        }
    }
}
