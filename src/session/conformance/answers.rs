//! What is remembered of repeatable requests.

use bytes::Bytes;

use super::Make;
use super::stage::{Stage, commit, seconds, work};
use crate::session::{
    Access, Asked, EndReason, Fingerprint, IdempotencyKey, KeptAnswer, Outcome, Principal, Recalled, RepeatName,
    Repetition, SessionError, SessionId, SessionRequirement,
};

const KEY: &str = "8e03978e-40d5-43e8";

fn asked(name: RepeatName, session: Option<&SessionId>, what: &str) -> Asked {
    Asked { name, session: session.cloned(), fingerprint: Fingerprint::of(&[what.as_bytes()]), network: None }
}

fn key(key: &str, session: Option<&SessionId>) -> Asked {
    asked(RepeatName::Key(IdempotencyKey::new(key).unwrap()), session, "what")
}

fn number(number: u64, session: &SessionId) -> Asked {
    asked(RepeatName::Sequence(number), Some(session), "what")
}

fn answer(text: &'static str) -> KeptAnswer {
    let body = Bytes::from_static(text.as_bytes());
    KeptAnswer { status: 200, content_type: "text/plain".into(), body, accepted: false, session: None }
}

impl Stage {
    async fn recall(&self, asked: Asked) -> Recalled {
        self.manager.recall(asked, &Principal::new("owner")).await.unwrap()
    }

    /// What was remembered, if that is told.
    async fn told(&self, asked: Asked) -> Option<String> {
        match self.recall(asked).await {
            Recalled::Answered(kept) => Some(String::from_utf8(kept.body.to_vec()).unwrap()),
            _ => None,
        }
    }

    async fn new_request(&self, asked: Asked) -> Box<Repetition> {
        match self.recall(asked).await {
            Recalled::New(repetition) => repetition,
            other => panic!("{other:?}"),
        }
    }

    /// A request in a session that is answered so.
    async fn perform(&self, asked: Asked, id: &SessionId, outcome: Outcome, text: &'static str) {
        let repetition = self.new_request(asked).await;
        let joined = self.enter(id).await.unwrap();
        joined.attributes().increment("x", 1).unwrap();
        joined.release_with(outcome, Some(repetition.remember(move |_| answer(text)))).await.unwrap();
    }
}

pub(crate) async fn a_repeatable_request_is_answered_once(make: Make) {
    // Behaviour 57.
    let stage = Stage::new(make);
    let id = stage.session().await;
    stage.perform(key("k", Some(&id)), &id, Outcome::Commit, "first").await;
    assert_eq!(stage.told(key("k", Some(&id))).await.as_deref(), Some("first"));
    assert_eq!(stage.told(key("k", Some(&id))).await.as_deref(), Some("first"));
    // It does not wait for who holds the session.
    let held = stage.enter(&id).await.unwrap();
    assert_eq!(stage.told(key("k", Some(&id))).await.as_deref(), Some("first"));
    commit(held).await;
    let other = asked(RepeatName::Key(IdempotencyKey::new("k").unwrap()), Some(&id), "something else");
    assert!(matches!(stage.recall(other).await, Recalled::Reused));
    assert!(matches!(stage.recall(key("k", None)).await, Recalled::New(_)));
}

pub(crate) async fn while_a_repeatable_request_runs_nobody_else_gets_it(make: Make) {
    // Behaviour 57.
    let stage = Stage::new(make);
    let id = stage.session().await;
    let repetition = stage.new_request(key("k", Some(&id))).await;
    assert!(matches!(stage.recall(key("k", Some(&id))).await, Recalled::InFlight));
    let other = asked(RepeatName::Key(IdempotencyKey::new("k").unwrap()), Some(&id), "something else");
    assert!(matches!(stage.recall(other).await, Recalled::Reused));
    drop(repetition);
    assert!(matches!(stage.recall(key("k", Some(&id))).await, Recalled::New(_)));
}

pub(crate) async fn a_failure_is_remembered_and_a_refusal_is_not(make: Make) {
    let stage = Stage::new(make);
    let id = stage.session().await;
    stage.perform(key("failed", Some(&id)), &id, Outcome::Discard, "failure").await;
    assert_eq!(stage.told(key("failed", Some(&id))).await.as_deref(), Some("failure"));
    stage.perform(key("refused", Some(&id)), &id, Outcome::Withdraw, "refusal").await;
    assert_eq!(stage.told(key("refused", Some(&id))).await, None);
    // Of a request that was dropped nothing is left.
    let repetition = stage.new_request(key("dropped", Some(&id))).await;
    drop(stage.enter(&id).await.unwrap());
    drop(repetition);
    assert_eq!(stage.told(key("dropped", Some(&id))).await, None);
    let joined = stage.enter(&id).await.unwrap();
    assert_eq!(super::stage::integer(&joined, "x"), None);
}

pub(crate) async fn what_began_and_broke_off_is_not_run_again(make: Make) {
    let stage = Stage::new(make);
    let id = stage.session().await;
    for asked in [key("k", Some(&id)), number(1, &id), key(KEY, None)] {
        let repetition = stage.new_request(asked.clone()).await;
        repetition.begins(None).await.unwrap();
        drop(repetition);
        assert!(matches!(stage.recall(asked).await, Recalled::Unknown(_)));
    }
    // The number is used up.
    stage.perform(number(2, &id), &id, Outcome::Commit, "second").await;
    // What comes to its end takes the place of its beginning.
    let repetition = stage.new_request(key("other", Some(&id))).await;
    repetition.begins(None).await.unwrap();
    let joined = stage.enter(&id).await.unwrap();
    joined.release_with(Outcome::Commit, Some(repetition.remember(|_| answer("done")))).await.unwrap();
    drop(repetition);
    assert_eq!(stage.told(key("other", Some(&id))).await.as_deref(), Some("done"));
}

pub(crate) async fn numbers_follow_each_other(make: Make) {
    // Behaviour 58.
    let stage = Stage::new(make);
    let id = stage.session().await;
    assert!(matches!(stage.recall(number(2, &id)).await, Recalled::Expected(1)));
    stage.perform(number(1, &id), &id, Outcome::Commit, "first").await;
    assert_eq!(stage.told(number(1, &id)).await.as_deref(), Some("first"));
    stage.perform(number(2, &id), &id, Outcome::Discard, "second").await;
    assert_eq!(stage.told(number(2, &id)).await.as_deref(), Some("second"));
    for wrong in [1, 4, u64::MAX] {
        assert!(matches!(stage.recall(number(wrong, &id)).await, Recalled::Expected(3)), "{wrong}");
    }
    let other = asked(RepeatName::Sequence(2), Some(&id), "something else");
    assert!(matches!(stage.recall(other).await, Recalled::Reused));
    let running = stage.new_request(number(3, &id)).await;
    assert!(matches!(stage.recall(number(3, &id)).await, Recalled::InFlight));
    assert!(matches!(stage.recall(number(4, &id)).await, Recalled::InFlight));
    assert!(matches!(stage.recall(number(5, &id)).await, Recalled::Expected(4)));
    drop(running);
    assert!(matches!(stage.recall(number(3, &id)).await, Recalled::New(_)));
}

pub(crate) async fn a_number_is_remembered_beside_all_keys(make: Make) {
    let stage = Stage::with(make, |setup| setup.settings.replay.answers = 2);
    let id = stage.session().await;
    stage.perform(number(1, &id), &id, Outcome::Commit, "first").await;
    for name in ["a", "b", "c"] {
        stage.perform(key(name, Some(&id)), &id, Outcome::Commit, "key").await;
    }
    assert_eq!(stage.told(number(1, &id)).await.as_deref(), Some("first"));
    assert_eq!(stage.told(key("a", Some(&id))).await, None);
    assert!(stage.told(key("b", Some(&id))).await.is_some() && stage.told(key("c", Some(&id))).await.is_some());
}

pub(crate) async fn answers_go_with_their_session(make: Make) {
    let stage = Stage::with(make, |setup| setup.settings.retention = seconds(60));
    let id = stage.session().await;
    stage.perform(key("k", Some(&id)), &id, Outcome::Commit, "first").await;
    stage.perform(number(1, &id), &id, Outcome::Commit, "number").await;
    let repetition = stage.new_request(key("end", Some(&id))).await;
    let joined = stage.terminate(&id, true).await.unwrap();
    joined.release_with(Outcome::Commit, Some(repetition.remember(|_| answer("last")))).await.unwrap();
    drop(repetition);
    for gone in [key("k", Some(&id)), number(1, &id)] {
        assert_eq!(stage.told(gone).await, None);
    }
    assert_eq!(stage.end_of(&id).await, Some(EndReason::Terminated));
    assert_eq!(stage.told(key("end", Some(&id))).await.as_deref(), Some("last"));
    stage.clock.advance(seconds(59));
    assert_eq!(stage.told(key("end", Some(&id))).await.as_deref(), Some("last"));
    stage.clock.advance(seconds(2));
    let forgotten = stage.manager.recall(key("end", Some(&id)), &Principal::new("owner")).await;
    assert_eq!(forgotten.unwrap_err(), SessionError::NotFound);
}

pub(crate) async fn an_answer_without_a_session_is_kept_for_its_time(make: Make) {
    let stage = Stage::with(make, |setup| setup.settings.replay.retention = seconds(60));
    let repetition = stage.new_request(key(KEY, None)).await;
    let joined = stage.create().await;
    let id = joined.info().id.clone();
    joined.release_with(Outcome::Commit, Some(repetition.remember(|_| answer("made")))).await.unwrap();
    drop(repetition);
    commit(stage.terminate(&id, false).await.unwrap()).await;
    stage.clock.advance(seconds(59));
    assert_eq!(stage.told(key(KEY, None)).await.as_deref(), Some("made"), "it does not go with what it made");
    stage.clock.advance(seconds(2));
    assert_eq!(stage.told(key(KEY, None)).await, None);
    // Of an implicit session, too.
    let repetition = stage.new_request(key(KEY, None)).await;
    let joined = stage.join(SessionRequirement::Implicit { reachable: false }).await.unwrap();
    joined.release_with(Outcome::Commit, Some(repetition.remember(|_| answer("implicit")))).await.unwrap();
    drop(repetition);
    assert_eq!(stage.told(key(KEY, None)).await.as_deref(), Some("implicit"));
}

pub(crate) async fn a_request_that_lost_its_session_is_remembered_apart(make: Make) {
    let stage = Stage::with(make, |setup| setup.settings.join.execution = Some(seconds(5)));
    let id = stage.session().await;
    let repetition = stage.new_request(key("k", Some(&id))).await;
    let slow = stage.enter(&id).await.unwrap();
    stage.clock.advance(seconds(7));
    commit(stage.join(work(&id, None)).await.unwrap()).await;
    let refused = slow.release_with(Outcome::Commit, Some(repetition.remember(|_| answer("never")))).await;
    assert_eq!(refused, Err(SessionError::Conflict));
    repetition.keep(answer("too slow")).await.unwrap();
    drop(repetition);
    assert_eq!(stage.told(key("k", Some(&id))).await.as_deref(), Some("too slow"));
    // And one that knows that it has failed.
    let repetition = stage.new_request(key("l", Some(&id))).await;
    let slow = stage.enter(&id).await.unwrap();
    stage.clock.advance(seconds(7));
    commit(stage.join(work(&id, None)).await.unwrap()).await;
    slow.release_with(Outcome::Discard, Some(repetition.remember(|_| answer("timed out")))).await.unwrap();
    drop(repetition);
    assert_eq!(stage.told(key("l", Some(&id))).await.as_deref(), Some("timed out"));
}

pub(crate) async fn of_those_who_only_read_the_latest_answers_are_kept_too(make: Make) {
    let stage = Stage::with(make, |setup| setup.settings.replay.answers = 2);
    let id = stage.session().await;
    for name in ["a", "b", "c"] {
        let repetition = stage.new_request(key(name, Some(&id))).await;
        let joined = stage.read(&id).await.unwrap();
        joined.release_with(Outcome::Commit, Some(repetition.remember(|_| answer("read")))).await.unwrap();
    }
    assert_eq!(stage.told(key("a", Some(&id))).await, None);
    for name in ["b", "c"] {
        assert_eq!(stage.told(key(name, Some(&id))).await.as_deref(), Some("read"));
    }
}

pub(crate) async fn an_old_id_that_ends_its_session_is_told_nothing(make: Make) {
    let stage = Stage::new(make);
    let id = stage.session().await;
    let repetition = stage.new_request(key("rotate", Some(&id))).await;
    let rotate = SessionRequirement::Join { id: id.clone(), wait: None, access: Access::Exclusive, rotate: true };
    let joined = stage.join(rotate).await.unwrap();
    let new = joined.info().id.clone();
    joined.release_with(Outcome::Commit, Some(repetition.remember(|_| answer("new")))).await.unwrap();
    drop(repetition);
    commit(stage.enter(&new).await.unwrap()).await;
    assert_eq!(stage.told(key("rotate", Some(&id))).await, None);
    assert_eq!(stage.end_of(&new).await, Some(EndReason::Killed));
}

pub(crate) async fn no_answer_is_told_to_somebody_else(make: Make) {
    // Behaviour 57: a request is bound to its principal.
    let stage = Stage::new(make);
    let id = stage.session().await;
    stage.perform(key("k", Some(&id)), &id, Outcome::Commit, "secret").await;
    let other = Principal::new("other");
    let refused = stage.manager.recall(key("k", Some(&id)), &other).await;
    assert_eq!(refused.unwrap_err(), SessionError::NotFound);
    let repetition = stage.new_request(key(KEY, None)).await;
    repetition.keep(answer("secret")).await.unwrap();
    drop(repetition);
    let theirs = stage.manager.recall(key(KEY, None), &other).await.unwrap();
    assert!(matches!(theirs, Recalled::New(_)));
}
