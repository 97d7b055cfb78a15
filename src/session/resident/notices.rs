//! What listeners are told, and what is counted.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::{Either, ready};

use super::shared::Shared;
use super::slot::Slot;
use crate::session::listener::tell;
use crate::session::{Joining, Participant, SessionError, SessionEvent, SessionListener, SessionStatistics};

impl Shared {
    /// Tells the listeners what happened to a session, each of them whatever the others do.
    pub(super) fn tell(&self, slot: &Slot, event: impl Fn(&dyn SessionListener, SessionEvent<'_>)) {
        let session = SessionEvent { handle: slot.handle, owner: &slot.owner, implicit: slot.implicit };
        self.notify(|listener| event(listener, session));
    }

    /// Tells the listeners, each of them whatever the others do.
    pub(super) fn notify(&self, event: impl Fn(&dyn SessionListener)) {
        tell(&self.listeners, event);
    }

    /// An answer to a join, of which the listeners hear if it is a refusal.
    pub(super) fn telling_denials(self: &Arc<Self>, joining: Joining, who: &Participant) -> Joining {
        if self.listeners.is_empty() {
            return joining;
        }
        match joining {
            Either::Left(answer) => {
                let answer = answer.into_inner();
                if let Err(error) = &answer {
                    self.deny(who, error);
                }
                Either::Left(ready(answer))
            }
            Either::Right(answer) => {
                let (shared, who) = (Arc::clone(self), who.clone());
                Either::Right(Box::pin(async move {
                    let answer = answer.await;
                    if let Err(error) = &answer {
                        shared.deny(&who, error);
                    }
                    answer
                }))
            }
        }
    }

    fn deny(&self, who: &Participant, error: &SessionError) {
        self.notify(|listener| listener.denied(who, error));
    }

    pub(in crate::session) fn statistics(&self) -> SessionStatistics {
        let (all, implicit) = {
            let handles = self.handles.lock();
            (handles.sessions.len() as u64, handles.implicit)
        };
        let tombstones = self.tombstones.lock().len() + self.implicit_tombstones.lock().len();
        let here = all.saturating_sub(implicit);
        let explicit = match &self.keeper {
            Some(_) => here.max(self.quotas.count() + self.closing.lock().len() as u64),
            None => here,
        };
        SessionStatistics {
            explicit,
            dormant: explicit - here,
            implicit,
            waiters: self.waiters.load(Ordering::Relaxed),
            tombstones: tombstones as u64,
            store: self.keeper.as_ref().map(super::kept::Keeper::statistics),
        }
    }
}
