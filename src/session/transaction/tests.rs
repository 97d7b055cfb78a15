use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use uuid::Uuid;

use super::*;
use crate::document::SessionConfiguration;
use crate::session::{
    Access, AttributeError, EndReason, Joined, Outcome, Participant, Principal, SessionId, SessionManager,
    SessionRequirement, TransientSessionManager,
};

/// What the branches of a test did, in order.
type Log = Arc<Mutex<Vec<String>>>;

/// A branch that writes down what it is told, and fails at one thing.
#[derive(Debug)]
struct Fake {
    name: &'static str,
    log: Log,
    fails: Option<(&'static str, BranchError)>,
}

impl Fake {
    fn told(&self, what: &str) -> Result<(), BranchError> {
        self.log.lock().push(format!("{} {what}", self.name));
        match &self.fails {
            Some((at, _)) if *at == "panic" && what == "commit" => panic!("a branch that panics"),
            Some((at, error)) if what.starts_with(at) => Err(error.clone()),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl TransactionBranch for Fake {
    async fn commit(&self) -> Result<(), BranchError> {
        self.told("commit")
    }

    async fn rollback(&self) -> Result<(), BranchError> {
        self.told("rollback")
    }

    async fn savepoint(&self, name: &str) -> Result<(), BranchError> {
        self.told(&format!("savepoint {name}"))
    }

    async fn rollback_to(&self, name: &str) -> Result<(), BranchError> {
        self.told(&format!("to {name}"))
    }

    async fn release(&self, name: &str) -> Result<(), BranchError> {
        self.told(&format!("release {name}"))
    }
}

const CREATE: SessionRequirement = SessionRequirement::Create { timeout: None };

fn refused(is_retryable: bool) -> BranchError {
    BranchError::Refused { message: "no".into(), is_retryable }
}

fn lost() -> BranchError {
    BranchError::Lost { message: "the connection broke".into() }
}

fn who() -> Participant {
    Participant { principal: Principal::anonymous(), request_id: Uuid::nil() }
}

fn enter(id: &SessionId) -> SessionRequirement {
    SessionRequirement::Join { id: id.clone(), wait: None, access: Access::Exclusive, rotate: false }
}

/// A manager of sessions, and one of their transactions.
struct Stage {
    sessions: TransientSessionManager,
    transactions: TransactionManager,
    log: Log,
}

impl Stage {
    fn new() -> Self {
        Self {
            sessions: TransientSessionManager::new(SessionConfiguration::default()),
            transactions: TransactionManager::new("transactionManager"),
            log: Log::default(),
        }
    }

    async fn join(&self, requirement: SessionRequirement) -> Joined {
        self.sessions.join(requirement, &who()).await.unwrap()
    }

    fn begin(&self, joined: &Joined) -> Arc<Transaction> {
        self.transactions.begin(joined.attributes(), TransactionOptions::default()).unwrap()
    }

    async fn enlist(
        &self,
        transaction: &Transaction,
        name: &'static str,
        fails: Option<(&'static str, BranchError)>,
    ) -> Arc<Fake> {
        let log = Arc::clone(&self.log);
        transaction.enlist(name, |_| async move { Ok(Fake { name, log, fails }) }).await.unwrap()
    }

    fn log(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock())
    }

    /// A transaction of which nobody waits for the end ends on a task of its own.
    async fn until_over(&self, transaction: &Transaction) {
        let over = async {
            while transaction.state() == TransactionState::Active {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), over).await.expect("the transaction ends");
    }
}

#[tokio::test]
async fn a_transaction_spans_the_requests_of_a_session_and_is_committed_in_order() {
    let stage = Stage::new();
    let joined = stage.join(CREATE).await;
    let id = joined.info().id.clone();
    let begun = stage.begin(&joined);
    stage.enlist(&begun, "orders", None).await;
    joined.release(Outcome::Commit).await.unwrap();

    let joined = stage.join(enter(&id)).await;
    let transaction = stage.transactions.current(joined.attributes()).unwrap();
    assert_eq!(transaction.id(), begun.id());
    stage.enlist(&transaction, "ledger", None).await;
    joined.release(Outcome::Commit).await.unwrap();

    let joined = stage.join(enter(&id)).await;
    stage.transactions.commit(joined.attributes()).await.unwrap();
    assert_eq!(stage.log(), ["orders commit", "ledger commit"]);
    assert_eq!(begun.state(), TransactionState::Committed);
    assert_eq!(stage.transactions.current(joined.attributes()).unwrap_err(), TransactionError::NotActive);
    joined.release(Outcome::Commit).await.unwrap();
    assert!(stage.log().is_empty(), "what is over is not rolled back when its attribute goes");
}

#[tokio::test]
async fn a_resource_is_enlisted_once() {
    let stage = Stage::new();
    let joined = stage.join(CREATE).await;
    let transaction = stage.begin(&joined);
    let first = stage.enlist(&transaction, "ledger", None).await;
    let second = transaction.enlist::<Fake, _>("ledger", |_| async { panic!("it has begun already") }).await.unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    let error = transaction.enlist::<Fake, _>("orders", |_| async { Err(refused(true)) }).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    transaction.commit().await.unwrap();
    assert_eq!(stage.log(), ["ledger commit"]);
}

#[tokio::test]
async fn the_end_of_the_session_rolls_back() {
    let stage = Stage::new();
    for reason in [EndReason::Killed, EndReason::Idle] {
        let joined = stage.join(CREATE).await;
        let transaction = stage.begin(&joined);
        stage.enlist(&transaction, "ledger", None).await;
        let handle = joined.info().handle;
        joined.release(Outcome::Commit).await.unwrap();
        stage.sessions.end(handle, reason).await.unwrap();
        stage.until_over(&transaction).await;
        assert_eq!((transaction.state(), stage.log()), (TransactionState::RolledBack, vec!["ledger rollback".into()]));
    }
}

#[tokio::test]
async fn the_failure_of_the_request_that_began_it_rolls_back() {
    let stage = Stage::new();
    let joined = stage.join(CREATE).await;
    let id = joined.info().id.clone();
    joined.release(Outcome::Commit).await.unwrap();
    let joined = stage.join(enter(&id)).await;
    let transaction = stage.begin(&joined);
    stage.enlist(&transaction, "ledger", None).await;
    joined.release(Outcome::Discard).await.unwrap();
    stage.until_over(&transaction).await;
    assert_eq!(stage.log(), ["ledger rollback"]);
    let joined = stage.join(enter(&id)).await;
    assert!(stage.transactions.latest(joined.attributes()).is_none());
}

#[tokio::test]
async fn the_failure_of_a_later_request_leaves_it() {
    let stage = Stage::new();
    let joined = stage.join(CREATE).await;
    let id = joined.info().id.clone();
    let transaction = stage.begin(&joined);
    joined.release(Outcome::Commit).await.unwrap();
    drop(stage.join(enter(&id)).await);
    assert_eq!(transaction.state(), TransactionState::Active);
    // One that is committed by a request that fails afterwards is committed; the session shows it until the next begins.
    let joined = stage.join(enter(&id)).await;
    stage.transactions.commit(joined.attributes()).await.unwrap();
    joined.release(Outcome::Discard).await.unwrap();
    let joined = stage.join(enter(&id)).await;
    assert_eq!(stage.transactions.latest(joined.attributes()).unwrap().state(), TransactionState::Committed);
    stage.begin(&joined);
}

#[tokio::test]
async fn what_is_over_cannot_be_ended_again() {
    let stage = Stage::new();
    let joined = stage.join(CREATE).await;
    let transaction = stage.begin(&joined);
    transaction.commit().await.unwrap();
    let finished = TransactionError::Finished { state: TransactionState::Committed };
    assert_eq!(transaction.commit().await, Err(finished.clone()));
    assert_eq!(transaction.rollback().await, Err(finished.clone()));
    assert_eq!(transaction.savepoint("a").await, Err(finished.clone()));
    assert_eq!(transaction.enlist::<Fake, _>("late", |_| async { Err(lost()) }).await.unwrap_err(), finished);

    let transaction = stage.begin(&joined);
    stage.transactions.rollback(joined.attributes()).await.unwrap();
    let error = transaction.commit().await.unwrap_err();
    assert_eq!(error, TransactionError::Finished { state: TransactionState::RolledBack });
    assert_eq!(stage.transactions.commit(joined.attributes()).await, Err(TransactionError::NotActive));
}

#[tokio::test]
async fn a_session_has_one_transaction_and_shares_it_with_no_other() {
    let stage = Stage::new();
    let (one, other) = (stage.join(CREATE).await, stage.join(CREATE).await);
    let first = stage.begin(&one);
    let again = stage.transactions.begin(one.attributes(), TransactionOptions::default());
    assert_eq!(again.unwrap_err(), TransactionError::AlreadyActive);
    assert_eq!(stage.transactions.current(other.attributes()).unwrap_err(), TransactionError::NotActive);
    let second = stage.begin(&other);
    assert_ne!(first.id(), second.id());
    stage.transactions.commit(other.attributes()).await.unwrap();
    assert_eq!(first.state(), TransactionState::Active);
}

#[tokio::test]
async fn a_request_with_read_access_begins_none_and_sees_none() {
    let stage = Stage::new();
    let joined = stage.join(CREATE).await;
    let id = joined.info().id.clone();
    stage.begin(&joined);
    joined.release(Outcome::Commit).await.unwrap();
    let reader = stage.join(SessionRequirement::Join { id, wait: None, access: Access::Read, rotate: false }).await;
    assert!(stage.transactions.latest(reader.attributes()).is_none());
    let error = stage.transactions.begin(reader.attributes(), TransactionOptions::default()).unwrap_err();
    assert!(matches!(error, TransactionError::Attribute(AttributeError::ReadAccess { .. })), "{error}");
}

#[tokio::test]
async fn another_attribute_is_not_pushed_aside() {
    let stage = Stage::new();
    let joined = stage.join(CREATE).await;
    joined.attributes().increment("transactionManager.transaction", 1).unwrap();
    let error = stage.transactions.begin(joined.attributes(), TransactionOptions::default()).unwrap_err();
    assert_eq!(error.code(), "TransactionNameTaken");
}

#[tokio::test]
async fn a_refused_first_commit_rolls_everything_back() {
    let stage = Stage::new();
    let joined = stage.join(CREATE).await;
    let transaction = stage.begin(&joined);
    stage.enlist(&transaction, "orders", Some(("commit", refused(true)))).await;
    stage.enlist(&transaction, "ledger", None).await;
    let error = transaction.commit().await.unwrap_err();
    assert_eq!(error, TransactionError::RolledBack { branch: "orders".into(), error: refused(true) });
    assert!(error.is_retryable());
    assert_eq!(transaction.state(), TransactionState::RolledBack);
    assert_eq!(stage.log(), ["orders commit", "ledger rollback"]);
}

#[tokio::test]
async fn a_commit_that_some_branches_did_and_one_did_not_says_so() {
    let stage = Stage::new();
    for (fails, code) in [
        (("commit", refused(true)), "TransactionPartlyCommitted"),
        (("commit", lost()), "TransactionInDoubt"),
        (("panic", lost()), "TransactionInDoubt"),
    ] {
        let joined = stage.join(CREATE).await;
        let transaction = stage.begin(&joined);
        stage.enlist(&transaction, "orders", None).await;
        stage.enlist(&transaction, "ledger", Some(fails)).await;
        stage.enlist(&transaction, "stock", None).await;
        let error = transaction.commit().await.unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), (code, false));
        let text = error.to_string();
        assert!(text.contains("committed in `orders`") && text.contains("`stock`"), "{text}");
        assert_eq!(transaction.state(), TransactionState::Failed);
        assert_eq!(stage.log(), ["orders commit", "ledger commit", "stock rollback"]);
    }
}

#[tokio::test]
async fn savepoints_go_to_every_branch_also_to_later_ones() {
    let stage = Stage::new();
    let joined = stage.join(CREATE).await;
    let transaction = stage.begin(&joined);
    stage.enlist(&transaction, "orders", None).await;
    transaction.savepoint("a").await.unwrap();
    transaction.savepoint("b").await.unwrap();
    stage.enlist(&transaction, "ledger", None).await;
    let both = ["orders savepoint mark1", "orders savepoint mark2", "ledger savepoint mark1", "ledger savepoint mark2"];
    assert_eq!(stage.log(), both);
    assert_eq!(transaction.savepoint("a").await, Err(TransactionError::SavepointExists { name: "a".into() }));
    transaction.rollback_to("a").await.unwrap();
    assert_eq!(stage.log(), ["orders to mark1", "ledger to mark1"]);
    assert_eq!(transaction.release("b").await, Err(TransactionError::UnknownSavepoint { name: "b".into() }));
    transaction.release("a").await.unwrap();
    assert_eq!(stage.log(), ["orders release mark1", "ledger release mark1"]);
    assert_eq!(transaction.rollback_to("a").await, Err(TransactionError::UnknownSavepoint { name: "a".into() }));
    transaction.savepoint("a").await.unwrap();
    assert_eq!(stage.log(), ["orders savepoint mark3", "ledger savepoint mark3"], "no name is given twice");
}

#[tokio::test]
async fn a_branch_that_fails_at_a_savepoint_takes_the_transaction_with_it() {
    let stage = Stage::new();
    let joined = stage.join(CREATE).await;
    let transaction = stage.begin(&joined);
    stage.enlist(&transaction, "orders", None).await;
    stage.enlist(&transaction, "ledger", Some(("savepoint", lost()))).await;
    let error = transaction.savepoint("a").await.unwrap_err();
    assert_eq!(error, TransactionError::RolledBack { branch: "ledger".into(), error: lost() });
    assert_eq!(transaction.state(), TransactionState::RolledBack);
    assert_eq!(stage.log(), ["orders savepoint mark1", "ledger savepoint mark1", "orders rollback", "ledger rollback"]);
}

#[tokio::test]
async fn a_request_that_is_cancelled_leaves_no_commit_half_done() {
    let stage = Stage::new();
    let joined = stage.join(CREATE).await;
    let transaction = stage.begin(&joined);
    stage.enlist(&transaction, "orders", None).await;
    stage.enlist(&transaction, "ledger", None).await;
    {
        let mut commit = Box::pin(transaction.commit());
        // Polled once and dropped: it has begun.
        assert!(futures_util::poll!(&mut commit).is_pending());
    }
    stage.until_over(&transaction).await;
    while transaction.state() == TransactionState::Committing {
        tokio::task::yield_now().await;
    }
    assert_eq!(stage.log(), ["orders commit", "ledger commit"]);
}

#[tokio::test]
async fn dropping_it_rolls_back() {
    let log = Log::default();
    let transaction = Transaction::begin(Uuid::nil(), TransactionOptions::default(), None);
    let branch = Fake { name: "ledger", log: Arc::clone(&log), fails: Some(("rollback", lost())) };
    transaction.enlist("ledger", |_| async { Ok(branch) }).await.unwrap();
    drop(transaction);
    while log.lock().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(*log.lock(), ["ledger rollback"]);
}
