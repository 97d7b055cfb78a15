//! Joins: from a requirement to a guard.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{Either, ready};
use uuid::Uuid;

use super::aftermath::Aftermath;
use super::checkpoints::Holding;
use super::participation::{Detached, Part};
use super::shared::Shared;
use super::slot::{Entry, Grant, Slot, Visitor};
use super::waiting::Place;
use crate::document::TimeoutWish;
use crate::session::clock::Time;
use crate::session::key::SessionKey;
use crate::session::random::new_id;
use crate::session::{
    Access, AttributeSnapshot, EndReason, Joined, Joining, Moment, Participant, Principal, SessionAttributes,
    SessionError, SessionHandle, SessionId, SessionInfo, SessionRequirement,
};

/// What a request does with the session that it joins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Purpose {
    pub(super) created: bool,
    pub(super) access: Access,
    /// Whether the session gets a new id.
    pub(super) rotate: bool,
    /// Why the session ends with the request, if it does.
    pub(super) ends: Option<EndReason>,
}

/// A request that comes to a session.
#[derive(Debug)]
pub(super) struct Arrival {
    /// By which id, or by which new one.
    pub(super) id: SessionId,
    pub(super) request: Uuid,
    pub(super) purpose: Purpose,
    /// When it came.
    pub(super) at: Moment,
}

/// What a request asks for that wants to come to a session.
pub(super) struct Call {
    pub(super) id: SessionId,
    pub(super) wait: Option<Duration>,
    pub(super) purpose: Purpose,
    pub(super) who: Participant,
    /// When it came.
    pub(super) at: Moment,
}

impl Purpose {
    const WORK: Self = Self { created: false, access: Access::Exclusive, rotate: false, ends: None };
}

impl Shared {
    pub(super) fn join(self: &Arc<Self>, requirement: SessionRequirement, who: &Participant) -> Joining {
        if !matches!(requirement, SessionRequirement::Implicit { .. }) && !self.explicit.load(Ordering::Relaxed) {
            return at_once(Err(SessionError::Disabled));
        }
        match requirement {
            SessionRequirement::Implicit { reachable } => at_once(self.create_implicit(reachable, who)),
            SessionRequirement::Create { timeout } => self.create_when_there_is_room(timeout, who),
            SessionRequirement::Join { id, wait, access, rotate } => {
                self.join_existing(id, wait, Purpose { access, rotate, ..Purpose::WORK }, who)
            }
            SessionRequirement::Terminate { id, wait, activities } => {
                let purpose = Purpose { ends: Some(EndReason::Terminated), ..Purpose::WORK };
                let joining = self.join_existing(id.clone(), wait, purpose, who);
                if activities {
                    return joining;
                }
                let (shared, owner) = (Arc::clone(self), who.principal.clone());
                then(joining, move |result| match result {
                    Err(SessionError::Ended { reason, .. }) => {
                        at_once(shared.end_again(id, &owner, reason).map_or(result, Ok))
                    }
                    other => at_once(other),
                })
            }
            SessionRequirement::JoinOrCreate { id, wait, timeout } => {
                let joining = self.join_existing(id, wait, Purpose::WORK, who);
                let (shared, who) = (Arc::clone(self), who.clone());
                then(joining, move |result| match result {
                    Err(SessionError::NotFound | SessionError::Ended { .. }) => {
                        shared.create_when_there_is_room(timeout, &who)
                    }
                    other => at_once(other),
                })
            }
        }
    }

    /// A new session. If there are too many, those that are over make room first, wherever they are.
    fn create_when_there_is_room(self: &Arc<Self>, wish: Option<TimeoutWish>, who: &Participant) -> Joining {
        let created = self.create_explicit(wish, who);
        let no_room = matches!(created, Err(SessionError::QuotaExceeded { .. } | SessionError::ServerFull { .. }));
        if !no_room || self.keeper.is_none() {
            return at_once(created);
        }
        let (shared, who) = (Arc::clone(self), who.clone());
        Either::Right(Box::pin(async move {
            shared.make_round(shared.time()).await;
            shared.create_explicit(wish, &who)
        }))
    }

    /// Finds a session that is the principal's, or says why there is none.
    pub(super) fn find(&self, key: &SessionKey, who: &Principal, time: Time) -> Result<Arc<Slot>, SessionError> {
        if let Some(slot) = self.keys.find(key) {
            return if slot.owner == *who { Ok(slot) } else { Err(SessionError::NotFound) };
        }
        for tombstones in [&self.tombstones, &self.implicit_tombstones] {
            let tombstones = tombstones.lock();
            if let Some(tombstone) = tombstones.find(key, time.now).filter(|tombstone| tombstone.owner == *who) {
                return Err(tombstone.ended.error());
            }
        }
        Err(SessionError::NotFound)
    }

    fn join_existing(
        self: &Arc<Self>,
        id: SessionId,
        wait: Option<Duration>,
        purpose: Purpose,
        who: &Participant,
    ) -> Joining {
        let time = self.time();
        let call = Call { id, wait, purpose, who: who.clone(), at: time.now };
        match self.find(&SessionKey::of(&call.id), &who.principal, time) {
            Ok(slot) => self.join_slot(slot, call),
            Err(SessionError::NotFound) if self.keeper.is_some() => self.join_stored(call),
            Err(error) => at_once(Err(error)),
        }
    }

    /// A request comes to a session that is in memory.
    pub(super) fn join_slot(self: &Arc<Self>, slot: Arc<Slot>, call: Call) -> Joining {
        let time = self.time();
        let entry = match self.enter(&slot, &call, time) {
            Ok(entry) => entry,
            Err(SessionError::NotFound) if slot.state().is_unloaded() => return self.join_stored(call),
            Err(error) => return self.refused(error),
        };
        let Call { id, wait, purpose, who, at } = call;
        let arrival = Arrival { id, request: who.request_id, purpose, at };
        match entry {
            Entry::Joined(grant) => at_once(self.joined(slot, grant, arrival, time)),
            Entry::Queued(ticket) => {
                let deadline = at.after(slot.policy.wait(wait));
                let place = Place::new(Arc::clone(self), Arc::clone(&slot), ticket, who.request_id);
                let shared = Arc::clone(self);
                Either::Right(Box::pin(async move {
                    let grant = place.wait(deadline).await?;
                    let time = shared.time();
                    shared.joined(slot, grant, arrival, time)
                }))
            }
        }
    }

    fn enter(&self, slot: &Arc<Slot>, call: &Call, time: Time) -> Result<Entry, SessionError> {
        let key = SessionKey::of(&call.id);
        let visitor = Visitor { key: &key, request: call.who.request_id, time };
        let mut aftermath = Aftermath::default();
        let entry = match call.purpose.access {
            Access::Exclusive => slot.enter(visitor, slot.policy.wait(call.wait), &mut aftermath),
            Access::Read => slot.enter_reading(visitor, &mut aftermath).map(Entry::Joined),
        };
        self.settle(slot, aftermath);
        entry
    }

    /// The guard for a request that has joined.
    pub(super) fn joined(
        self: &Arc<Self>,
        slot: Arc<Slot>,
        grant: Grant,
        arrival: Arrival,
        time: Time,
    ) -> Result<Joined, SessionError> {
        let Arrival { id, request, purpose, at } = arrival;
        let waited = time.now.since(at);
        self.tell(&slot, |listener, event| listener.joined(event, request, purpose.access, waited));
        let info = SessionInfo {
            id,
            handle: slot.handle,
            created: purpose.created,
            implicit: slot.implicit,
            ended_by_this: purpose.ends.is_some(),
            timeout: slot.timeout,
            idle_expires: slot.idle_expiry(time),
            lifetime_expires: time.wall_at(slot.lifetime),
            fence: grant.fence,
        };
        let attributes = SessionAttributes::new(grant.attributes, purpose.access, Arc::clone(&slot.policy.rules));
        let rotating = purpose.rotate.then(|| (SessionKey::of(&info.id), Arc::clone(&slot)));
        let fence = (purpose.access == Access::Exclusive).then_some(grant.fence);
        let keeps = fence.filter(|_| !slot.implicit);
        let holding = keeps.map(|fence| Arc::new(Holding::new(self, &slot, fence)));
        let part = Part {
            shared: Arc::clone(self),
            slot,
            holding,
            request,
            since: time.now,
            limit: grant.limit,
            fence,
            ends: purpose.ends,
            rotated: rotating.as_ref().map(|(key, _)| *key),
            anchored: AtomicBool::new(false),
        };
        let joined = Joined::new(info, attributes, Box::new(part));
        match rotating {
            // If there is no new id, dropping the guard gives back what was joined.
            Some((by, slot)) => Ok(joined.renamed(self.rotate(&slot, &by, time)?)),
            None => Ok(joined),
        }
    }

    /// Gives a session a new id, asked for by who came with the key `by`.
    fn rotate(&self, slot: &Arc<Slot>, by: &SessionKey, time: Time) -> Result<SessionId, SessionError> {
        let id = new_id(&*self.ids)?;
        let key = SessionKey::of(&id);
        // Nobody knows the id yet, so nobody comes with it before the slot knows it as well.
        self.keys.insert(key, Arc::clone(slot))?;
        match slot.rotate(key, by, time.now) {
            Ok(forgotten) => {
                drop(forgotten.and_then(|key| self.keys.remove(&key)));
                Ok(id)
            }
            Err(error) => {
                drop(self.keys.remove(&key));
                Err(error)
            }
        }
    }

    /// The handle of a session of the principal that has ended.
    pub(super) fn handle_of_ended(&self, key: &SessionKey, who: &Principal, time: Time) -> Option<SessionHandle> {
        let tombstones = [&self.tombstones, &self.implicit_tombstones];
        let buried = tombstones.into_iter().find_map(|tombstones| {
            let tombstones = tombstones.lock();
            tombstones.find(key, time.now).filter(|tombstone| tombstone.owner == *who).map(|found| found.handle)
        });
        // It may be about to be buried.
        buried.or_else(|| {
            self.keys.find(key).filter(|slot| slot.owner == *who && slot.is_named_by(key)).map(|slot| slot.handle)
        })
    }

    /// Somebody who has nothing to do in it ends a session that has ended.
    fn end_again(self: &Arc<Self>, id: SessionId, who: &Principal, reason: EndReason) -> Option<Joined> {
        let time = self.time();
        let key = SessionKey::of(&id);
        let handle = self.handle_of_ended(&key, who, time)?;
        let info = SessionInfo {
            id,
            handle,
            created: false,
            implicit: false,
            ended_by_this: true,
            timeout: None,
            idle_expires: None,
            lifetime_expires: None,
            fence: 0,
        };
        let attributes =
            SessionAttributes::new(AttributeSnapshot::default(), Access::Read, Arc::clone(&self.policy().rules));
        Some(Joined::new(info, attributes, Box::new(Detached { reason })))
    }
}

/// An answer without waiting.
pub(super) fn at_once(result: Result<Joined, SessionError>) -> Joining {
    Either::Left(ready(result))
}

/// What follows from an answer.
fn then(joining: Joining, next: impl FnOnce(Result<Joined, SessionError>) -> Joining + Send + 'static) -> Joining {
    match joining {
        Either::Left(answer) => next(answer.into_inner()),
        Either::Right(answer) => Either::Right(Box::pin(async move { next(answer.await).await })),
    }
}
