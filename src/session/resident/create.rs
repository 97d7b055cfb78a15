//! New sessions.

use std::sync::Arc;

use super::join::{Arrival, Purpose};
use super::policy::Policy;
use super::shared::Shared;
use super::slot::{Birth, Kind, Slot};
use super::table::NoRoom;
use crate::document::TimeoutWish;
use crate::session::key::SessionKey;
use crate::session::lifetime::granted;
use crate::session::random::new_names;
use crate::session::{Access, EndReason, Joined, Participant, Principal, SessionError};

impl Shared {
    /// A session that ends with its request. Nobody finds it by its id, unless it is to be reachable; operators do, by its
    /// handle.
    pub(super) fn create_implicit(
        self: &Arc<Self>,
        reachable: bool,
        who: &Participant,
    ) -> Result<Joined, SessionError> {
        self.create(self.policy(), None, Kind::Implicit { reachable }, who)
    }

    /// A session that stays.
    pub(super) fn create_explicit(
        self: &Arc<Self>,
        wish: Option<TimeoutWish>,
        who: &Participant,
    ) -> Result<Joined, SessionError> {
        let policy = self.policy();
        let room = self.take_room(&policy, &who.principal)?;
        let joined = self.create(policy, wish, Kind::Explicit, who)?;
        room.keep();
        Ok(joined)
    }

    fn create(
        self: &Arc<Self>,
        policy: Arc<Policy>,
        wish: Option<TimeoutWish>,
        kind: Kind,
        who: &Participant,
    ) -> Result<Joined, SessionError> {
        let time = self.time();
        let (id, handle) = new_names(&*self.ids, time.wall)?;
        let key = SessionKey::of(&id);
        let implicit = matches!(kind, Kind::Implicit { .. });
        let timeout = if implicit { None } else { granted(wish, &policy.settings.timeout) };
        let (slot, grant) = Slot::new(Birth {
            handle,
            owner: who.principal.clone(),
            kind,
            policy,
            key,
            timeout,
            time,
            request: who.request_id,
            kept: self.keeper.is_some() && !implicit,
        });
        let slot = Arc::new(slot);
        self.enlist(&slot, key)?;
        self.tell(&slot, |listener, event| listener.created(event));
        let ends = implicit.then_some(EndReason::Completed);
        let purpose = Purpose { created: true, access: Access::Exclusive, rotate: false, ends };
        self.joined(slot, grant, Arrival { id, request: who.request_id, purpose, at: time.now }, time)
    }

    /// Enters a new session into the maps, if the service takes new ones.
    fn enlist(&self, slot: &Arc<Slot>, key: SessionKey) -> Result<(), SessionError> {
        if slot.reachable {
            self.keys.insert(key, Arc::clone(slot))?;
        }
        let mut handles = self.handles.lock();
        let draining = handles.draining;
        if !draining {
            handles.sessions.insert(Arc::clone(slot));
            handles.implicit += u64::from(slot.implicit);
        }
        drop(handles);
        if draining {
            if slot.reachable {
                drop(self.keys.remove(&key));
            }
            return Err(SessionError::Draining);
        }
        if !slot.implicit {
            slot.arm(|moment| self.deadlines.insert(moment, slot));
        }
        Ok(())
    }

    /// Counts one more session of a principal.
    fn take_room<'a>(&'a self, policy: &Policy, owner: &'a Principal) -> Result<Room<'a>, SessionError> {
        let limits = &policy.settings.limits;
        let take = || self.quotas.take(owner, limits.sessions, limits.per_principal);
        // Sessions that are over don't count, whether anybody has tidied up or not.
        let taken = take().or_else(|_| {
            self.sweep_some(self.time());
            take()
        });
        match taken {
            Ok(()) => Ok(Room { shared: self, owner, kept: false }),
            Err(NoRoom::Principal(limit)) => Err(SessionError::QuotaExceeded { limit }),
            Err(NoRoom::Server(limit)) => Err(SessionError::ServerFull { limit }),
        }
    }
}

/// Room for one session, given back unless it is kept.
struct Room<'a> {
    shared: &'a Shared,
    owner: &'a Principal,
    kept: bool,
}

impl Room<'_> {
    fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        if !self.kept {
            self.shared.quotas.give_back(self.owner);
        }
    }
}
