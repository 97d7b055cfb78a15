//! What all clones of a session share.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::{Mutex as Turn, MutexGuard};

/// What all clones of a session share: its id, which changes when the session gets a new one, and whether somebody has left a
/// transaction open in it. The id is a secret: `Debug` does not show it.
#[derive(Clone)]
pub(super) struct Shared(Arc<State>);

struct State {
    id: Mutex<Box<str>>,
    is_left_open: AtomicBool,
    /// Whose turn it is to take back what was left open.
    turn: Turn<()>,
}

impl Shared {
    pub(super) fn new(id: &str) -> Self {
        Self(Arc::new(State { id: Mutex::new(id.into()), is_left_open: AtomicBool::new(false), turn: Turn::default() }))
    }

    pub(super) fn id(&self) -> Box<str> {
        self.0.id.lock().clone()
    }

    pub(super) fn renew(&self, id: &str) {
        let mut known = self.0.id.lock();
        if **known != *id {
            *known = id.into();
        }
    }

    /// Notes that a transaction was dropped before its end.
    pub(super) fn leave_open(&self) {
        self.0.is_left_open.store(true, Ordering::Release);
    }

    /// Whether a transaction may be open that nobody will end.
    pub(super) fn is_left_open(&self) -> bool {
        self.0.is_left_open.load(Ordering::Acquire)
    }

    /// Notes that it was rolled back.
    pub(super) fn close(&self) {
        self.0.is_left_open.store(false, Ordering::Release);
    }

    /// Waits until nobody else takes back what was left open.
    pub(super) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.0.turn.lock().await
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared(…)")
    }
}
