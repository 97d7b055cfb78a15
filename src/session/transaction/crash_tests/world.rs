//! Databases, branches and processes that die.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::session::transaction::*;
use crate::session::{
    Access, AttributeSnapshot, ManualClock, Principal, SessionAttributes, StaticSessionAttribute as _,
};

/// How a branch stands in its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stands {
    Open,
    Prepared,
    Committed,
    RolledBack,
}

/// A database that outlives processes.
#[derive(Debug, Default)]
pub(super) struct Database {
    pub(super) branches: Mutex<BTreeMap<Xid, Stands>>,
    pub(super) is_down: AtomicBool,
    /// Commits nothing.
    pub(super) refuses: AtomicBool,
    /// Panics the next time that it is asked what is prepared.
    pub(super) panics: AtomicBool,
}

impl Database {
    pub(super) fn states(&self) -> Vec<Stands> {
        self.branches.lock().values().copied().collect()
    }

    pub(super) fn enter(&self, xid: Xid, stands: Stands) {
        self.branches.lock().insert(xid, stands);
    }

    pub(super) fn check(&self) -> Result<(), BranchError> {
        if self.is_down.load(Ordering::Acquire) {
            return Err(BranchError::Lost { message: "it is down".into() });
        }
        Ok(())
    }
}

#[async_trait]
impl Recoverable for Database {
    async fn prepared(&self, log: LogId) -> Result<Vec<Xid>, BranchError> {
        self.check()?;
        assert!(!self.panics.swap(false, Ordering::AcqRel), "a driver that panics");
        let branches = self.branches.lock();
        let prepared = branches.iter().filter(|(xid, stands)| xid.log == log && **stands == Stands::Prepared);
        Ok(prepared.map(|(xid, _)| *xid).collect())
    }

    async fn settle(&self, xid: Xid, decision: Decision) -> Result<(), BranchError> {
        self.check()?;
        if self.branches.lock().get(&xid) == Some(&Stands::Prepared) {
            let decided = if decision == Decision::Commit { Stands::Committed } else { Stands::RolledBack };
            self.enter(xid, decided);
        }
        Ok(())
    }

    async fn outcome(&self, witness: &str) -> Result<Option<Decision>, BranchError> {
        self.check()?;
        let stands = Xid::parse(witness).and_then(|xid| self.branches.lock().get(&xid).copied());
        Ok(Some(if stands == Some(Stands::Committed) { Decision::Commit } else { Decision::Rollback }))
    }
}

/// Where a process dies.
#[derive(Debug, Default)]
pub(super) struct Fate {
    pub(super) at: Option<(usize, &'static str)>,
    pub(super) is_there: Notify,
    /// The branch whose connection is lost when it is told to prepare, and what it has come to then.
    pub(super) loses: Option<(usize, Stands)>,
}

impl Fate {
    /// Never comes back from the place at which the process dies.
    async fn pass(&self, branch: usize, place: &'static str) {
        if self.at == Some((branch, place)) {
            self.is_there.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

#[derive(Debug)]
struct Branch {
    number: usize,
    database: Arc<Database>,
    xid: Xid,
    prepares: bool,
    fate: Arc<Fate>,
}

#[async_trait]
impl TransactionBranch for Branch {
    async fn commit(&self) -> Result<(), BranchError> {
        self.fate.pass(self.number, "before commit").await;
        self.database.check()?;
        if self.database.refuses.load(Ordering::Acquire) {
            return Err(BranchError::Refused { message: "a constraint".into(), is_retryable: false });
        }
        self.database.enter(self.xid, Stands::Committed);
        self.fate.pass(self.number, "after commit").await;
        Ok(())
    }

    async fn rollback(&self) -> Result<(), BranchError> {
        if self.fate.loses.is_some_and(|(number, _)| number == self.number) {
            // There is nobody to tell it to.
            return Ok(());
        }
        self.database.check()?;
        self.database.enter(self.xid, Stands::RolledBack);
        Ok(())
    }

    async fn savepoint(&self, _name: &str) -> Result<(), BranchError> {
        Ok(())
    }

    async fn rollback_to(&self, _name: &str) -> Result<(), BranchError> {
        Ok(())
    }

    async fn release(&self, _name: &str) -> Result<(), BranchError> {
        Ok(())
    }

    fn can_prepare(&self) -> bool {
        self.prepares
    }

    async fn prepare(&self) -> Result<(), BranchError> {
        self.fate.pass(self.number, "before prepare").await;
        self.database.check()?;
        if let Some((_, stands)) = self.fate.loses.filter(|(number, _)| *number == self.number) {
            self.database.enter(self.xid, stands);
            return Err(BranchError::Lost { message: "the connection is gone".into() });
        }
        self.database.enter(self.xid, Stands::Prepared);
        self.fate.pass(self.number, "after prepare").await;
        Ok(())
    }

    async fn witness(&self) -> Result<Option<String>, BranchError> {
        Ok(Some(self.xid.to_string()))
    }
}

impl Drop for Branch {
    fn drop(&mut self) {
        // The connection is closed.
        if self.database.branches.lock().get(&self.xid) == Some(&Stands::Open) {
            self.database.enter(self.xid, Stands::RolledBack);
        }
    }
}

/// Some databases, and a folder for the log.
pub(super) struct World {
    pub(super) databases: Vec<Arc<Database>>,
    /// Which of them can't prepare.
    unable: Vec<usize>,
    folder: TempDir,
    pub(super) clock: ManualClock,
}

impl World {
    /// The databases of those numbers can't prepare.
    pub(super) fn new(databases: usize, unable: impl IntoIterator<Item = usize>) -> Self {
        let databases = (0..databases).map(|_| Arc::default()).collect();
        Self {
            databases,
            unable: unable.into_iter().collect(),
            folder: tempfile::tempdir().unwrap(),
            clock: ManualClock::new(),
        }
    }

    pub(super) fn manager(&self) -> TransactionManager {
        let manager = TransactionManager::new("transactions").with_clock(self.clock.clone()).with_log(self.log());
        let resources = self.databases.iter().enumerate();
        let resources = resources.map(|(name, database)| (name.to_string().into(), Arc::clone(database) as _));
        manager.attach("bank", resources.collect()).unwrap();
        manager
    }

    pub(super) fn log(&self) -> &Path {
        self.folder.path()
    }

    pub(super) async fn begin(
        &self,
        manager: &TransactionManager,
        session: &SessionAttributes,
        fate: &Arc<Fate>,
    ) -> Uuid {
        let transaction = manager.begin_for(session, TransactionOptions::default(), &Principal::new("u-1")).unwrap();
        for (number, database) in self.databases.iter().enumerate() {
            let begin = |options: TransactionOptions| {
                let xid = options.xid.unwrap();
                database.enter(xid, Stands::Open);
                let prepares = !self.unable.contains(&number);
                let (database, fate) = (Arc::clone(database), Arc::clone(fate));
                let branch = Branch { number, database, xid, prepares, fate };
                async move { Ok(branch) }
            };
            transaction.enlist(&number.to_string(), begin).await.unwrap();
        }
        transaction.id()
    }

    /// A process begins a transaction, commits it, and dies at that place; gives the id of the transaction.
    pub(super) fn die(&self, at: (usize, &'static str)) -> Uuid {
        let runtime = runtime();
        let fate = Arc::new(Fate { at: Some(at), ..Fate::default() });
        runtime.block_on(async {
            let manager = self.manager();
            let session = session();
            let id = self.begin(&manager, &session, &fate).await;
            tokio::select! {
                done = manager.commit(&session) => panic!("{at:?}: it did not die: {done:?}"),
                () = fate.is_there.notified() => id,
            }
        })
    }

    /// The next process settles what was left, and answers what became of a transaction.
    pub(super) fn recover(&self, id: Uuid) -> TransactionState {
        runtime().block_on(async {
            let manager = self.manager();
            self.until_settled(&manager).await;
            manager.state(&session(), Some(id), &Principal::new("u-1")).await.unwrap().state
        })
    }

    pub(super) async fn until_settled(&self, manager: &TransactionManager) {
        let settled = async {
            while self.databases.iter().any(|database| database.states().contains(&Stands::Prepared)) {
                manager.refresh();
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), settled).await.expect("it is settled");
    }

    pub(super) fn states(&self) -> Vec<Vec<Stands>> {
        self.databases.iter().map(|database| database.states()).collect()
    }
}

pub(super) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

pub(super) fn session() -> SessionAttributes {
    SessionAttributes::new(AttributeSnapshot::default(), Access::Exclusive, Arc::default())
}
