//! What the keeper does from time to time: it ends what is over in the store, forgets what need not be remembered, and notes
//! what time it is.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::Keeper;
use super::loading::off_the_runtime;
use crate::session::clock::Time;
use crate::session::resident::STORED_ENDS;
use crate::session::resident::aftermath::Aftermath;
use crate::session::resident::shared::Shared;
use crate::session::{SessionStore, StoreError, StoreEvent, StoreOperation};

/// So many sessions are looked at before the others go on: their ends are one commit, for which everybody else waits.
const LOOKS: usize = 64;

/// So many ends and answers are forgotten in one commit.
const FORGOTTEN: usize = 256;

/// How often the store is tidied up and the time noted. A machine that stops without a word and whose clock is wrong
/// afterwards knows the time so well.
const TIDYING: Duration = Duration::from_mins(1);

impl Shared {
    /// One round. Answers how many sessions were over.
    pub(in crate::session::resident) async fn make_round(self: &Arc<Self>, time: Time) -> usize {
        if self.keeper.is_none() {
            return 0;
        }
        let mut ended = 0;
        loop {
            let (is_more, over) = self.look_at_due(time).await;
            ended += over;
            // What was found is due no more when that is written.
            if !is_more || !self.written().await {
                break;
            }
        }
        if self.keeper.as_ref().is_some_and(|keeper| keeper.is_time_to_tidy(time)) {
            self.tidy(time).await;
        }
        ended
    }

    /// Looks at some of the sessions that may be over. Answers whether there may be more, and how many of them were over.
    async fn look_at_due(self: &Arc<Self>, time: Time) -> (bool, usize) {
        let Some(keeper) = &self.keeper else { return (false, 0) };
        let shared = Arc::clone(self);
        let look = move |store: &dyn SessionStore| shared.take_due(store, time, LOOKS);
        let Ok(mut due) = self.ask(StoreOperation::Tidy, look).await else { return (false, 0) };
        let mut ended = self.end_due(keeper, &mut due);
        // Those that can't be loaded stay due: if there are no others, looking again finds nothing else.
        let mut any = ended > 0;
        for handle in due.others {
            let loaded = self.load_handle(handle).await;
            any |= loaded.is_ok();
            let Ok(Some(claimed)) = loaded else { continue };
            let mut aftermath = Aftermath::default();
            claimed.slot.end_if_over(time, &mut aftermath);
            ended += usize::from(aftermath.ending.is_some());
            self.settle(&claimed.slot, aftermath);
            // If it lives, it is due later.
            self.touch(&claimed.slot);
        }
        (due.count == LOOKS && any, ended)
    }

    async fn tidy(self: &Arc<Self>, time: Time) {
        self.note_time().await;
        let sweep = move |store: &dyn SessionStore| store.sweep(time.now, STORED_ENDS, FORGOTTEN);
        loop {
            match self.ask(StoreOperation::Tidy, sweep).await {
                Ok(count) if count > 0 => {}
                _ => break,
            }
        }
        // That it failed the listeners have heard; it is done again.
        let _ = self.ask(StoreOperation::Tidy, SessionStore::compact).await;
    }

    /// Notes in the store what time it is.
    pub(in crate::session::resident) async fn note_time(self: &Arc<Self>) {
        let Some(keeper) = &self.keeper else { return };
        let timeline = keeper.timeline.clone();
        let _ = self.ask(StoreOperation::Tidy, move |store| store.mark(&timeline.mark())).await;
    }

    /// Asks the store where it holds up nobody else. A failure is told to the listeners.
    pub(super) async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        operation: StoreOperation,
        question: impl FnOnce(&dyn SessionStore) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (told, answer) = oneshot::channel();
        let shared = Arc::clone(self);
        off_the_runtime(self, move || {
            let Some(keeper) = &shared.keeper else { return };
            let answer = question(&*keeper.store);
            if let Err(error) = &answer {
                shared.tell_failure(operation, error);
            }
            drop(told.send(answer));
        });
        answer.await.unwrap_or_else(|_| Err(StoreError::Failed { reason: "nobody has asked it".into() }))
    }

    pub(super) fn tell_failure(&self, operation: StoreOperation, error: &StoreError) {
        self.notify(|listener| listener.store(StoreEvent::Failed { operation, error }));
    }
}

impl Keeper {
    fn is_time_to_tidy(&self, time: Time) -> bool {
        let mut next = self.next_tidying.lock();
        let is_time = *next <= time.now;
        if is_time {
            *next = time.now.after(TIDYING);
        }
        is_time
    }
}
