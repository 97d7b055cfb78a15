//! A store whose commits can be held up, and that remembers them; and whose loads can fail.

use std::path::Path;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use crate::session::store::memory::MemoryStore;
use crate::session::{
    AnswerRecord, AnswerScope, Moment, Recovery, SessionHandle, SessionKey, SessionRecord, SessionStore, SessionWrite,
    StoreError, StoredSession, TimeMark, Verdict,
};

#[derive(Debug, Clone)]
pub(super) struct Gated {
    pub(super) store: MemoryStore,
    gate: Arc<(Mutex<Gate>, Condvar)>,
}

#[derive(Debug, Default)]
struct Gate {
    is_closed: bool,
    /// How many stand before it.
    waiting: usize,
    batches: Vec<Vec<SessionWrite>>,
    loading: Loading,
    /// Of which session it refuses whatever is written.
    refused: Option<SessionHandle>,
    /// How often something was asked to be due.
    rounds: usize,
}

/// What comes of a load.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Loading {
    #[default]
    Works,
    Fails,
    Panics,
}

/// What is answered to writes that are refused.
pub(super) fn refusal() -> StoreError {
    StoreError::Failed { reason: "it is refused".into() }
}

fn handle_of(write: &SessionWrite) -> Option<SessionHandle> {
    match write {
        SessionWrite::Save(save) => Some(save.record.handle),
        SessionWrite::End(end) | SessionWrite::Lose(end) => Some(end.handle),
        SessionWrite::Remember(_) | SessionWrite::RememberLatest { .. } => None,
    }
}

impl Gated {
    pub(super) fn new() -> Self {
        Self { store: MemoryStore::new(), gate: Arc::default() }
    }

    /// The same store, as the next process opens it.
    pub(super) fn reopen(&self) -> Self {
        Self { store: self.store.reopen(), gate: Arc::clone(&self.gate) }
    }

    /// From now on every commit waits.
    pub(super) fn close(&self) {
        self.gate.0.lock().is_closed = true;
    }

    pub(super) fn open(&self) {
        self.gate.0.lock().is_closed = false;
        self.gate.1.notify_all();
    }

    /// Returns when a commit waits.
    pub(super) async fn reached(&self) {
        while self.gate.0.lock().waiting == 0 {
            tokio::task::yield_now().await;
        }
    }

    /// From now on this comes of loads.
    pub(super) fn loads(&self, loading: Loading) {
        self.gate.0.lock().loading = loading;
    }

    /// From now on what is written of that session is refused.
    pub(super) fn refuse(&self, session: Option<SessionHandle>) {
        self.gate.0.lock().refused = session;
    }

    /// How often something was asked to be due.
    pub(super) fn rounds(&self) -> usize {
        self.gate.0.lock().rounds
    }

    /// What was committed since the last time.
    pub(super) fn take(&self) -> Vec<Vec<SessionWrite>> {
        std::mem::take(&mut self.gate.0.lock().batches)
    }
}

impl SessionStore for Gated {
    fn recover(&self) -> Result<Recovery, StoreError> {
        self.store.recover()
    }

    fn find(&self, key: &SessionKey) -> Result<Option<SessionHandle>, StoreError> {
        self.store.find(key)
    }

    fn load(&self, session: SessionHandle) -> Result<Option<StoredSession>, StoreError> {
        let loading = self.gate.0.lock().loading;
        match loading {
            Loading::Works => self.store.load(session),
            Loading::Fails => Err(StoreError::Failed { reason: "it does not load".into() }),
            Loading::Panics => panic!("it does not load"),
        }
    }

    fn answer(&self, scope: &AnswerScope) -> Result<Option<AnswerRecord>, StoreError> {
        self.store.answer(scope)
    }

    fn commit(&self, batch: &[SessionWrite]) -> Result<Vec<Verdict>, StoreError> {
        let mut gate = self.gate.0.lock();
        gate.waiting += 1;
        self.gate.1.wait_while(&mut gate, |gate| gate.is_closed);
        gate.waiting -= 1;
        gate.batches.push(batch.to_vec());
        let refused = gate.refused;
        drop(gate);
        let is_refused = |write: &SessionWrite| refused.is_some() && handle_of(write) == refused;
        let verdicts = batch.iter().map(|write| {
            if is_refused(write) {
                return Ok(vec![Verdict::Refused(refusal())]);
            }
            self.store.commit(std::slice::from_ref(write))
        });
        let verdicts: Result<Vec<Vec<Verdict>>, StoreError> = verdicts.collect();
        Ok(verdicts?.concat())
    }

    fn list(&self, after: Option<SessionHandle>, limit: usize) -> Result<Vec<SessionRecord>, StoreError> {
        self.store.list(after, limit)
    }

    fn due(&self, now: Moment, limit: usize) -> Result<Vec<SessionRecord>, StoreError> {
        self.gate.0.lock().rounds += 1;
        self.store.due(now, limit)
    }

    fn sweep(&self, now: Moment, ends: u64, limit: usize) -> Result<usize, StoreError> {
        self.store.sweep(now, ends, limit)
    }

    fn mark(&self, mark: &TimeMark) -> Result<(), StoreError> {
        self.store.mark(mark)
    }

    fn back_up(&self, to: &Path) -> Result<(), StoreError> {
        self.store.back_up(to)
    }
}
