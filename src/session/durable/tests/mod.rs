//! The durable manager passes through the behaviours of every manager, over a store in memory and over one on disk, and has
//! some of its own.

mod checkpoints;
mod gated;
mod trouble;
mod writing;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tempfile::TempDir;

use super::{DurableSessionManager, DurableSessionManagerBuilder};
use crate::session::conformance::{Setup, durable_session_manager_conforms};
use crate::session::store::memory::MemoryStore;
use crate::session::{Durability, SessionManager, SessionStore, SqliteStore, StoreError};

fn manager(setup: Setup, store: Arc<dyn SessionStore>) -> Arc<dyn SessionManager> {
    let builder = DurableSessionManager::builder(setup.settings, store).statics(setup.statics);
    let builder = builder.clock(Arc::new(setup.clock)).ids(setup.ids);
    let manager = setup.listeners.into_iter().fold(builder, DurableSessionManagerBuilder::listener).open().unwrap();
    let shared = Arc::downgrade(manager.shared());
    setup.backstage.watch(move || shared.upgrade().is_some_and(|shared| shared.is_busy()));
    Arc::new(manager)
}

mod over_memory {
    use super::*;

    fn make(setup: Setup) -> Arc<dyn SessionManager> {
        let store = setup.backstage.place(MemoryStore::new).reopen();
        manager(setup, Arc::new(store))
    }

    durable_session_manager_conforms!(make, 300);
}

mod over_a_disk {
    use super::*;

    /// The folder of the latest store, and those of stores whose process is not heard of any more.
    #[derive(Clone)]
    struct Folders(Arc<Mutex<Vec<TempDir>>>);

    impl Folders {
        fn new() -> Self {
            Self(Arc::new(Mutex::new(vec![tempfile::tempdir().unwrap()])))
        }

        fn latest(&self) -> PathBuf {
            self.0.lock().last().unwrap().path().join("sessions")
        }

        /// What another process would find.
        fn copy_latest(&self) {
            let (from, to) = (self.latest(), tempfile::tempdir().unwrap());
            copy(&from, &to.path().join("sessions"));
            self.0.lock().push(to);
        }
    }

    fn copy(from: &Path, to: &Path) {
        fs::create_dir(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            // The index of the log belongs to the process that has it mapped.
            if !entry.file_name().to_string_lossy().ends_with("-shm") {
                fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
            }
        }
    }

    fn open(folder: &Path) -> SqliteStore {
        // The one before may be closing still.
        for _ in 0..5000 {
            match SqliteStore::open(folder, Durability::Os) {
                Err(StoreError::InUse { .. }) => std::thread::sleep(Duration::from_millis(1)),
                opened => return opened.unwrap(),
            }
        }
        panic!("the store is in use");
    }

    fn make(setup: Setup) -> Arc<dyn SessionManager> {
        let folders = setup.backstage.place(Folders::new);
        if setup.backstage.take_crash() {
            folders.copy_latest();
        }
        manager(setup, Arc::new(open(&folders.latest())))
    }

    durable_session_manager_conforms!(make, 20);
}
