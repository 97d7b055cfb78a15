//! Joins and looks at sessions that may be in the store and not in the memory.

use std::sync::Arc;

use futures_util::future::Either;
use tokio::sync::oneshot;

use crate::session::resident::join::{Call, at_once};
use crate::session::resident::shared::Shared;
use crate::session::resident::slot::Slot;
use crate::session::{EndReason, Joining, Principal, SessionError, SessionId, SessionKey, StoreError};

impl Shared {
    /// A request comes to a session that is not in memory: it takes its place among those who come meanwhile.
    pub(in crate::session::resident) fn join_stored(self: &Arc<Self>, call: Call) -> Joining {
        let (told, joining) = oneshot::channel();
        let (shared, key) = (Arc::clone(self), SessionKey::of(&call.id));
        let wish = move |loaded: Result<Option<Arc<Slot>>, SessionError>| {
            let joining = match loaded.and_then(|slot| shared.owned(slot, &key, &call.who.principal)) {
                Ok(slot) => shared.join_slot(slot, call),
                Err(error) => at_once(Err(error)),
            };
            // If nobody waits any more, this gives back what was joined.
            drop(told.send(joining));
        };
        self.when_loaded(key, Box::new(wish));
        Either::Right(Box::pin(async move {
            match joining.await {
                Ok(joining) => joining.await,
                Err(_) => Err(nobody_looked()),
            }
        }))
    }

    /// A join that is refused. That a session has ended because an old id of it was used again is told when it is written.
    pub(in crate::session::resident) fn refused(self: &Arc<Self>, error: SessionError) -> Joining {
        let is_killed = matches!(error, SessionError::Ended { reason: EndReason::Killed, .. });
        if !is_killed || self.keeper.is_none() {
            return at_once(Err(error));
        }
        let shared = Arc::clone(self);
        Either::Right(Box::pin(async move {
            shared.written().await;
            Err(error)
        }))
    }

    /// Returns when all that has happened by now is written, or could not be. Answers whether it is.
    pub(in crate::session::resident) async fn written(&self) -> bool {
        match &self.keeper {
            Some(keeper) => keeper.scribe.flush().await,
            None => true,
        }
    }

    /// Looks at a session for its owner, wherever it is.
    ///
    /// # Errors
    ///
    /// As for a join.
    pub(in crate::session::resident) async fn look_at<T: Send + 'static>(
        self: &Arc<Self>,
        id: &SessionId,
        who: &Principal,
        look: impl Fn(&Shared, &Arc<Slot>, &SessionKey) -> Result<T, SessionError> + Send + 'static,
    ) -> Result<T, SessionError> {
        let key = SessionKey::of(id);
        let seen = self.find(&key, who, self.time()).and_then(|slot| look(self, &slot, &key));
        if !matches!(seen, Err(SessionError::NotFound)) || self.keeper.is_none() {
            return seen;
        }
        let (told, answer) = oneshot::channel();
        let (shared, who) = (Arc::clone(self), who.clone());
        let wish = move |loaded: Result<Option<Arc<Slot>>, SessionError>| {
            let slot = loaded.and_then(|slot| shared.owned(slot, &key, &who));
            drop(told.send(slot.and_then(|slot| look(&shared, &slot, &key))));
        };
        self.when_loaded(key, Box::new(wish));
        answer.await.unwrap_or_else(|_| Err(nobody_looked()))
    }

    /// A session that was found in the store, if it belongs to the one who asks. If none was, it may have ended meanwhile.
    fn owned(&self, loaded: Option<Arc<Slot>>, key: &SessionKey, who: &Principal) -> Result<Arc<Slot>, SessionError> {
        match loaded {
            Some(slot) if slot.owner == *who => Ok(slot),
            Some(_) => Err(SessionError::NotFound),
            None => self.find(key, who, self.time()),
        }
    }
}

fn nobody_looked() -> SessionError {
    StoreError::Failed { reason: "nobody has looked".into() }.into()
}
