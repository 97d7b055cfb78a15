//! Sessions come back into the memory when somebody asks for them.

use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::encoding::snapshot;
use super::{Keeper, Ledger};
use crate::session::key::BuildKeyHasher;
use crate::session::resident::keys::Keys;
use crate::session::resident::shared::Shared;
use crate::session::resident::slot::{Revival, Slot};
use crate::session::{
    SessionError, SessionHandle, SessionKey, SessionRecord, StoreError, StoreEvent, StoreOperation, StoredSession,
};

/// What somebody wants to do with a session once it is loaded, or `None` if there is none.
type Wish = Box<dyn FnOnce(Result<Option<Arc<Slot>>, SessionError>) + Send>;

/// The look-ups on their way, each with those who wait for it, in the order in which they came.
#[derive(Default)]
pub(super) struct Loads(Mutex<HashMap<SessionKey, Vec<Wish>, BuildKeyHasher>>);

impl fmt::Debug for Loads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Loads").field(&self.0.lock().len()).finish()
    }
}

impl Shared {
    /// Looks for a session in the store, and does with it what is wished. Those who wish something of one session meanwhile
    /// come after each other, as they asked.
    pub(super) fn when_loaded(self: &Arc<Self>, key: SessionKey, wish: Wish) {
        let Some(keeper) = &self.keeper else { return wish(Ok(None)) };
        let mut loads = keeper.loads.0.lock();
        if let Some(wishes) = loads.get_mut(&key) {
            wishes.push(wish);
            return;
        }
        // It may have come in just now; then nobody is overtaken.
        if let Some(slot) = self.keys.find(&key).filter(|slot| !slot.state().is_unloaded()) {
            drop(loads);
            return wish(Ok(Some(slot)));
        }
        loads.insert(key, vec![wish]);
        drop(loads);
        let shared = Arc::clone(self);
        off_the_runtime(self, move || shared.load_for(key));
    }

    /// The session of a handle, from the store if it is not here.
    pub(in crate::session::resident) async fn load_handle(
        self: &Arc<Self>,
        handle: SessionHandle,
    ) -> Result<Option<Claimed>, SessionError> {
        let claimed = |slot| Claimed { slot, shared: Arc::clone(self) };
        let Some(keeper) = &self.keeper else { return Ok(self.resident(handle).map(claimed)) };
        keeper.residency.lock().claim(handle);
        if let Some(slot) = self.resident(handle) {
            return Ok(Some(claimed(slot)));
        }
        keeper.residency.lock().unclaim(handle);
        let (told, loaded) = oneshot::channel();
        let shared = Arc::clone(self);
        off_the_runtime(self, move || {
            let brought = shared.bring(handle);
            let claimed = brought.map(|slot| slot.map(|slot| Claimed { slot, shared }));
            drop(told.send(claimed));
        });
        loaded.await.unwrap_or(Ok(None))
    }

    pub(in crate::session::resident) fn resident(&self, handle: SessionHandle) -> Option<Arc<Slot>> {
        self.handles.lock().sessions.get(handle).cloned()
    }

    /// Looks for the session of a key, and serves those who wait for it.
    fn load_for(self: &Arc<Self>, key: SessionKey) {
        let Some(keeper) = &self.keeper else { return };
        let found = self.told(unbroken(|| keeper.store.find(&key)));
        let brought = found.and_then(|handle| handle.map_or(Ok(None), |handle| self.bring(handle)));
        loop {
            let (wishes, is_last) = {
                let mut loads = keeper.loads.0.lock();
                let waiting = loads.get_mut(&key).map(std::mem::take).unwrap_or_default();
                // That it could not be read, or was not there, holds for those who asked before that, and not for later ones.
                let is_last = waiting.is_empty() || !matches!(brought, Ok(Some(_)));
                if is_last {
                    loads.remove(&key);
                    // From here on it is found without us.
                    if let Ok(Some(slot)) = &brought
                        && let Err(error) = self.open_doors(slot)
                    {
                        tracing::error!(session = %slot.handle, %error, "a session that was loaded has the id of another");
                    }
                }
                (waiting, is_last)
            };
            for wish in wishes {
                wish(brought.clone());
            }
            if is_last {
                break;
            }
        }
        if let Ok(Some(slot)) = &brought {
            self.release_claim(slot);
        }
    }

    /// Brings a session into the memory, unless it is there, and claims it: it does not leave before [`Shared::release_claim`].
    /// It is not found by its keys yet.
    fn bring(self: &Arc<Self>, handle: SessionHandle) -> Result<Option<Arc<Slot>>, SessionError> {
        let Some(keeper) = &self.keeper else { return Ok(None) };
        keeper.residency.lock().claim(handle);
        let brought = match self.resident(handle) {
            Some(slot) => Ok(Some(slot)),
            None => self.fetch(keeper, handle),
        };
        if !matches!(brought, Ok(Some(_))) {
            keeper.residency.lock().unclaim(handle);
        }
        brought
    }

    fn fetch(&self, keeper: &Keeper, handle: SessionHandle) -> Result<Option<Arc<Slot>>, SessionError> {
        let begun = Instant::now();
        let Some(stored) = self.told(unbroken(|| keeper.store.load(handle)))? else { return Ok(None) };
        let slot = Arc::new(self.told(unbroken(|| self.revive(keeper, stored)))?);
        self.notify(|listener| listener.store(StoreEvent::Loaded { took: begun.elapsed() }));
        let residency = keeper.residency.lock();
        if residency.has_ended(handle) {
            return Ok(None);
        }
        let mut handles = self.handles.lock();
        if handles.draining {
            return Err(SessionError::Draining);
        }
        if let Some(other) = handles.sessions.get(handle) {
            return Ok(Some(Arc::clone(other)));
        }
        handles.sessions.insert(Arc::clone(&slot));
        drop(handles);
        drop(residency);
        slot.arm(|moment| self.deadlines.insert(moment, &slot));
        Ok(Some(slot))
    }

    /// What was read, or that it could not be, which the listeners hear.
    fn told<T>(&self, read: Result<T, StoreError>) -> Result<T, SessionError> {
        if let Err(error) = &read {
            self.tell_failure(StoreOperation::Read, error);
        }
        Ok(read?)
    }

    /// A session as it was stored, under the policy of today.
    fn revive(&self, keeper: &Keeper, stored: StoredSession) -> Result<Slot, StoreError> {
        let record = stored.record.clone();
        let damaged = |reason: String| StoreError::Damaged { path: std::path::PathBuf::new(), reason };
        let attributes = snapshot(stored)?;
        let keys = Keys::restored(&record.keys)
            .ok_or_else(|| damaged(format!("session {} has no id that holds", record.handle)))?;
        let ledger = Ledger::of(&record);
        let fence = record.fence.max(keeper.least_fence());
        let SessionRecord { handle, owner, timeout, lifetime, released, .. } = record;
        let policy = self.policy();
        keeper.hidden.tell(handle, attributes.hidden_by(&policy.rules.statics));
        Ok(Slot::revived(Revival {
            handle,
            owner,
            policy,
            keys,
            timeout,
            lifetime,
            released,
            fence,
            attributes,
            ledger,
        }))
    }

    /// A session that was loaded is found by its keys.
    fn open_doors(&self, slot: &Arc<Slot>) -> Result<(), SessionError> {
        let keys = slot.state().keys.all();
        for key in &keys {
            match self.keys.find(key) {
                Some(known) if Arc::ptr_eq(&known, slot) => {}
                _ => self.keys.insert(*key, Arc::clone(slot))?,
            }
        }
        if slot.state().ended.is_some() {
            for key in &keys {
                drop(self.keys.remove(key));
            }
        }
        Ok(())
    }

    fn release_claim(&self, slot: &Arc<Slot>) {
        if let Some(keeper) = &self.keeper {
            keeper.residency.lock().unclaim(slot.handle);
            self.rest(slot);
        }
    }
}

/// What was read. Whoever waits for it is told of a panic too, and the next one may ask again.
fn unbroken<T>(read: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let read = catch_unwind(AssertUnwindSafe(read));
    read.unwrap_or_else(|_| Err(StoreError::Failed { reason: "it panicked".into() }))
}

/// Somebody who looks something up, counted.
struct Reader(Arc<Shared>);

impl Reader {
    fn new(shared: &Arc<Shared>) -> Self {
        if let Some(keeper) = &shared.keeper {
            keeper.reading.fetch_add(1, Ordering::SeqCst);
        }
        Self(Arc::clone(shared))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(keeper) = &self.0.keeper {
            keeper.reading.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// A session that does not leave the memory as long as this is there.
pub(in crate::session::resident) struct Claimed {
    pub(in crate::session::resident) slot: Arc<Slot>,
    shared: Arc<Shared>,
}

impl Drop for Claimed {
    fn drop(&mut self) {
        self.shared.release_claim(&self.slot);
    }
}

/// Runs what waits for a disk where it holds up nobody else.
pub(super) fn off_the_runtime(shared: &Arc<Shared>, work: impl FnOnce() + Send + 'static) {
    let reader = Reader::new(shared);
    let work = move || {
        work();
        drop(reader);
    };
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn_blocking(work)),
        Err(_) => drop(std::thread::spawn(work)),
    }
}
