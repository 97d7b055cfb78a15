//! How a manager begins.

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Weak};

use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use super::aftermath::Ended;
use super::kept::Keeper;
use super::policy::Policy;
use super::shared::Shared;
use super::table::{Deadlines, HandleIndex, KeyTable, Quotas};
use super::tombstones::Tombstones;
use super::{IMPLICIT_TOMBSTONES, TOMBSTONES};
use crate::document::SessionConfiguration;
use crate::session::durable::Scribe;
use crate::session::{
    Clock, CountedAnswer, EndedSession, IdSource, Principal, Replays, SessionListener, SessionStore, StaticAttributes,
    SystemClock, SystemIds, Timeline,
};

/// What every manager is made from; the defaults are the machine's clock and random numbers.
#[derive(Debug)]
pub(in crate::session) struct Ingredients {
    pub(in crate::session) settings: SessionConfiguration,
    pub(in crate::session) statics: StaticAttributes,
    pub(in crate::session) clock: Arc<dyn Clock>,
    pub(in crate::session) ids: Arc<dyn IdSource>,
    pub(in crate::session) listeners: Vec<Arc<dyn SessionListener>>,
}

/// What a store had when it was opened.
#[derive(Debug)]
pub(in crate::session) struct Inheritance {
    pub(in crate::session) store: Arc<dyn SessionStore>,
    pub(in crate::session) timeline: Timeline,
    pub(in crate::session) openings: u64,
    /// How many sessions each owner has.
    pub(in crate::session) owners: Vec<(Principal, u64)>,
    /// The oldest first.
    pub(in crate::session) ended: Vec<EndedSession>,
    /// The oldest first.
    pub(in crate::session) answers: Vec<CountedAnswer>,
}

impl Ingredients {
    pub(in crate::session) fn new(settings: SessionConfiguration) -> Self {
        Self {
            settings,
            statics: StaticAttributes::default(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds::new()),
            listeners: Vec::new(),
        }
    }

    /// A manager without any sessions, that keeps none beyond the process.
    pub(in crate::session) fn shared(self) -> Arc<Shared> {
        Arc::new(self.assemble(None))
    }

    /// A manager of the sessions that a store has.
    pub(in crate::session) fn heir(self, mut inheritance: Inheritance, scribe: Scribe) -> Arc<Shared> {
        let owners = std::mem::take(&mut inheritance.owners);
        let ended = std::mem::take(&mut inheritance.ended);
        let answers = std::mem::take(&mut inheritance.answers);
        let shared =
            Arc::new_cyclic(|home: &Weak<Shared>| self.assemble(Some(Keeper::new(inheritance, scribe, home.clone()))));
        for (owner, count) in owners {
            shared.quotas.restore(owner, count);
        }
        let mut tombstones = shared.tombstones.lock();
        for EndedSession { handle, owner, keys, reason, moment, at, until } in ended {
            for key in keys {
                let names = (handle, owner.clone());
                tombstones.add(key, names, Ended { reason, moment, at }, until.since(moment));
            }
        }
        drop(tombstones);
        shared.restore_answers(answers);
        shared
    }

    fn assemble(self, keeper: Option<Keeper>) -> Shared {
        let replays = Replays::new(self.settings.replay, Arc::clone(&self.clock), Arc::clone(&self.ids));
        Shared {
            explicit: AtomicBool::new(self.settings.explicit),
            policy: RwLock::new(Arc::new(Policy::new(self.settings, self.statics))),
            clock: self.clock,
            ids: self.ids,
            listeners: self.listeners,
            keys: KeyTable::new(),
            handles: Mutex::new(HandleIndex::default()),
            deadlines: Deadlines::default(),
            quotas: Quotas::default(),
            tombstones: Mutex::new(Tombstones::new(TOMBSTONES)),
            implicit_tombstones: Mutex::new(Tombstones::new(IMPLICIT_TOMBSTONES)),
            closing: Mutex::default(),
            emptied: Notify::new(),
            reconfigured: Arc::default(),
            waiters: AtomicU64::new(0),
            replays,
            answers: Mutex::default(),
            keeper,
        }
    }
}
