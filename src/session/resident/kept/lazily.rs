//! What is written although nobody waits for it: when a session was last released, which ids it had.

use std::sync::{Arc, Weak};

use tokio::sync::oneshot;

use super::Ledger;
use super::record::{Draft, Totals, record};
use crate::session::durable::{Errand, Outcome as Written};
use crate::session::resident::shared::Shared;
use crate::session::resident::slot::Slot;
use crate::session::{
    Clock, SaveSession, SessionError, SessionRecord, SessionStreams, SessionWrite, StoreError, Verdict,
};

impl Shared {
    /// Something of a session has changed that nobody waits for: it is written soon. However often that happens meanwhile, it
    /// is written once.
    pub(in crate::session::resident) fn touch(&self, slot: &Arc<Slot>) {
        slot.note(Ledger::mark_unwritten);
        self.touch_again(slot);
    }

    /// What waits to be written has its turn soon. However many come and go while the disk is slow, one errand of each session
    /// is on its way.
    pub(in crate::session::resident) fn touch_again(&self, slot: &Arc<Slot>) {
        let mut is_sent = false;
        slot.note(|ledger| is_sent = ledger.send_errand());
        if is_sent {
            self.write_lazily(slot);
        }
    }

    fn write_lazily(&self, slot: &Arc<Slot>) {
        if let Some(keeper) = &self.keeper {
            keeper.scribe.submit(Box::new(self.refresh(keeper.home.clone(), slot, None)));
        }
    }

    /// When the last stream of a session has gone, nothing of it is lost with the process any more.
    pub(in crate::session::resident) fn watch_streams(&self, slot: &Arc<Slot>, streams: &SessionStreams) {
        let Some(keeper) = self.keeper.as_ref().filter(|_| !slot.implicit) else { return };
        let (home, slot) = (keeper.home.clone(), Arc::downgrade(slot));
        streams.when_empty(move || {
            if let (Some(shared), Some(slot)) = (home.upgrade(), slot.upgrade()) {
                shared.touch(&slot);
            }
        });
    }

    /// Writes that a request runs in a session whose client is about to be told so: if the process is lost, so is the session.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`] when it could not be written.
    pub(in crate::session::resident) async fn anchor(&self, slot: &Arc<Slot>) -> Result<(), SessionError> {
        let Some(keeper) = &self.keeper else { return Ok(()) };
        let mut is_known = true;
        slot.note(|ledger| {
            ledger.anchors += 1;
            is_known = ledger.perishable && ledger.version > 0;
        });
        if is_known {
            return Ok(());
        }
        let (told, written) = oneshot::channel();
        keeper.scribe.submit(Box::new(self.refresh(keeper.home.clone(), slot, Some(told))));
        let result = written.await.unwrap_or_else(|_| Err(StoreError::Failed { reason: "nobody wrote it".into() }));
        result.map_err(SessionError::Store)
    }

    fn refresh(
        &self,
        home: Weak<Self>,
        slot: &Arc<Slot>,
        told: Option<oneshot::Sender<Result<(), StoreError>>>,
    ) -> Refresh {
        Refresh { home, clock: Arc::clone(&self.clock), slot: Arc::clone(slot), drafted: None, told }
    }
}

/// Writes the record of a session as it stands.
struct Refresh {
    home: Weak<Shared>,
    clock: Arc<dyn Clock>,
    slot: Arc<Slot>,
    drafted: Option<SessionRecord>,
    /// Somebody waits for it after all.
    told: Option<oneshot::Sender<Result<(), StoreError>>>,
}

impl Errand for Refresh {
    fn draft(&mut self) -> Option<SessionWrite> {
        let now = self.clock.now();
        let mut state = self.slot.state();
        let (released, is_being_written) = (state.released, state.is_being_written());
        let ledger = state.ledger.as_deref_mut()?;
        if self.told.is_none() {
            ledger.errand = false;
        }
        // What is being saved brings all of this with it, or sees to it that it is written later.
        let is_wanted = self.told.is_some() || ledger.queued;
        let is_new = !ledger.is_known();
        let is_unloaded = ledger.is_unloaded();
        let released = released.max(ledger.kept);
        if !is_wanted || is_unloaded || state.ended.is_some() || is_being_written {
            return None;
        }
        let totals = Totals::of(&state.attributes);
        let draft = Draft { totals: &totals, released, now, done: 0 };
        let record = record(&self.slot, &mut state, &draft)?;
        if let Some(ledger) = &mut state.ledger {
            ledger.queued = false;
        }
        drop(state);
        self.drafted = Some(record.clone());
        Some(SessionWrite::Save(SaveSession {
            record,
            is_new,
            attributes: Vec::new(),
            answer: None,
            answers_kept: u32::MAX,
            end: None,
        }))
    }

    fn settle(mut self: Box<Self>, outcome: &Written) -> Option<Box<dyn Errand>> {
        let drafted = self.drafted.take();
        match outcome {
            Written::Written(Verdict::Done) => {
                self.slot.note(|ledger| drafted.iter().for_each(|record| ledger.wrote(record)));
                self.tell(Ok(()));
                if let Some(shared) = self.home.upgrade() {
                    shared.rest(&self.slot);
                }
                None
            }
            Written::Nothing => {
                self.tell(Ok(()));
                None
            }
            Written::Refused(error) => {
                // It is written with whatever comes next.
                self.slot.note(|ledger| {
                    ledger.revert();
                    ledger.queued = true;
                });
                self.tell(Err(error.clone()));
                None
            }
            Written::Written(_) => {
                self.slot.note(Ledger::revert);
                // It has ended in this batch, or somebody else writes into this store.
                tracing::debug!(session = %self.slot.handle, "the record of a session was written by somebody else");
                self.tell(Ok(()));
                None
            }
            Written::Failed(error) => {
                self.slot.note(|ledger| {
                    ledger.revert();
                    ledger.queued = true;
                    ledger.errand = true;
                });
                self.tell(Err(error.clone()));
                Some(self)
            }
        }
    }
}

impl Refresh {
    fn tell(&mut self, result: Result<(), StoreError>) {
        if let Some(told) = self.told.take() {
            // Whoever waited may have left.
            let _ = told.send(result);
        }
    }
}
