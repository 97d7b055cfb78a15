//! The durable manager passes through the behaviours of every manager, and has some of its own.

use std::sync::Arc;

use super::DurableSessionManager;
use crate::document::SessionConfiguration;
use crate::session::conformance::{Setup, session_manager_conforms};
use crate::session::store::memory::MemoryStore;
use crate::session::{
    Access, ManualClock, Outcome, Participant, Principal, SessionError, SessionId, SessionManager, SessionRequirement,
    StoreError,
};

fn make(setup: Setup) -> Arc<dyn SessionManager> {
    let builder = DurableSessionManager::builder(setup.settings, Arc::new(MemoryStore::default()))
        .statics(setup.statics)
        .clock(Arc::new(setup.clock))
        .ids(setup.ids);
    let builder = setup.listeners.into_iter().fold(builder, super::DurableSessionManagerBuilder::listener);
    Arc::new(builder.open().unwrap())
}

session_manager_conforms!(make);

/// A store and the clock of the machine; managers over it come and go.
struct Machine {
    store: MemoryStore,
    clock: ManualClock,
}

impl Machine {
    fn new() -> Self {
        Self { store: MemoryStore::new(), clock: ManualClock::new() }
    }

    fn start(&self) -> DurableSessionManager {
        let store = Arc::new(self.store.reopen());
        let builder = DurableSessionManager::builder(SessionConfiguration::default(), store);
        builder.clock(Arc::new(self.clock.clone())).open().unwrap()
    }
}

fn who() -> Participant {
    Participant { principal: Principal::new("owner"), request_id: uuid::Uuid::nil() }
}

const CREATE: SessionRequirement = SessionRequirement::Create { timeout: None };

fn enter(id: &SessionId) -> SessionRequirement {
    SessionRequirement::Join { id: id.clone(), wait: None, access: Access::Exclusive, rotate: false }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_is_there_after_a_restart() {
    let machine = Machine::new();
    let manager = machine.start();
    let joined = manager.join(CREATE, &who()).await.unwrap();
    let id = joined.info().id.clone();
    joined.attributes().increment("visits", 1).unwrap();
    joined.release(Outcome::Commit).await.unwrap();
    let running = manager.join(enter(&id), &who()).await.unwrap();
    running.attributes().increment("visits", 1).unwrap();
    drop(running);
    drop(manager);
    let manager = machine.start();
    let joined = manager.join(enter(&id), &who()).await.unwrap();
    assert_eq!(joined.attributes().increment("visits", 1), Ok(2));
    assert!(joined.info().fence > 1 << 32);
    joined.release(Outcome::Commit).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_written_is_not_done() {
    let machine = Machine::new();
    let manager = machine.start();
    let joined = manager.join(CREATE, &who()).await.unwrap();
    let id = joined.info().id.clone();
    joined.release(Outcome::Commit).await.unwrap();
    let joined = manager.join(enter(&id), &who()).await.unwrap();
    joined.attributes().increment("visits", 1).unwrap();
    machine.store.fail(Some(StoreError::Full));
    assert_eq!(joined.release(Outcome::Commit).await, Err(SessionError::Store(StoreError::Full)));
    machine.store.fail(None);
    let joined = manager.join(enter(&id), &who()).await.unwrap();
    assert_eq!(joined.attributes().increment("visits", 1), Ok(1));
    joined.release(Outcome::Commit).await.unwrap();
}
