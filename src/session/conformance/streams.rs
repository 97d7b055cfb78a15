//! Streams, requests that go on without their client, and how these are stopped.

use futures_util::poll;
use uuid::Uuid;

use super::Make;
use super::stage::{Stage, ZERO, commit, seconds, work};
use crate::block::{BlockWriter, StreamType, pipe};
use crate::document::Status;
use crate::session::{
    EndReason, Interruption, Joined, NewStream, OpenedStreams, Outcome, Principal, SessionError, SessionRequirement,
    StreamError,
};

/// Opens an output `tap` for the request that has joined.
fn open(joined: &Joined) -> (OpenedStreams, BlockWriter) {
    let (writer, reader) = pipe(StreamType::Text);
    let opened = joined.streams().open([NewStream::output("tap", StreamType::Text, None, reader)]).unwrap();
    (opened, writer)
}

pub(crate) async fn the_owner_reaches_the_streams_of_a_session_whoever_holds_it(make: Make) {
    // Behaviour 43.
    let stage = Stage::new(make);
    let (owner, stranger) = (Principal::new("owner"), Principal::new("stranger"));
    let joined = stage.create().await;
    let id = joined.info().id.clone();
    assert_eq!(stage.manager.streams(&id, &owner).await.unwrap().list(), []);
    let (opened, _writer) = open(&joined);
    assert_eq!(stage.manager.streams(&id, &stranger).await.unwrap_err(), SessionError::NotFound);
    let tap = stage.manager.streams(&id, &owner).await.unwrap().take_output("tap").unwrap();
    opened.complete();
    commit(joined).await;
    // The next request finds it taken, and joins all the same.
    let next = stage.enter(&id).await.unwrap();
    let again = NewStream::output("tap", StreamType::Text, None, pipe(StreamType::Text).1);
    assert_eq!(next.streams().open([again]).err(), Some(StreamError::NameTaken { name: "tap".into() }));
    drop(tap);
    assert!(stage.manager.streams(&id, &owner).await.unwrap().take_output("tap").is_ok());
}

pub(crate) async fn streams_end_with_their_session_and_not_before(make: Make) {
    // Behaviour 43: freed at the end, held or not.
    for held in [false, true] {
        let stage = Stage::new(make);
        let owner = Principal::new("owner");
        let joined = stage.create().await;
        let (id, handle) = (joined.info().id.clone(), joined.info().handle);
        let (opened, writer) = open(&joined);
        let streams = stage.manager.streams(&id, &owner).await.unwrap();
        let holder = if held { Some(joined) } else { joined.release(Outcome::Commit).await.map(|_| None).unwrap() };
        stage.clock.advance(seconds(5));
        assert!(poll!(Box::pin(writer.closed())).is_pending());
        stage.manager.end(handle, EndReason::Killed).await.unwrap();
        writer.closed().await;
        opened.read_out().await;
        assert_eq!(streams.take_output("tap").err(), Some(StreamError::SessionEnded));
        assert!(matches!(stage.manager.streams(&id, &owner).await, Err(SessionError::Ended { .. })));
        if let Some(holder) = holder {
            let late = NewStream::output("late", StreamType::Text, None, pipe(StreamType::Text).1);
            assert_eq!(holder.streams().open([late]).err(), Some(StreamError::SessionEnded));
        }
    }
}

pub(crate) async fn an_implicit_session_is_found_while_its_request_runs_if_that_is_wanted(make: Make) {
    // Behaviours 1 and 43.
    let stage = Stage::new(make);
    let owner = Principal::new("owner");
    for reachable in [false, true] {
        let joined = stage.join(SessionRequirement::Implicit { reachable }).await.unwrap();
        let id = joined.info().id.clone();
        let found = stage.manager.streams(&id, &owner).await;
        if !reachable {
            assert_eq!(found.unwrap_err(), SessionError::NotFound);
            assert_eq!(stage.try_enter(&id).await.unwrap_err(), SessionError::NotFound);
            continue;
        }
        assert_eq!(found.unwrap().list(), []);
        assert!(matches!(stage.try_enter(&id).await, Err(SessionError::InUse { .. })));
        let mut waiting = stage.enter(&id);
        assert!(poll!(&mut waiting).is_pending());
        commit(joined).await;
        assert!(matches!(waiting.await, Err(SessionError::Ended { reason: EndReason::Completed, .. })));
        assert_eq!(stage.end_of(&id).await, Some(EndReason::Completed));
    }
}

pub(crate) async fn an_owner_stops_a_request_and_keeps_the_session(make: Make) {
    let stage = Stage::new(make);
    let (owner, stranger) = (Principal::new("owner"), Principal::new("stranger"));
    let id = stage.session().await;
    assert_eq!(stage.manager.interrupt(&id, &owner).await, Ok(false), "nothing runs");
    let holder = stage.enter(&id).await.unwrap();
    holder.attributes().increment("n", 1).unwrap();
    assert_eq!(stage.manager.interrupt(&id, &stranger).await, Err(SessionError::NotFound));
    let mut stopped = holder.ended();
    assert!(poll!(&mut stopped).is_pending());
    assert_eq!(stage.manager.interrupt(&id, &owner).await, Ok(true));
    assert_eq!(stopped.await, Interruption::Terminated);
    // It holds the session until it has stopped, and can't make its changes.
    assert!(matches!(stage.join(work(&id, ZERO)).await, Err(SessionError::InUse { .. })));
    assert_eq!(holder.release(Outcome::Commit).await.unwrap_err(), SessionError::Terminated);
    let next = stage.enter(&id).await.unwrap();
    assert!(next.attributes().get("n").is_none());
    // The next one is not meant.
    assert!(poll!(&mut next.ended()).is_pending());
    commit(next).await;
}

pub(crate) async fn a_session_tells_of_its_last_request_that_went_on_without_a_client(make: Make) {
    let stage = Stage::new(make);
    let owner = Principal::new("owner");
    let joined = stage.create().await;
    let id = joined.info().id.clone();
    assert_eq!(stage.manager.describe(&id, &owner).await.unwrap().asynchronous, None);
    let progress = joined.report(Uuid::nil(), vec!["a".into(), "b".into()]).unwrap();
    progress.activity(0, Status::Completed);
    stage.clock.advance(seconds(3));
    let running = stage.manager.describe(&id, &owner).await.unwrap().asynchronous.unwrap();
    assert_eq!((running.status, running.ended), (Status::Processing, None));
    assert_eq!(running.results.iter().map(|it| it.status).collect::<Vec<_>>(), [Status::Completed, Status::Unstarted]);
    commit(joined).await;
    progress.end(Status::Completed, None);
    progress.end(Status::Error, None);
    let ended = stage.manager.describe(&id, &owner).await.unwrap().asynchronous.unwrap();
    assert_eq!((ended.status, ended.ended), (Status::Completed, Some(ended.started + seconds(3))));
}
