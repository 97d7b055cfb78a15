//! What the durable manager remembers of repeatable requests, beyond the process.

use std::sync::Arc;

use bytes::Bytes;

use super::DurableSessionManager;
use crate::document::SessionConfiguration;
use crate::session::store::memory::MemoryStore;
use crate::session::{
    Access, Asked, Fingerprint, IdempotencyKey, Joined, KeptAnswer, KeptSession, ManualClock, Outcome, Participant,
    Principal, Recalled, RepeatName, Repetition, SessionError, SessionId, SessionManager, SessionRequirement,
    SessionStore, StoreError,
};

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

const KEY: &str = "8e03978e-40d5-43e8-bc93-6894a57f9324";

fn who() -> Participant {
    Participant { principal: Principal::new("owner"), request_id: uuid::Uuid::nil() }
}

fn join(id: &SessionId, rotate: bool) -> SessionRequirement {
    SessionRequirement::Join { id: id.clone(), wait: None, access: Access::Exclusive, rotate }
}

fn asked(name: RepeatName, session: Option<&SessionId>) -> Asked {
    Asked { name, session: session.cloned(), fingerprint: Fingerprint::of(&[]), network: None }
}

fn key(session: Option<&SessionId>) -> Asked {
    asked(RepeatName::Key(IdempotencyKey::new(KEY).unwrap()), session)
}

async fn recall(manager: &DurableSessionManager, asked: Asked) -> Recalled {
    manager.recall(asked, &who().principal).await.unwrap()
}

async fn new_request(manager: &DurableSessionManager, asked: Asked) -> Box<Repetition> {
    match recall(manager, asked).await {
        Recalled::New(repetition) => repetition,
        other => panic!("{other:?}"),
    }
}

/// An answer that tells the id of the session.
fn telling(joined: &Joined) -> KeptAnswer {
    let body = format!("<session id=\"{}\"/>", joined.info().id.expose());
    let session = Some(KeptSession::of(joined.info()));
    KeptAnswer { status: 200, content_type: "application/xml".into(), body: body.into(), accepted: false, session }
}

/// Performs a request that counts up and tells its session. Answers with the id that was told.
async fn perform(manager: &DurableSessionManager, asked: Asked, requirement: SessionRequirement) -> SessionId {
    let repetition = new_request(manager, asked).await;
    let joined = manager.join(requirement, &who()).await.unwrap();
    joined.attributes().increment("x", 1).unwrap();
    let (kept, id) = (telling(&joined), joined.info().id.clone());
    joined.release_with(Outcome::Commit, Some(repetition.remember(move |_| kept))).await.unwrap();
    id
}

async fn told(manager: &DurableSessionManager, asked: Asked) -> (SessionId, Bytes) {
    match recall(manager, asked).await {
        Recalled::Answered(kept) => (kept.session.unwrap().id, kept.body),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_is_told_again_after_a_restart() {
    // Behaviour 57.
    let machine = Machine::new();
    let manager = machine.start();
    let id = perform(&manager, key(None), SessionRequirement::Create { timeout: None }).await;
    let new = perform(&manager, key(Some(&id)), join(&id, true)).await;
    perform(&manager, asked(RepeatName::Sequence(1), Some(&new)), join(&new, false)).await;
    for _ in 0..2 {
        let manager = machine.start();
        let body = |id: &SessionId| Bytes::from(format!("<session id=\"{}\"/>", id.expose()));
        assert_eq!(told(&manager, key(None)).await, (id.clone(), body(&id)));
        let last = asked(RepeatName::Sequence(1), Some(&new));
        assert_eq!(told(&manager, last).await, (new.clone(), body(&new)));
        let gap = recall(&manager, asked(RepeatName::Sequence(3), Some(&new))).await;
        assert!(matches!(gap, Recalled::Expected(2)));
        let joined = manager.join(join(&new, false), &who()).await.unwrap();
        assert_eq!(super::super::conformance::integer(&joined, "x"), Some(3));
        drop(joined);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_new_id_is_found_by_who_has_the_old_one() {
    let machine = Machine::new();
    let manager = machine.start();
    let id = perform(&manager, key(None), SessionRequirement::Create { timeout: None }).await;
    let new = perform(&manager, key(Some(&id)), join(&id, true)).await;
    drop(manager);
    let manager = machine.start();
    assert_eq!(told(&manager, key(Some(&id))).await.0, new);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_learns_no_id_from_an_answer() {
    // Behaviour 51.
    let machine = Machine::new();
    let manager = machine.start();
    let id = perform(&manager, key(None), SessionRequirement::Create { timeout: None }).await;
    let new = perform(&manager, key(Some(&id)), join(&id, true)).await;
    drop(manager);
    let kept = format!("{:?}", machine.store);
    assert!(kept.contains("AnswerRecord"), "what is kept was looked at");
    let answers = [key(None).scope(None, &who().principal), {
        let handle = machine.store.reopen().list(None, 1).unwrap()[0].handle;
        key(Some(&id)).scope(Some(handle), &who().principal)
    }];
    for scope in answers {
        let record = machine.store.answer(&scope).unwrap().unwrap();
        for id in [&id, &new] {
            for secret in [id.expose().as_str().as_bytes(), id.as_bytes()] {
                assert!(memchr::memmem::find(&record.content, secret).is_none());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_running_when_the_process_died_is_not_run_again_if_it_may_have_changed_more_than_its_session() {
    let machine = Machine::new();
    let manager = machine.start();
    let id = perform(&manager, key(None), SessionRequirement::Create { timeout: None }).await;
    let numbered = || asked(RepeatName::Sequence(1), Some(&id));
    let (careful, plain) = (new_request(&manager, key(Some(&id))).await, new_request(&manager, numbered()).await);
    careful.begins(None).await.unwrap();
    let joined = manager.join(join(&id, false), &who()).await.unwrap();
    joined.attributes().increment("x", 1).unwrap();
    // It dies: nobody releases anything.
    std::mem::forget((joined, careful, plain));
    let manager = machine.start();
    assert!(matches!(recall(&manager, key(Some(&id))).await, Recalled::Unknown(_)));
    assert!(matches!(recall(&manager, numbered()).await, Recalled::New(_)));
    let joined = manager.join(join(&id, false), &who()).await.unwrap();
    assert_eq!(super::super::conformance::integer(&joined, "x"), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_written_is_not_remembered_and_may_be_sent_again() {
    let machine = Machine::new();
    let manager = machine.start();
    let id = perform(&manager, key(None), SessionRequirement::Create { timeout: None }).await;
    let repetition = new_request(&manager, key(Some(&id))).await;
    let joined = manager.join(join(&id, false), &who()).await.unwrap();
    machine.store.fail(Some(StoreError::Full));
    let kept = telling(&joined);
    let refused = joined.release_with(Outcome::Commit, Some(repetition.remember(move |_| kept))).await;
    assert_eq!(refused, Err(SessionError::Store(StoreError::Full)));
    assert_eq!(repetition.begins(None).await, Err(SessionError::Store(StoreError::Full)));
    drop(repetition);
    let unreadable = manager.recall(key(Some(&id)), &who().principal).await;
    assert_eq!(unreadable.unwrap_err(), SessionError::Store(StoreError::Full));
    machine.store.fail(None);
    perform(&manager, key(Some(&id)), join(&id, false)).await;
    assert_eq!(told(&manager, key(Some(&id))).await.0, id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_remembered_beside_the_sessions_is_bounded_across_restarts() {
    let machine = Machine::new();
    let named = |number: u8| {
        let key = IdempotencyKey::new(&format!("{KEY}-{number}")).unwrap();
        asked(RepeatName::Key(key), None)
    };
    let body = Bytes::from(vec![b'x'; 15 * 1024 * 1024]);
    // Four of them have room, each of its own process.
    for number in 0..6 {
        let manager = machine.start();
        let repetition = new_request(&manager, named(number)).await;
        let kept = KeptAnswer {
            status: 200,
            content_type: "text/plain".into(),
            body: body.clone(),
            accepted: false,
            session: None,
        };
        repetition.keep(kept).await.unwrap();
        drop(repetition);
        // What gives way is written behind it.
        while manager.shared().is_busy() {
            tokio::task::yield_now().await;
        }
    }
    let manager = machine.start();
    let mut known = Vec::new();
    for number in 0..6 {
        known.extend(matches!(recall(&manager, named(number)).await, Recalled::Answered(_)).then_some(number));
    }
    assert_eq!(known, [2, 3, 4, 5]);
}
