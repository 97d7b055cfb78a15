//! Checkpoints that are written before they are made: the request goes on to hold its session.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::Ledger;
use super::encoding::writes;
use super::record::{Draft, Totals, record};
use crate::session::durable::{Errand, Outcome as Written};
use crate::session::resident::aftermath::Aftermath;
use crate::session::resident::checkpoints::Holding;
use crate::session::{
    AttributeWrite, Checkpoint, Moment, SaveSession, SessionError, SessionRecord, SessionWrite, StagedAttributes,
    StoreError, Verdict,
};

/// A checkpoint on its way to the store.
struct Keeping {
    holding: Arc<Holding>,
    /// `None` once it is settled.
    checkpoint: Option<Checkpoint>,
    change: StagedAttributes,
    now: Moment,
    /// `None` once they are handed over.
    work: Option<(Totals, Vec<AttributeWrite>)>,
    drafted: Option<SessionRecord>,
    /// Whether something else waited to be written, and is written with it.
    took_queued: bool,
    told: Option<oneshot::Sender<Result<(), SessionError>>>,
}

impl Holding {
    /// Has a checkpoint written, and made when it is. Whether anybody waits for that or not, it takes its course.
    pub(in crate::session::resident) async fn write(
        self: Arc<Self>,
        mut checkpoint: Checkpoint,
    ) -> Result<(), SessionError> {
        if !self.begin() {
            return Err(SessionError::Conflict);
        }
        let (told, written) = oneshot::channel();
        let keeping = Keeping {
            change: checkpoint.take_change(),
            checkpoint: Some(checkpoint),
            now: self.shared.time().now,
            work: None,
            drafted: None,
            took_queued: false,
            told: Some(told),
            holding: Arc::clone(&self),
        };
        // From here on, whatever happens, dropping it settles it.
        if let (Some(keeping), Some(keeper)) = (keeping.prepared(), &self.shared.keeper) {
            keeper.scribe.submit(Box::new(keeping));
        }
        written.await.unwrap_or_else(|_| Err(unwritten()))
    }
}

impl Keeping {
    /// With what is to be written; `None` when it may not be, and whoever waits has been told so.
    fn prepared(mut self) -> Option<Self> {
        let prepared = self.holding.slot.begin_checkpoint(self.holding.fence).and_then(|base| {
            let totals = Totals::with(&base, &self.change);
            Ok((totals, writes(&base, &self.change).map_err(SessionError::from)?))
        });
        match prepared {
            Ok(work) => {
                self.work = Some(work);
                Some(self)
            }
            Err(error) => {
                self.finish(Err(error));
                None
            }
        }
    }

    /// It is made, or not; the session may be released again, or lost.
    fn finish(&mut self, result: Result<(), SessionError>) {
        let Some(checkpoint) = self.checkpoint.take() else { return };
        let (holding, change) = (&self.holding, std::mem::take(&mut self.change));
        let (slot, shared) = (&holding.slot, &holding.shared);
        let (made, dropped) = match result {
            Ok(()) => slot.make_written_checkpoint(change),
            Err(error) => (Err(error), slot.discard(change)),
        };
        dropped.close(slot.handle);
        if made.is_err() && self.took_queued {
            slot.note(Ledger::mark_unwritten);
        }
        let mut aftermath = Aftermath::default();
        slot.end_checkpoint(shared.time(), &mut aftermath);
        shared.settle(slot, aftermath);
        shared.touch_again(slot);
        holding.end();
        // The next one has its turn when this one is gone.
        let result = made.map(|released| checkpoint.made(released));
        if let Some(told) = self.told.take() {
            // Whoever waited may have left.
            let _ = told.send(result);
        }
    }
}

impl Errand for Keeping {
    fn draft(&mut self) -> Option<SessionWrite> {
        let (totals, attributes) = self.work.take()?;
        let slot = &self.holding.slot;
        let mut state = slot.state();
        if state.ended.is_some() {
            return None;
        }
        let is_new = state.ledger.as_ref().is_some_and(|ledger| !ledger.is_known());
        // Should the process be lost, the session was in use until now.
        let draft = Draft { totals: &totals, released: self.now.max(state.released), now: self.now, done: 0 };
        let record = record(slot, &mut state, &draft)?;
        if let Some(ledger) = &mut state.ledger {
            self.took_queued = std::mem::take(&mut ledger.queued);
            ledger.kept = record.released;
        }
        drop(state);
        self.drafted = Some(record.clone());
        let (answer, answers_kept, end) = (None, u32::MAX, None);
        Some(SessionWrite::Save(SaveSession { record, is_new, attributes, answer, answers_kept, end }))
    }

    fn settle(mut self: Box<Self>, outcome: &Written) -> Option<Box<dyn Errand>> {
        let slot = &self.holding.slot;
        let result = match outcome {
            Written::Written(Verdict::Done) => {
                slot.note(|ledger| self.drafted.iter().for_each(|record| ledger.wrote(record)));
                Ok(())
            }
            Written::Written(_) | Written::Nothing => Err(slot.lost()),
            Written::Failed(error) | Written::Refused(error) => Err(SessionError::Store(error.clone())),
        };
        if result.is_err() {
            slot.note(Ledger::revert);
        }
        self.finish(result);
        None
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        self.finish(Err(unwritten()));
    }
}

fn unwritten() -> SessionError {
    StoreError::Failed { reason: "nobody has written it".into() }.into()
}
