//! The scribe: one thread that writes down what is to be kept, all that is waiting at once.
//!
//! A disk is as slow for one write as for a hundred. So while one batch is being written, the next gathers, and the more there
//! is to do, the less each costs (*group commit*). What waits is an [`Errand`]: it says what to write when its turn has come, and
//! is told what became of it.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::session::listener::tell;
use crate::session::{SessionListener, SessionStore, SessionWrite, StoreError, StoreEvent, StoreOperation, Verdict};

/// So many writes go into one batch at the most: whoever comes while it is written waits for all of it.
const BATCH: usize = 1024;

/// How long what could not be written is left alone before it is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Something to be written.
///
/// Its methods are called on the thread of the scribe, in the order in which the errands were handed in.
pub(in crate::session) trait Errand: Send {
    /// What to write, as things stand now; `None` if that is nothing any more.
    fn draft(&mut self) -> Option<SessionWrite>;

    /// What became of it. One that nobody waits for answers with itself, to be tried again.
    fn settle(self: Box<Self>, outcome: &Outcome) -> Option<Box<dyn Errand>>;
}

/// What is written at once.
type Batch = Vec<Box<dyn Errand>>;

/// What became of an errand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::session) enum Outcome {
    /// The store has answered.
    Written(Verdict),
    /// The store failed; nothing was written.
    Failed(StoreError),
    /// The store can't write this, whatever else it can: trying again is of no use.
    Refused(StoreError),
    /// There was nothing to write.
    Nothing,
}

/// The thread that writes. Dropped, it writes what was handed in, and ends.
pub(in crate::session) struct Scribe {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

/// What the scribe and those who hand something in share.
struct Desk {
    pile: Mutex<Pile>,
    bell: Condvar,
}

#[derive(Default)]
struct Pile {
    errands: VecDeque<Box<dyn Errand>>,
    /// What could not be written, and is tried again.
    again: VecDeque<Box<dyn Errand>>,
    /// When that is.
    not_before: Option<Instant>,
    /// Whether that was what was tried last.
    tried_again: bool,
    /// How many are being written.
    in_hand: usize,
    /// Nothing more comes.
    closed: bool,
    /// What is told afterwards may use the runtime of whoever handed in the first errand.
    runtime: Option<Handle>,
}

impl Scribe {
    /// A scribe that writes into a store, and tells those who listen.
    ///
    /// # Errors
    ///
    /// [`StoreError::Failed`] when there is no thread for it.
    pub(in crate::session) fn new(
        store: Arc<dyn SessionStore>,
        listeners: Vec<Arc<dyn SessionListener>>,
    ) -> Result<Self, StoreError> {
        let desk = Arc::new(Desk { pile: Mutex::default(), bell: Condvar::new() });
        let own = Arc::clone(&desk);
        let thread = thread::Builder::new().name("session-scribe".into()).spawn(move || own.work(&*store, &listeners));
        let thread = thread.map_err(|error| StoreError::Failed { reason: error.to_string() })?;
        Ok(Self { desk, thread: Some(thread) })
    }

    /// Hands something in.
    pub(in crate::session) fn submit(&self, errand: Box<dyn Errand>) {
        let mut pile = self.desk.pile.lock();
        if pile.runtime.is_none() {
            pile.runtime = Handle::try_current().ok();
        }
        pile.errands.push_back(errand);
        drop(pile);
        self.desk.bell.notify_one();
    }

    /// Returns when everything that was handed in before has had its turn. Answers whether all of it is written.
    pub(in crate::session) async fn flush(&self) -> bool {
        let (told, turn) = oneshot::channel();
        self.submit(Box::new(Flush(told)));
        turn.await.is_ok() && self.desk.pile.lock().again.is_empty()
    }

    /// How many errands there are that are not done.
    pub(in crate::session) fn waiting(&self) -> usize {
        let pile = self.desk.pile.lock();
        pile.errands.len() + pile.again.len() + pile.in_hand
    }
}

impl Drop for Scribe {
    fn drop(&mut self) {
        self.desk.pile.lock().closed = true;
        self.desk.bell.notify_one();
        // The last one to let go of the manager may be an errand.
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != thread::current().id())
            && thread.join().is_err()
        {
            tracing::error!("the thread that writes sessions has panicked");
        }
    }
}

impl fmt::Debug for Scribe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scribe").field("waiting", &self.waiting()).finish_non_exhaustive()
    }
}

impl Desk {
    fn work(&self, store: &dyn SessionStore, listeners: &[Arc<dyn SessionListener>]) {
        while let Some((batch, runtime)) = self.next() {
            let _runtime = runtime.as_ref().map(Handle::enter);
            let again = perform(store, listeners, batch);
            let mut pile = self.pile.lock();
            pile.in_hand = 0;
            // What is still wanted when nothing more comes has had its last try.
            if !again.is_empty() && !pile.closed {
                pile.not_before = Instant::now().checked_add(PAUSE);
                pile.again.extend(again);
            }
        }
    }

    /// The next batch, once there is one; `None` when there will be none.
    fn next(&self) -> Option<(Batch, Option<Handle>)> {
        let mut pile = self.pile.lock();
        loop {
            let now = Instant::now();
            let is_time = pile.closed || pile.not_before.is_none_or(|moment| moment <= now);
            let (none_waits, tried_again) = (pile.errands.is_empty(), pile.tried_again);
            // What failed before is not mixed with what somebody waits for: it might fail again.
            let try_again = is_time && !pile.again.is_empty() && (none_waits || !tried_again);
            pile.tried_again = try_again;
            let Pile { errands, again, .. } = &mut *pile;
            let from = if try_again { again } else { errands };
            if !from.is_empty() {
                let batch: Vec<_> = from.drain(..from.len().min(BATCH)).collect();
                pile.in_hand = batch.len();
                return Some((batch, pile.runtime.clone()));
            }
            if pile.closed {
                return None;
            }
            match pile.not_before.filter(|_| !pile.again.is_empty()) {
                Some(moment) => drop(self.bell.wait_until(&mut pile, moment)),
                None => self.bell.wait(&mut pile),
            }
        }
    }
}

/// Writes a batch, and tells everybody what became of it. Answers with what is to be tried again.
fn perform(store: &dyn SessionStore, listeners: &[Arc<dyn SessionListener>], mut batch: Batch) -> Batch {
    let drafts: Vec<Option<SessionWrite>> =
        batch.iter_mut().map(|errand| catch_unwind(AssertUnwindSafe(|| errand.draft())).unwrap_or_default()).collect();
    let is_draft: Vec<bool> = drafts.iter().map(Option::is_some).collect();
    let writes: Vec<SessionWrite> = drafts.into_iter().flatten().collect();
    let mut verdicts = commit(store, listeners, &writes).map(Vec::into_iter);
    drop(writes);
    let mut again = Vec::new();
    for (errand, is_draft) in batch.into_iter().zip(is_draft) {
        let outcome = match &mut verdicts {
            _ if !is_draft => Outcome::Nothing,
            Ok(verdicts) => match verdicts.next() {
                Some(Verdict::Refused(error)) => Outcome::Refused(error),
                verdict => Outcome::Written(verdict.unwrap_or(Verdict::Stale)),
            },
            Err(error) => Outcome::Failed(error.clone()),
        };
        if let Ok(errand) = catch_unwind(AssertUnwindSafe(|| errand.settle(&outcome))) {
            again.extend(errand);
        } else {
            tracing::error!("what follows the writing of a session has panicked");
        }
    }
    again
}

fn commit(
    store: &dyn SessionStore,
    listeners: &[Arc<dyn SessionListener>],
    writes: &[SessionWrite],
) -> Result<Vec<Verdict>, StoreError> {
    if writes.is_empty() {
        return Ok(Vec::new());
    }
    let begun = Instant::now();
    let written = catch_unwind(AssertUnwindSafe(|| store.commit(writes)));
    let written = written.unwrap_or_else(|_| Err(StoreError::Failed { reason: "it panicked".into() }));
    let event = match &written {
        Ok(_) => StoreEvent::Committed { writes: writes.len(), took: begun.elapsed() },
        Err(error) => StoreEvent::Failed { operation: StoreOperation::Commit, error },
    };
    tell(listeners, |listener| listener.store(event));
    for verdict in written.iter().flatten() {
        if let Verdict::Refused(error) = verdict {
            let event = StoreEvent::Failed { operation: StoreOperation::Commit, error };
            tell(listeners, |listener| listener.store(event));
        }
    }
    written
}

/// Tells somebody that its turn has come.
struct Flush(oneshot::Sender<()>);

impl Errand for Flush {
    fn draft(&mut self) -> Option<SessionWrite> {
        None
    }

    fn settle(self: Box<Self>, _outcome: &Outcome) -> Option<Box<dyn Errand>> {
        // Whoever waited may have left.
        let _ = self.0.send(());
        None
    }
}
