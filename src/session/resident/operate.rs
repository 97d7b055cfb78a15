//! What operators do: look, end, shut down.

use std::pin::pin;
use std::sync::Arc;

use bytestring::ByteString;
use futures_util::future::select;

use super::aftermath::Aftermath;
use super::kept::Listed;
use super::policy::EVICTION_GRACE;
use super::remains::Remains;
use super::shared::Shared;
use super::slot::{Slot, State, Visitor};
use super::sweep::pause;
use crate::block::Scalar;
use crate::session::clock::Time;
use crate::session::key::SessionKey;
use crate::session::{
    AttributeSnapshot, AttributeValue, EndProgress, EndReason, LABEL, LONGEST_LABEL, Principal, SessionDescription,
    SessionError, SessionFilter, SessionHandle, SessionId, SessionState, SessionStatus, StaticAttributes,
};

/// So many sessions are taken out of the index at once.
pub(super) const PAGE: usize = 256;

/// How often a store that fails is tried before the service stops without it.
const PATIENCE: u32 = 5;

impl Shared {
    pub(in crate::session) async fn describe(
        self: &Arc<Self>,
        id: &SessionId,
        who: &Principal,
    ) -> Result<SessionDescription, SessionError> {
        let look = |shared: &Self, slot: &Arc<Slot>, key: &SessionKey| {
            let mut aftermath = Aftermath::default();
            let visitor = Visitor { key, request: uuid::Uuid::nil(), time: shared.time() };
            let result = slot.look(visitor, &mut aftermath);
            shared.settle(slot, aftermath);
            result.map(Described::complete)
        };
        self.look_at(id, who, look).await
    }

    pub(in crate::session) async fn inspect(
        self: &Arc<Self>,
        handle: SessionHandle,
    ) -> Result<SessionDescription, SessionError> {
        let claimed = self.load_handle(handle).await?;
        let described =
            claimed.and_then(|claimed| claimed.slot.description(self.time())).ok_or(SessionError::NotFound)?;
        Ok(described.complete())
    }

    pub(in crate::session) async fn list(
        self: &Arc<Self>,
        filter: &SessionFilter,
    ) -> Result<Vec<SessionStatus>, SessionError> {
        let time = self.time();
        let mut found = Vec::new();
        let mut last = filter.after;
        loop {
            let page = self.some_listed(filter, last).await?;
            for session in page.sessions {
                if found.len() >= filter.limit.unwrap_or(usize::MAX) {
                    return Ok(found);
                }
                // What can be seen without waiting for the session is looked at first.
                let is_owners = |owner: &Principal| filter.owner.as_ref().is_none_or(|wanted| wanted == owner);
                let status = match session {
                    Listed::Here(slot) if is_owners(&slot.owner) => slot.status(time),
                    Listed::Stored(record) if is_owners(&record.owner) => self.status_of_stored(*record, time),
                    _ => None,
                };
                found.extend(status.filter(|session| filter.accepts(session)));
            }
            match page.next {
                Some(end) => last = Some(end),
                None => return Ok(found),
            }
            pause().await;
        }
    }

    /// Some sessions after a handle, or the one that is asked for.
    pub(super) fn page(&self, filter: &SessionFilter, last: Option<SessionHandle>) -> Vec<Arc<Slot>> {
        let handles = self.handles.lock();
        if let Some(handle) = filter.handle {
            return handles.sessions.get(handle).into_iter().cloned().collect();
        }
        handles.sessions.after(last).take(PAGE).cloned().collect()
    }

    pub(in crate::session) async fn end(
        self: &Arc<Self>,
        handle: SessionHandle,
        reason: EndReason,
    ) -> Result<EndProgress, SessionError> {
        let claimed = self.load_handle(handle).await?.ok_or(SessionError::NotFound)?;
        if self.keeper.is_some() && !claimed.slot.implicit {
            return self.end_kept(claimed, reason).await;
        }
        Ok(self.end_now(&claimed.slot, reason))
    }

    /// Ends a session in memory.
    pub(super) fn end_now(&self, slot: &Arc<Slot>, reason: EndReason) -> EndProgress {
        let mut aftermath = Aftermath::default();
        let closing = slot.end(reason, self.time(), &mut aftermath);
        self.settle(slot, aftermath);
        if closing { EndProgress::Closing } else { EndProgress::Closed }
    }

    pub(in crate::session) async fn drain(self: &Arc<Self>) {
        self.handles.lock().draining = true;
        let mut tries = 0;
        loop {
            let mut emptied = pin!(self.emptied.notified());
            emptied.as_mut().enable();
            let is_idle = self.drain_once();
            let left = self.handles.lock().sessions.len();
            let is_written = (!is_idle && left > 0) || self.written().await;
            if left == 0 && is_written {
                return self.note_time().await;
            }
            // Nobody is there any more, and the store does not take what has happened last.
            tries += u32::from(is_idle && !is_written);
            if tries == PATIENCE {
                tracing::error!(sessions = left, "the session store fails: when sessions were last used is lost");
                return;
            }
            // Whoever releases its session ends it; those who never do are looked after from time to time.
            let again = self.clock.sleep_until(self.clock.now().after(EVICTION_GRACE));
            select(emptied, again).await;
        }
    }

    /// Ends what nobody holds, or lets go of it if a store has it, and tells the others to end when they are released. Answers
    /// whether nobody holds any.
    fn drain_once(&self) -> bool {
        let everything = SessionFilter::default();
        let (mut last, mut is_idle) = (None, true);
        loop {
            let page = self.page(&everything, last);
            let Some(end) = page.last() else { break };
            last = Some(end.handle);
            for slot in &page {
                let mut aftermath = Aftermath::default();
                slot.drain(self.time(), &mut aftermath);
                self.settle(slot, aftermath);
                is_idle &= self.let_go(slot);
            }
        }
        self.sweep_rest(self.time());
        is_idle
    }
}

/// How many attributes a session has, static ones included.
fn attributes_of(own: &AttributeSnapshot, statics: &StaticAttributes) -> usize {
    own.count() + statics.iter().count() - own.hidden_by(statics).count()
}

/// A description that lacks what stands behind other mutexes than that of its session.
pub(super) struct Described {
    description: SessionDescription,
    remains: Option<Remains>,
}

impl Described {
    fn complete(self) -> SessionDescription {
        let Self { mut description, remains } = self;
        if let Some(remains) = remains {
            description.streams = remains.streams.list();
            description.asynchronous = remains.progress.map(|progress| progress.summary());
        }
        description
    }
}

impl Slot {
    /// How the session stands; `None` when it is over and only waits to be tidied up.
    pub(super) fn status(&self, time: Time) -> Option<SessionStatus> {
        let state = self.state();
        (!self.is_gone(&state, time)).then(|| self.status_of(&state, time))
    }

    /// The same with the attributes.
    fn description(&self, time: Time) -> Option<Described> {
        let state = self.state();
        (!self.is_gone(&state, time)).then(|| self.description_of(&state, time))
    }

    pub(super) fn description_of(&self, state: &State, time: Time) -> Described {
        let statics = &self.policy.rules.statics;
        let description = SessionDescription {
            status: self.status_of(state, time),
            attributes: state.attributes.summaries(statics),
            streams: Vec::new(),
            asynchronous: None,
        };
        Described { description, remains: state.remains.as_deref().cloned() }
    }

    /// Whether the session is over and only waits to be tidied up.
    fn is_gone(&self, state: &State, time: Time) -> bool {
        self.over(state, time.now).is_some() || (state.ended.is_some() && !state.lock.is_held())
    }

    fn status_of(&self, state: &State, time: Time) -> SessionStatus {
        let busy = if state.lock.is_held() { SessionState::Busy } else { SessionState::Available };
        let holder = state.lock.holder();
        SessionStatus {
            handle: self.handle,
            owner: self.owner.clone(),
            state: if state.ended.is_some() { SessionState::Closing } else { busy },
            implicit: self.implicit,
            label: label(state.attributes.get(LABEL)),
            created: self.handle.created(),
            released: if state.is_joined() { None } else { time.wall_at(state.released) },
            timeout: self.timeout,
            idle_expires: if state.is_joined() { None } else { time.wall_at(self.idle_deadline(state)) },
            lifetime_expires: time.wall_at(self.lifetime),
            fence: state.lock.fence(),
            waiters: state.lock.waiters(),
            readers: usize::try_from(state.readers).unwrap_or(usize::MAX),
            request: holder.and_then(|holder| holder.request),
            held_since: holder.and_then(|holder| time.wall_at(holder.since)),
            attributes: attributes_of(&state.attributes, &self.policy.rules.statics),
            bytes: state.attributes.byte_size(),
        }
    }
}

/// What the owner calls the session, by its attribute of that name.
pub(super) fn label(attribute: Option<&AttributeValue>) -> Option<ByteString> {
    match attribute? {
        AttributeValue::Scalar(Scalar::Text(text)) if (1..=LONGEST_LABEL).contains(&text.len()) => Some(text.clone()),
        _ => None,
    }
}
