//! A process that dies in the middle of a commit, and the next one: all databases agree in the end.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use uuid::Uuid;

use super::*;
use crate::session::{
    Access, AttributeSnapshot, ManualClock, Principal, SessionAttributes, StaticSessionAttribute as _,
};

/// How a branch stands in its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    Open,
    Prepared,
    Committed,
    RolledBack,
}

/// A database that outlives processes.
#[derive(Debug, Default)]
struct Database {
    branches: Mutex<BTreeMap<Xid, Stands>>,
    is_down: AtomicBool,
}

impl Database {
    fn states(&self) -> Vec<Stands> {
        self.branches.lock().values().copied().collect()
    }

    fn enter(&self, xid: Xid, stands: Stands) {
        self.branches.lock().insert(xid, stands);
    }

    fn check(&self) -> Result<(), BranchError> {
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
struct Fate {
    at: Option<(usize, &'static str)>,
    /// The branch whose connection is lost when it is told to prepare, and what it has come to then.
    loses: Option<(usize, Stands)>,
    is_there: Notify,
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
        self.database.enter(self.xid, Stands::Committed);
        self.fate.pass(self.number, "after commit").await;
        Ok(())
    }

    async fn rollback(&self) -> Result<(), BranchError> {
        self.database.check()?;
        if self.fate.loses.is_some_and(|(number, _)| number == self.number) {
            // There is nobody to tell it to.
            return Ok(());
        }
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

/// Some databases, of which the one of that number can't prepare, and a folder for the log.
struct World {
    databases: Vec<Arc<Database>>,
    last: Option<usize>,
    folder: TempDir,
    clock: ManualClock,
}

impl World {
    fn new(databases: usize, last: Option<usize>) -> Self {
        let databases = (0..databases).map(|_| Arc::default()).collect();
        Self { databases, last, folder: tempfile::tempdir().unwrap(), clock: ManualClock::new() }
    }

    fn manager(&self) -> TransactionManager {
        let manager = TransactionManager::new("transactions").with_clock(self.clock.clone()).with_log(self.log());
        let resources = self.databases.iter().enumerate();
        let resources = resources.map(|(name, database)| (name.to_string().into(), Arc::clone(database) as _));
        manager.attach("bank", resources.collect()).unwrap();
        manager
    }

    fn log(&self) -> &Path {
        self.folder.path()
    }

    async fn begin(&self, manager: &TransactionManager, session: &SessionAttributes, fate: &Arc<Fate>) -> Uuid {
        let transaction = manager.begin_for(session, TransactionOptions::default(), &Principal::new("u-1")).unwrap();
        for (number, database) in self.databases.iter().enumerate() {
            let begin = |options: TransactionOptions| {
                let xid = options.xid.unwrap();
                database.enter(xid, Stands::Open);
                let prepares = self.last != Some(number);
                let branch = Branch { number, database: Arc::clone(database), xid, prepares, fate: Arc::clone(fate) };
                async move { Ok(branch) }
            };
            transaction.enlist(&number.to_string(), begin).await.unwrap();
        }
        transaction.id()
    }

    /// A process begins a transaction, commits it, and dies at that place; gives the id of the transaction.
    fn die(&self, at: (usize, &'static str)) -> Uuid {
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
    fn recover(&self, id: Uuid) -> TransactionState {
        runtime().block_on(async {
            let manager = self.manager();
            self.until_settled(&manager).await;
            manager.state(&session(), Some(id), &Principal::new("u-1")).await.unwrap().state
        })
    }

    async fn until_settled(&self, manager: &TransactionManager) {
        let settled = async {
            while self.databases.iter().any(|database| database.states().contains(&Stands::Prepared)) {
                manager.refresh();
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), settled).await.expect("it is settled");
    }

    fn states(&self) -> Vec<Vec<Stands>> {
        self.databases.iter().map(|database| database.states()).collect()
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn session() -> SessionAttributes {
    SessionAttributes::new(AttributeSnapshot::default(), Access::Exclusive, Arc::default())
}

#[test]
fn wherever_a_process_dies_all_databases_agree() {
    let places = ["before prepare", "after prepare", "before commit", "after commit"];
    for (number, place) in (0..3).flat_map(|number| places.map(|place| (number, place))) {
        let world = World::new(3, None);
        let id = world.die((number, place));
        let state = world.recover(id);
        let (stands, expected) = match place {
            "before prepare" | "after prepare" => (Stands::RolledBack, TransactionState::RolledBack),
            _ => (Stands::Committed, TransactionState::Committed),
        };
        assert_eq!(world.states(), [[stands]; 3], "it died at {number}, {place}");
        assert_eq!(state, expected, "it died at {number}, {place}");
    }
}

#[test]
fn one_that_cannot_prepare_is_the_last_and_is_believed_what_it_did() {
    for last in 0..3 {
        for (number, place) in [(last, "before commit"), (last, "after commit"), ((last + 1) % 3, "before commit")] {
            let world = World::new(3, Some(last));
            let id = world.die((number, place));
            let state = world.recover(id);
            let is_committed = number != last || place == "after commit";
            let expected = if is_committed { Stands::Committed } else { Stands::RolledBack };
            assert_eq!(world.states(), [[expected]; 3], "last {last}, died at {number}, {place}");
            assert_eq!(state == TransactionState::Committed, is_committed, "last {last}, died at {number}, {place}");
        }
    }
}

#[test]
fn one_database_alone_is_never_in_doubt() {
    for (last, place, committed) in [
        (None, "after prepare", false),
        (None, "before commit", true),
        (Some(0), "before commit", false),
        (Some(0), "after commit", true),
    ] {
        let world = World::new(1, last);
        let id = world.die((0, place));
        let state = if committed { TransactionState::Committed } else { TransactionState::RolledBack };
        assert_eq!(until_known(&world, id, state), state, "{last:?} {place}");
    }
}

/// A witness is asked in the background, also where nothing is prepared.
fn until_known(world: &World, id: Uuid, expected: TransactionState) -> TransactionState {
    runtime().block_on(async {
        let manager = world.manager();
        let known = async {
            loop {
                let report = manager.state(&session(), Some(id), &Principal::new("u-1")).await.unwrap();
                if report.state == expected {
                    return report.state;
                }
                manager.refresh();
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), known).await.expect("it is known in the end")
    })
}

#[test]
fn a_database_that_does_not_answer_is_asked_until_it_does() {
    let world = World::new(2, None);
    runtime().block_on(async {
        let (manager, session) = (world.manager(), session());
        let fate = Arc::new(Fate { at: Some((0, "after commit")), ..Fate::default() });
        world.begin(&manager, &session, &fate).await;
        {
            let mut commit = std::pin::pin!(manager.commit(&session));
            tokio::select! {
                done = &mut commit => panic!("{done:?}"),
                () = fate.is_there.notified() => world.databases[1].is_down.store(true, Ordering::Release),
            }
        }
        // The process goes on; only this commit never does. What it has decided holds, but it is still at it.
        manager.refresh();
        tokio::task::yield_now().await;
        assert_eq!(world.states(), [[Stands::Committed], [Stands::Prepared]]);
    });
    runtime().block_on(async {
        let manager = world.manager();
        for _ in 0..10 {
            manager.refresh();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(world.states()[1], [Stands::Prepared], "it is down");
        world.databases[1].is_down.store(false, Ordering::Release);
        world.until_settled(&manager).await;
        assert_eq!(world.states(), [[Stands::Committed]; 2]);
    });
}

#[tokio::test]
async fn a_database_that_goes_down_after_the_decision_is_committed_later() {
    let world = World::new(2, None);
    let (manager, session) = (world.manager(), session());
    let id = world.begin(&manager, &session, &Arc::default()).await;
    // It goes down when the first is told to commit: its own commit is refused.
    let second = Arc::clone(&world.databases[1]);
    let transaction = manager.current(&session).unwrap();
    let watching = tokio::spawn(async move {
        while !second.states().contains(&Stands::Prepared) {
            tokio::task::yield_now().await;
        }
        second.is_down.store(true, Ordering::Release);
    });
    manager.commit(&session).await.unwrap();
    watching.await.unwrap();
    assert_eq!(transaction.state(), TransactionState::Committed, "what is decided holds");
    world.databases[1].is_down.store(false, Ordering::Release);
    world.until_settled(&manager).await;
    assert_eq!(world.states(), [[Stands::Committed]; 2]);
    let state = manager.state(&session, Some(id), &Principal::new("u-1")).await.unwrap().state;
    assert_eq!(state, TransactionState::Committed);
}

/// A transaction of two databases, the first of which has come to that when its connection is lost while it prepares.
async fn lose_while_preparing(world: &World, stands: Stands) -> TransactionManager {
    let (manager, session) = (world.manager(), session());
    // Nothing is due any more.
    for _ in 0..100 {
        manager.refresh();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let fate = Arc::new(Fate { loses: Some((0, stands)), ..Fate::default() });
    world.begin(&manager, &session, &fate).await;
    let lost = manager.commit(&session).await.unwrap_err();
    assert!(matches!(lost, TransactionError::RolledBack { .. }), "{lost:?}");
    manager
}

#[tokio::test]
async fn a_branch_that_was_lost_while_it_was_prepared_is_rolled_back() {
    let world = World::new(2, None);
    let manager = lose_while_preparing(&world, Stands::Prepared).await;
    world.until_settled(&manager).await;
    assert_eq!(world.states(), [[Stands::RolledBack]; 2]);
}

#[tokio::test]
async fn a_branch_that_is_prepared_after_all_have_gone_is_found_within_minutes() {
    let world = World::new(2, None);
    let manager = lose_while_preparing(&world, Stands::Open).await;
    for _ in 0..100 {
        manager.refresh();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // The statement was under way all the time.
    let xid = *world.databases[0].branches.lock().keys().next().unwrap();
    world.databases[0].enter(xid, Stands::Prepared);
    world.clock.advance(Duration::from_mins(1));
    world.until_settled(&manager).await;
    assert_eq!(world.states(), [[Stands::RolledBack]; 2]);
}

#[tokio::test]
async fn branches_of_other_logs_are_left_alone() {
    let world = World::new(1, None);
    let foreign = Xid { log: LogId::new(1), transaction: Uuid::from_u128(1), branch: 0 };
    world.databases[0].enter(foreign, Stands::Prepared);
    let manager = world.manager();
    let own = Xid { log: own_log(&world), transaction: Uuid::from_u128(2), branch: 0 };
    world.databases[0].enter(own, Stands::Prepared);
    let settled = async {
        while world.databases[0].branches.lock()[&own] == Stands::Prepared {
            manager.refresh();
            // A round that came before the branch has found nothing, and none is due.
            log::DecisionLog::open(world.log()).unwrap().leave_behind();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), settled).await.unwrap();
    assert_eq!(
        world.databases[0].branches.lock()[&own],
        Stands::RolledBack,
        "nobody has decided: presumed to be aborted"
    );
    assert_eq!(world.databases[0].branches.lock()[&foreign], Stands::Prepared);
}

fn own_log(world: &World) -> LogId {
    log::DecisionLog::open(world.log()).unwrap().id()
}

#[tokio::test]
async fn nobody_else_is_told_what_became_of_a_transaction() {
    let world = World::new(2, None);
    let (manager, own_session) = (world.manager(), session());
    let id = world.begin(&manager, &own_session, &Arc::default()).await;
    manager.commit(&own_session).await.unwrap();
    for (owner, is_told) in [("u-1", true), ("u-2", false)] {
        let state = manager.state(&session(), Some(id), &Principal::new(owner)).await;
        assert_eq!(state.is_ok(), is_told, "{owner}: {state:?}");
    }
}

#[test]
fn a_log_belongs_to_one_process_and_its_id_stays() {
    let folder = tempfile::tempdir().unwrap();
    let log = log::DecisionLog::open(folder.path()).unwrap();
    let again = log::DecisionLog::open(folder.path()).unwrap();
    assert!(Arc::ptr_eq(&log, &again), "in one process it is the same");
    let other = rusqlite::Connection::open(folder.path().join("transactions.db")).unwrap();
    other.busy_timeout(Duration::ZERO).unwrap();
    assert!(other.execute_batch("BEGIN IMMEDIATE").is_err(), "another one does not get it");
    let (id, weak): (LogId, Weak<_>) = (log.id(), Arc::downgrade(&log));
    drop((log, again));
    assert!(weak.upgrade().is_none());
    assert_eq!(log::DecisionLog::open(folder.path()).unwrap().id(), id);
    std::fs::write(folder.path().join("other"), "").unwrap();
    let foreign = tempfile::tempdir().unwrap();
    rusqlite::Connection::open(foreign.path().join("transactions.db"))
        .unwrap()
        .execute_batch("CREATE TABLE t (x)")
        .unwrap();
    assert_eq!(log::DecisionLog::open(foreign.path()).unwrap_err(), LogError::Foreign);
}
