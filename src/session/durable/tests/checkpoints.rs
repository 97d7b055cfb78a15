//! Checkpoints over a store that is slow, or fails: behaviour 69.

use std::future::Future;
use std::time::Duration;

use futures_util::poll;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::gated::refusal;
use super::writing::{EXECUTION, Machine, count, create, enter, saves, try_enter, who};
use crate::block::{Block, Scalar, StreamType};
use crate::session::{
    Access, AttributeWrite, Clock as _, DurableSessionManager, EndReason, Joined, Outcome, SessionAttributes,
    SessionError, SessionId, SessionManager, SessionRequirement, SessionStore as _, StoreError, StoredStream,
};

type Kept = Result<(), SessionError>;

/// A checkpoint of the integer `n`, with the session's own attributes in hand.
fn keep(joined: &Joined, value: i64) -> impl Future<Output = Kept> + Send + use<> {
    let attributes: SessionAttributes = joined.attributes().clone();
    async move { attributes.checkpoint("n", Scalar::Integer(value)).await }
}

async fn quiet(manager: &DurableSessionManager) {
    while manager.shared().is_busy() {
        tokio::task::yield_now().await;
    }
}

/// The new id of a session; the old one holds for a while.
async fn renamed(manager: &DurableSessionManager, old: &SessionId) -> SessionId {
    let rotate = SessionRequirement::Join { id: old.clone(), wait: None, access: Access::Read, rotate: true };
    let rotated = manager.join(rotate, &who()).await.unwrap();
    let new = rotated.info().id.clone();
    rotated.release(Outcome::Commit).await.unwrap();
    new
}

/// A request whose checkpoint has reached the store, which does not answer.
async fn under_way(
    machine: &Machine,
    manager: &DurableSessionManager,
    id: &SessionId,
) -> (Joined, tokio::task::JoinHandle<Kept>) {
    let joined = enter(manager, id).await;
    machine.store.close();
    let keeping = tokio::spawn(keep(&joined, 1));
    machine.store.reached().await;
    (joined, keeping)
}

#[tokio::test]
async fn a_release_waits_for_the_checkpoint_that_is_under_way() {
    // Behaviour 69.
    for outcome in [Outcome::Commit, Outcome::Discard] {
        let machine = Machine::new();
        let manager = machine.start();
        let (id, _) = create(&manager).await;
        let (joined, keeping) = under_way(&machine, &manager, &id).await;
        joined.attributes().increment("m", 1).unwrap();
        // Whoever asked for it has left.
        keeping.abort();
        let mut release = Box::pin(joined.release(outcome));
        assert!(poll!(&mut release).is_pending());
        assert!(matches!(try_enter(&manager, &id).await, Err(SessionError::InUse { .. })));
        machine.store.open();
        release.await.unwrap();
        let joined = enter(&manager, &id).await;
        assert_eq!(count(&joined), Some(Scalar::Integer(1)), "{outcome:?}");
        assert_eq!(joined.attributes().contains("m"), outcome == Outcome::Commit);
    }
}

#[tokio::test]
async fn a_guard_that_is_dropped_meanwhile_lets_nobody_in_before() {
    // Behaviour 69.
    let machine = Machine::new();
    let manager = machine.start();
    let (id, _) = create(&manager).await;
    let (joined, keeping) = under_way(&machine, &manager, &id).await;
    keeping.abort();
    drop(joined);
    let wait = Some(Duration::from_secs(10));
    let waiting = SessionRequirement::Join { id: id.clone(), wait, access: Access::Exclusive, rotate: false };
    let mut next = manager.join(waiting, &who());
    assert!(poll!(&mut next).is_pending());
    machine.store.open();
    assert_eq!(count(&next.await.unwrap()), Some(Scalar::Integer(1)));
}

#[tokio::test]
async fn a_holder_does_not_lose_the_session_meanwhile_but_right_after() {
    // Behaviour 69.
    let machine = Machine::new();
    let manager = machine.start();
    let (id, _) = create(&manager).await;
    let (joined, keeping) = under_way(&machine, &manager, &id).await;
    machine.clock.advance(EXECUTION * 2);
    assert!(matches!(try_enter(&manager, &id).await, Err(SessionError::InUse { .. })));
    let wait = Some(Duration::from_secs(10));
    let waiting = SessionRequirement::Join { id: id.clone(), wait, access: Access::Exclusive, rotate: false };
    let waiting = tokio::spawn(manager.join(waiting, &who()));
    while manager.statistics().waiters == 0 {
        tokio::task::yield_now().await;
    }
    // Those who wait look now and then, and find it held.
    for _ in 0..3 {
        machine.clock.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
    assert!(!waiting.is_finished());
    machine.store.open();
    assert_eq!(keeping.await.unwrap(), Ok(()));
    let next = waiting.await.unwrap().unwrap();
    assert_eq!(count(&next), Some(Scalar::Integer(1)));
    assert_eq!(keep(&joined, 2).await, Err(SessionError::Conflict));
    assert_eq!(joined.release(Outcome::Commit).await.unwrap_err(), SessionError::Conflict);
}

#[tokio::test]
async fn an_end_meanwhile_comes_after_it() {
    // Behaviour 69.
    let machine = Machine::new();
    let manager = machine.start();
    let (id, handle) = create(&manager).await;
    let (joined, keeping) = under_way(&machine, &manager, &id).await;
    let mut end = Box::pin(manager.end(handle, EndReason::Killed));
    assert!(poll!(&mut end).is_pending());
    machine.store.open();
    assert_eq!(keeping.await.unwrap(), Ok(()));
    end.await.unwrap();
    assert!(matches!(keep(&joined, 2).await, Err(SessionError::Ended { reason: EndReason::Killed, .. })));
    drop(joined);
    quiet(&manager).await;
    drop(manager);
    let manager = machine.start();
    assert!(matches!(try_enter(&manager, &id).await, Err(SessionError::Ended { reason: EndReason::Killed, .. })));
}

#[tokio::test]
async fn an_old_id_that_ends_the_session_meanwhile_ends_it_with_the_checkpoint() {
    // Behaviours 43 and 69.
    let machine = Machine::new();
    let manager = machine.start();
    let (old, _) = create(&manager).await;
    let new = renamed(&manager, &old).await;
    let (joined, keeping) = under_way(&machine, &manager, &new).await;
    let mut thief = Box::pin(try_enter(&manager, &old));
    assert!(poll!(&mut thief).is_pending());
    machine.store.open();
    assert!(matches!(thief.await, Err(SessionError::Ended { reason: EndReason::Killed, .. })));
    assert!(matches!(keeping.await.unwrap(), Err(SessionError::Ended { .. })));
    drop(joined);
    quiet(&manager).await;
    drop(manager);
    assert_eq!(machine.start().statistics().explicit, 0);
}

#[tokio::test]
async fn a_request_that_is_told_to_stop_meanwhile_has_made_it() {
    // Behaviour 69.
    let machine = Machine::new();
    let manager = machine.start();
    let (id, _) = create(&manager).await;
    let (joined, keeping) = under_way(&machine, &manager, &id).await;
    assert_eq!(manager.interrupt(&id, &who().principal).await, Ok(true));
    machine.store.open();
    assert_eq!(keeping.await.unwrap(), Ok(()));
    assert_eq!(keep(&joined, 2).await, Err(SessionError::Terminated));
    drop(joined);
    assert_eq!(count(&enter(&manager, &id).await), Some(Scalar::Integer(1)));
}

#[tokio::test]
async fn what_can_not_be_written_is_no_checkpoint() {
    // Behaviours 60 and 69.
    let machine = Machine::new();
    let manager = machine.start();
    let (id, handle) = create(&manager).await;
    let joined = enter(&manager, &id).await;
    keep(&joined, 1).await.unwrap();
    machine.store.store.fail(Some(StoreError::Full));
    assert_eq!(keep(&joined, 2).await, Err(SessionError::Store(StoreError::Full)));
    machine.store.store.fail(None);
    machine.store.refuse(Some(handle));
    assert_eq!(keep(&joined, 2).await, Err(SessionError::Store(refusal())));
    machine.store.refuse(None);
    assert_eq!(count(&joined), Some(Scalar::Integer(1)), "it is as it was");
    keep(&joined, 3).await.unwrap();
    assert_eq!(joined.attributes().increment("n", 1), Ok(4));
    joined.release(Outcome::Commit).await.unwrap();
    quiet(&manager).await;
    drop(manager);
    assert_eq!(count(&enter(&machine.start(), &id).await), Some(Scalar::Integer(4)));
}

#[tokio::test]
async fn one_attribute_is_written_and_of_a_stream_what_is_new() {
    // Behaviour 69.
    let machine = Machine::new();
    let manager = machine.start();
    let (id, _) = create(&manager).await;
    let joined = enter(&manager, &id).await;
    joined.attributes().increment("other", 1).unwrap();
    let mut stream = StoredStream::new(StreamType::Text);
    stream.push(Block::Text("a".into())).unwrap();
    joined.attributes().checkpoint("log", stream.clone()).await.unwrap();
    stream.append(&stream.clone()).unwrap();
    machine.store.take();
    joined.attributes().checkpoint("log", stream).await.unwrap();
    let batches = machine.store.take();
    let writes: Vec<_> = saves(&batches).into_iter().flat_map(|save| &save.attributes).collect();
    assert!(
        matches!(&writes[..], [AttributeWrite::Append { present: 1, pieces, .. }] if pieces.len() == 1),
        "{writes:?}"
    );
    // The release has no more to write of it.
    joined.release(Outcome::Commit).await.unwrap();
    let batches = machine.store.take();
    let writes: Vec<_> = saves(&batches).into_iter().flat_map(|save| &save.attributes).collect();
    assert!(matches!(&writes[..], [AttributeWrite::Set(attribute)] if &*attribute.name == "other"), "{writes:?}");
}

#[tokio::test]
async fn checkpoints_of_many_sessions_are_one_commit() {
    // Behaviour 69.
    let machine = Machine::new();
    let manager = machine.start();
    let mut joined = Vec::new();
    for _ in 0..11 {
        let (id, _) = create(&manager).await;
        joined.push(enter(&manager, &id).await);
    }
    machine.store.close();
    let first = tokio::spawn(keep(&joined[0], 1));
    machine.store.reached().await;
    machine.store.take();
    let mut others: Vec<_> = joined[1..].iter().map(|joined| Box::pin(keep(joined, 1))).collect();
    for other in &mut others {
        assert!(poll!(other).is_pending());
    }
    machine.store.open();
    first.await.unwrap().unwrap();
    for other in others {
        other.await.unwrap();
    }
    let sizes: Vec<_> = machine.store.take().iter().map(Vec::len).collect();
    assert_eq!(sizes, [1, 10]);
}

#[tokio::test]
async fn nothing_that_is_written_later_says_that_the_session_was_left_before_it() {
    // Behaviour 69.
    let machine = Machine::new();
    let manager = machine.start();
    let (old, _) = create(&manager).await;
    let new = renamed(&manager, &old).await;
    let joined = enter(&manager, &old).await;
    machine.clock.advance(Duration::from_secs(4));
    keep(&joined, 1).await.unwrap();
    let kept = machine.clock.now();
    quiet(&manager).await;
    machine.store.take();
    // The new id is used for the first time: that is to be written, and does not touch the session.
    manager.describe(&new, &who().principal).await.unwrap();
    quiet(&manager).await;
    let batches = machine.store.take();
    let released: Vec<_> = saves(&batches).into_iter().map(|save| save.record.released).collect();
    assert_eq!(released.len(), 1);
    let then = machine.store.store.load(joined.info().handle).unwrap().unwrap().record.released;
    assert_eq!(released[0], then);
    machine.clock.advance(Duration::from_secs(1));
    keep(&joined, 2).await.unwrap();
    let later = machine.store.store.load(joined.info().handle).unwrap().unwrap().record.released;
    assert_eq!(later.since(then), machine.clock.now().since(kept));
}

/// What a request does, and what comes over it.
#[derive(Debug, Clone)]
enum Step {
    Set(usize, i64),
    Remove(usize),
    Keep(usize, i64),
    /// The store can't write at that moment.
    KeepInVain(usize, i64),
    Commit,
    Discard,
    /// The process is lost.
    Crash,
}

const NAMES: [&str; 3] = ["a", "b", "c"];

fn step() -> impl Strategy<Value = Step> {
    let (name, value) = (|| 0..NAMES.len(), || 0..1000_i64);
    prop_oneof![
        4 => (name(), value()).prop_map(|(name, value)| Step::Set(name, value)),
        2 => name().prop_map(Step::Remove),
        4 => (name(), value()).prop_map(|(name, value)| Step::Keep(name, value)),
        1 => (name(), value()).prop_map(|(name, value)| Step::KeepInVain(name, value)),
        2 => Just(Step::Commit),
        2 => Just(Step::Discard),
        2 => Just(Step::Crash),
    ]
}

/// One session lives through a history of one request after the other.
async fn live_through(steps: Vec<Step>) {
    let machine = Machine::new();
    let mut manager = machine.start();
    let (id, _) = create(&manager).await;
    let mut joined = enter(&manager, &id).await;
    let (mut released, mut view) = ([None; 3], [None; 3]);
    for step in steps {
        match step {
            Step::Set(name, value) => {
                joined.attributes().set(NAMES[name], Scalar::Integer(value)).unwrap();
                view[name] = Some(value);
                continue;
            }
            Step::Remove(name) => {
                assert_eq!(joined.attributes().remove(NAMES[name]), Ok(view[name].is_some()));
                view[name] = None;
                continue;
            }
            Step::Keep(name, value) => {
                joined.attributes().checkpoint(NAMES[name], Scalar::Integer(value)).await.unwrap();
                (released[name], view[name]) = (Some(value), Some(value));
                continue;
            }
            Step::KeepInVain(name, value) => {
                machine.store.store.fail(Some(StoreError::Full));
                joined.attributes().checkpoint(NAMES[name], Scalar::Integer(value)).await.unwrap_err();
                machine.store.store.fail(None);
                continue;
            }
            Step::Commit => {
                joined.release(Outcome::Commit).await.unwrap();
                released = view;
            }
            Step::Discard => drop(joined.release(Outcome::Discard).await.unwrap()),
            Step::Crash => {
                quiet(&manager).await;
                std::mem::forget(joined);
                manager = machine.start();
            }
        }
        joined = enter(&manager, &id).await;
        view = released;
        let status = manager.inspect(joined.info().handle).await.unwrap().status;
        let count = released.iter().flatten().count();
        assert_eq!((status.attributes, status.bytes), (count, 9 * count as u64));
        for (name, value) in NAMES.into_iter().zip(released) {
            let found = joined.attributes().get(name).and_then(|value| value.scalar());
            assert_eq!(found, value.map(Scalar::Integer), "{name}");
        }
    }
}

#[test]
fn random_histories_of_checkpoints_and_crashes_leave_what_they_should() {
    // Behaviour 69.
    let config = Config { failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&prop::collection::vec(step(), 0..40), |steps| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        runtime.block_on(live_through(steps));
        Ok(())
    });
    outcome.unwrap();
}
