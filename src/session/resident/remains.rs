//! What asynchronous requests leave in a session: their streams, and how far the last one has got. And how one is stopped.

use std::sync::Arc;

use super::aftermath::Aftermath;
use super::shared::Shared;
use super::slot::{Slot, State, Visitor};
use crate::session::key::SessionKey;
use crate::session::{Principal, RequestProgress, SessionError, SessionId, SessionStreams};

/// What asynchronous requests left in a session.
#[derive(Debug, Clone, Default)]
pub(super) struct Remains {
    pub(super) streams: Arc<SessionStreams>,
    /// Of the last one.
    pub(super) progress: Option<Arc<RequestProgress>>,
}

impl Shared {
    pub(in crate::session) async fn streams(
        self: &Arc<Self>,
        id: &SessionId,
        who: &Principal,
    ) -> Result<Arc<SessionStreams>, SessionError> {
        // A session without streams is not given a table for somebody who asks in vain.
        self.visit(id, who, |state, _| {
            state.remains.as_ref().map(|remains| Arc::clone(&remains.streams)).unwrap_or_default()
        })
        .await
    }

    pub(in crate::session) async fn interrupt(
        self: &Arc<Self>,
        id: &SessionId,
        who: &Principal,
    ) -> Result<bool, SessionError> {
        self.visit(id, who, |state, aftermath| {
            // Nothing stops any more what is being written.
            if state.saving || !state.lock.stop() {
                return false;
            }
            aftermath.wakers.extend(state.take_watchers());
            true
        })
        .await
    }

    /// Looks into a session on behalf of its owner.
    async fn visit<T: Send + 'static>(
        self: &Arc<Self>,
        id: &SessionId,
        who: &Principal,
        look: impl Fn(&mut State, &mut Aftermath) -> T + Send + 'static,
    ) -> Result<T, SessionError> {
        let look = move |shared: &Self, slot: &Arc<Slot>, key: &SessionKey| {
            let mut aftermath = Aftermath::default();
            let visitor = Visitor { key, request: uuid::Uuid::nil(), time: shared.time() };
            let result = slot.look_inside(visitor, &mut aftermath, &look);
            shared.settle(slot, aftermath);
            result
        };
        self.look_at(id, who, look).await
    }
}

impl Slot {
    pub(super) fn look_inside<T>(
        &self,
        visitor: Visitor<'_>,
        aftermath: &mut Aftermath,
        look: impl FnOnce(&mut State, &mut Aftermath) -> T,
    ) -> Result<T, SessionError> {
        let mut state = self.state();
        self.admit(&mut state, visitor, aftermath)?;
        Ok(look(&mut state, aftermath))
    }

    /// The streams of the session, to open some.
    pub(super) fn streams(&self) -> Arc<SessionStreams> {
        let mut state = self.state();
        if state.ended.is_some() {
            return Arc::new(SessionStreams::of_ended_session());
        }
        Arc::clone(&state.remains.get_or_insert_default().streams)
    }

    /// Keeps the progress of a request, in place of that of an earlier one.
    pub(super) fn report(&self, progress: Arc<RequestProgress>) {
        let mut state = self.state();
        if state.ended.is_none() {
            let earlier = state.remains.get_or_insert_default().progress.replace(progress);
            drop(state);
            drop(earlier);
        }
    }
}
