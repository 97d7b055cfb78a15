//! Repeatable requests: what is known of one that comes, and what is remembered of one that leaves.

use std::sync::Arc;

use futures_util::future::{Either, ready};

use super::shared::Shared;
use super::slot::Slot;
use crate::session::key::SessionKey;
use crate::session::{
    Answer, AnswerRecord, AnswerScope, AnswerShelf, Asked, Departure, Moment, NamedSession, Principal, Recalled,
    Remember, SessionError, SessionId,
};

impl Shared {
    /// What is known of a repeatable request.
    pub(super) fn recall(self: &Arc<Self>, asked: Asked, who: &Principal) -> Answer<Result<Recalled, SessionError>> {
        let session = match asked.session.as_ref().map(|id| self.named_by(id, who)).transpose() {
            Ok(session) => session,
            Err(error) => return Either::Left(ready(Err(error))),
        };
        self.replays.recall(asked, session, who, Arc::clone(self) as Arc<dyn AnswerShelf>)
    }

    /// The session that an id names, whether it has ended or not.
    fn named_by(&self, id: &SessionId, who: &Principal) -> Result<NamedSession, SessionError> {
        let key = SessionKey::of(id);
        match self.visit(id, who, |_, _| ()) {
            Ok(()) => {
                let slot = self.keys.find(&key).ok_or(SessionError::NotFound)?;
                Ok(NamedSession { handle: slot.handle, ended: false })
            }
            Err(error @ SessionError::Ended { .. }) => {
                let handle = self.handle_of_ended(&key, who, self.time()).ok_or(error)?;
                Ok(NamedSession { handle, ended: true })
            }
            Err(error) => Err(error),
        }
    }

    /// Remembers the answer of a request that has just left a session.
    pub(super) fn remember(&self, slot: &Slot, remember: Remember, departure: &Departure) {
        let mut record = remember.record(departure);
        if departure.ended.is_some() && record.session.is_some() {
            // As long as the end of the session.
            record.until = self.time().now.after(slot.policy.settings.retention);
        }
        self.put(&slot.owner, record);
    }

    fn put(&self, owner: &Principal, record: AnswerRecord) {
        let session = record.session.filter(|_| record.until == Moment::NEVER);
        let answers = usize::try_from(self.replays.settings().answers).unwrap_or(usize::MAX);
        self.answers.lock().keep(owner, record, answers);
        // Whoever ends it after this look forgets what was put there before.
        if let Some(session) = session.filter(|session| !self.is_there(*session)) {
            self.answers.lock().forget_session(session);
        }
    }

    fn is_there(&self, session: crate::session::SessionHandle) -> bool {
        let slot = self.handles.lock().sessions.get(session).cloned();
        slot.is_some_and(|slot| !slot.has_ended())
    }
}

impl AnswerShelf for Shared {
    fn find(&self, scope: &AnswerScope) -> Answer<Result<Option<AnswerRecord>, SessionError>> {
        Either::Left(ready(Ok(self.answers.lock().find(scope, self.time().now))))
    }

    fn keep(&self, owner: &Principal, record: AnswerRecord) -> Answer<Result<(), SessionError>> {
        self.put(owner, record);
        Either::Left(ready(Ok(())))
    }
}
