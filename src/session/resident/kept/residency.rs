//! Which sessions are on their way into the memory or out of the store.

use std::collections::{HashMap, HashSet};

use crate::session::SessionHandle;

/// Sees to it that a session is in the memory once at the most, and that none comes back which has ended.
#[derive(Debug, Default)]
pub(super) struct Residency {
    /// Those that are being loaded, or looked at by whoever may load them: they don't leave the memory meanwhile.
    claims: HashMap<SessionHandle, Claim>,
    /// Those that have ended, and the store does not know it yet.
    leaving: HashSet<SessionHandle>,
}

#[derive(Debug, Default)]
struct Claim {
    by: usize,
    /// It has ended since.
    ended: bool,
}

impl Residency {
    /// Somebody is about to load a session.
    pub(super) fn claim(&mut self, session: SessionHandle) {
        self.claims.entry(session).or_default().by += 1;
    }

    /// The same is done with it.
    pub(super) fn unclaim(&mut self, session: SessionHandle) {
        if let Some(claim) = self.claims.get_mut(&session) {
            claim.by -= 1;
            if claim.by == 0 {
                self.claims.remove(&session);
            }
        }
    }

    /// Whether somebody is about to load it.
    pub(super) fn is_claimed(&self, session: SessionHandle) -> bool {
        self.claims.contains_key(&session)
    }

    /// Whether what was read of a session that somebody claims is that of one that has ended since.
    pub(super) fn has_ended(&self, session: SessionHandle) -> bool {
        self.leaving.contains(&session) || self.claims.get(&session).is_some_and(|claim| claim.ended)
    }

    /// A session has ended; `late` if the store does not know it yet.
    pub(super) fn ended(&mut self, session: SessionHandle, late: bool) {
        if let Some(claim) = self.claims.get_mut(&session) {
            claim.ended = true;
        }
        if late {
            self.leaving.insert(session);
        }
    }

    /// The store knows that it has ended.
    pub(super) fn gone(&mut self, session: SessionHandle) {
        self.leaving.remove(&session);
    }
}
