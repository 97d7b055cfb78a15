//! Repeatable requests: what is known of one that comes, and what is remembered of one that leaves.

use std::sync::Arc;

use futures_util::future::{Either, ready};

use super::aftermath::Aftermath;
use super::shared::Shared;
use super::slot::{Slot, Visitor};
use crate::session::key::SessionKey;
use crate::session::{
    Answer, AnswerAccount, AnswerRecord, AnswerScope, AnswerShelf, Asked, CountedAnswer, Departure, EndReason, Moment,
    NamedSession, Principal, Recalled, Remember, SessionError, SessionHandle, SessionId,
};

impl Shared {
    /// What is known of a repeatable request.
    pub(in crate::session) fn recall(
        self: &Arc<Self>,
        asked: Asked,
        who: &Principal,
    ) -> Answer<Result<Recalled, SessionError>> {
        let shelf = Arc::clone(self) as Arc<dyn AnswerShelf>;
        let Some(id) = asked.session.clone() else { return self.replays.recall(&asked, None, who, &shelf) };
        let (shared, who) = (Arc::clone(self), who.clone());
        Either::Right(Box::pin(async move {
            let session = shared.named_by(&id, &who).await?;
            shared.replays.recall(&asked, Some(session), &who, &shelf).await
        }))
    }

    /// The session that an id names, whether it has ended or not.
    async fn named_by(self: &Arc<Self>, id: &SessionId, who: &Principal) -> Result<NamedSession, SessionError> {
        let look = |shared: &Self, slot: &Arc<Slot>, key: &SessionKey| {
            let mut aftermath = Aftermath::default();
            let visitor = Visitor { key, request: uuid::Uuid::nil(), time: shared.time() };
            let seen = slot.look_inside(visitor, &mut aftermath, |_, _| slot.handle);
            shared.settle(slot, aftermath);
            seen
        };
        match self.look_at(id, who, look).await {
            Ok(handle) => Ok(NamedSession { handle, ended: false }),
            Err(error @ SessionError::Ended { reason, .. }) => {
                if reason == EndReason::Killed {
                    // It may have ended by this look, because the id was out of date: then nothing is told of it any more.
                    self.written().await;
                }
                let handle = self.handle_of_ended(&SessionKey::of(id), who, self.time()).ok_or(error)?;
                Ok(NamedSession { handle, ended: true })
            }
            Err(error) => Err(error),
        }
    }

    /// Remembers the answer of a request that has just left a session.
    pub(super) fn remember(&self, slot: &Slot, remember: Remember, departure: &Departure) {
        let account = remember.account;
        let mut record = remember.record(departure);
        if departure.ended.is_some() && record.session.is_some() {
            // As long as the end of the session.
            record.until = self.time().now.after(slot.policy.settings.retention);
        }
        self.put(account, record);
    }

    /// Counts an answer that a store is about to remember. Those that have to give way for it are forgotten there.
    pub(super) fn account(&self, account: AnswerAccount, record: &AnswerRecord) {
        if record.session.is_none() && self.keeper.is_some() {
            let out = self.answers.lock().count(account, record);
            self.forget_answers(out);
        }
    }

    /// Counts the answers that the store had when it was opened.
    pub(super) fn restore_answers(&self, answers: Vec<CountedAnswer>) {
        let out = self.answers.lock().restore(answers);
        self.forget_answers(out);
    }

    fn forget_answers(&self, scopes: Vec<AnswerScope>) {
        if let Some(keeper) = &self.keeper {
            for scope in scopes {
                keeper.forget(scope);
            }
        }
    }

    fn put(&self, account: AnswerAccount, record: AnswerRecord) {
        let session = record.session.filter(|_| record.until == Moment::NEVER);
        let answers = usize::try_from(self.replays.settings().answers).unwrap_or(usize::MAX);
        self.answers.lock().keep(account, record, answers);
        // Whoever ends it after this look forgets what was put there before.
        if let Some(session) = session.filter(|session| !self.is_there(*session)) {
            self.answers.lock().forget_session(session);
        }
    }

    fn is_there(&self, session: SessionHandle) -> bool {
        let slot = self.handles.lock().sessions.get(session).cloned();
        slot.is_some_and(|slot| !slot.has_ended())
    }
}

impl AnswerShelf for Shared {
    fn find(&self, scope: &AnswerScope) -> Answer<Result<Option<AnswerRecord>, SessionError>> {
        match &self.keeper {
            Some(keeper) => Either::Right(keeper.answer(*scope)),
            None => Either::Left(ready(Ok(self.answers.lock().find(scope, self.time().now)))),
        }
    }

    fn keep(&self, account: AnswerAccount, record: AnswerRecord) -> Answer<Result<(), SessionError>> {
        let Some(keeper) = &self.keeper else {
            self.put(account, record);
            return Either::Left(ready(Ok(())));
        };
        self.account(account, &record);
        Either::Right(keeper.remember(record, self.replays.settings().answers))
    }
}
