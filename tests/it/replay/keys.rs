//! `Idempotency-Key`.

use rejoin::document::SessionConfiguration;

use super::{KEY, VISIT, keyed, send, visit, visits};
use crate::context::{Context, Reply, perform};

#[tokio::test]
async fn the_same_key_gives_the_same_answer_and_no_second_effect() {
    // Behaviour 57.
    let context = Context::new().await;
    let id = context.create().await;
    let first = keyed(&context, &visit(&id), KEY).await;
    first.is_completed();
    for quoted in [KEY.to_owned(), format!("\"{KEY}\"")] {
        keyed(&context, &visit(&id), &quoted).await.replays(&first);
    }
    assert_eq!(visits(&context, &id).await, 1);
}

#[tokio::test]
async fn the_same_key_with_another_document_is_refused() {
    // Behaviour 57.
    let context = Context::new().await;
    let id = context.create().await;
    let first = keyed(&context, &visit(&id), KEY).await;
    let other = format!("{}<sleep name=\"nap\" duration=\"1\"/>", visit(&id));
    keyed(&context, &other, KEY).await.is_fault(422, "IdempotencyKeyReused").says("retryable=\"false\"");
    let raw = context.post(&visit(&id)).query(&[("return", "n")]).header("idempotency-key", KEY);
    send(raw).await.is_fault(422, "IdempotencyKeyReused");
    let json = context.post(&visit(&id)).header("accept", "application/problem+json").header("idempotency-key", KEY);
    assert_eq!(send(json).await.status, 422);
    keyed(&context, &visit(&id), KEY).await.replays(&first);
    assert_eq!(visits(&context, &id).await, 1);
}

#[tokio::test]
async fn a_request_in_flight_is_not_run_a_second_time() {
    // Behaviour 57.
    let context = Context::new().await;
    let id = context.create().await;
    let slow = format!("{}<sleep name=\"nap\" duration=\"PT0.5S\"/>", visit(&id));
    let first = tokio::spawn(context.post(&slow).header("idempotency-key", KEY).send());
    while context.perform(&format!("<session id=\"{id}\" wait=\"0\"/>")).await.status == 200 {}
    let second = keyed(&context, &slow, KEY).await;
    second.is_fault(409, "SessionConflict").says("retryable=\"true\"");
    assert_eq!(second.header("retry-after"), "1");
    keyed(&context, &visit(&id), KEY).await.is_fault(422, "IdempotencyKeyReused");
    let first = Reply::of(first.await.unwrap().unwrap()).await;
    keyed(&context, &slow, KEY).await.replays(&first);
    assert_eq!(visits(&context, &id).await, 1);
}

#[tokio::test]
async fn of_equal_requests_at_the_same_moment_exactly_one_runs() {
    // Behaviour 57.
    let context = Context::new().await;
    let id = context.create().await;
    let requests: Vec<_> =
        (0..16).map(|_| tokio::spawn(context.post(&visit(&id)).header("idempotency-key", KEY).send())).collect();
    let mut fresh = 0;
    for request in requests {
        let reply = Reply::of(request.await.unwrap().unwrap()).await;
        match reply.status {
            200 => fresh += usize::from(!reply.is_replayed()),
            _ => drop(reply.is_fault(409, "SessionConflict")),
        }
    }
    assert_eq!(fresh, 1);
    assert_eq!(visits(&context, &id).await, 1);
}

#[tokio::test]
async fn a_key_means_something_else_in_another_session() {
    // Behaviour 57: the scope of a key is its session.
    let context = Context::new().await;
    let (first, second) = (context.create().await, context.create().await);
    for id in [&first, &second] {
        let header =
            |request: reqwest::RequestBuilder| request.header("rejoin-session", id).header("idempotency-key", "k");
        let reply = send(header(context.post(VISIT))).await;
        reply.is_completed();
        send(header(context.post(VISIT))).await.replays(&reply);
        assert_eq!(visits(&context, id).await, 1);
    }
}

#[tokio::test]
async fn a_lost_new_session_is_found_again_and_not_made_twice() {
    // Behaviour 57.
    let mut session = SessionConfiguration::default();
    session.limits.sessions = Some(1);
    let context = Context::with(|builder, resource| builder.resource(resource.session(session))).await;
    let created = keyed(&context, &format!("<session/>{VISIT}"), KEY).await;
    created.is_completed().says("created=\"true\"");
    let again = keyed(&context, &format!("<session/>{VISIT}"), KEY).await;
    again.replays(&created);
    assert_eq!(again.header("rejoin-session"), created.session_id());
    assert_eq!(visits(&context, &created.session_id()).await, 1);
}

#[tokio::test]
async fn a_request_without_a_session_is_remembered_for_its_principal() {
    // Behaviour 57.
    let context = Context::new().await;
    let update = "<sqlUpdateStatement name=\"u\"><expression>INSERT INTO customer VALUES (9, 'x', 'y', NULL, 0)</expression>\
                  </sqlUpdateStatement>";
    let first = keyed(&context, update, KEY).await;
    first.is_completed();
    keyed(&context, update, KEY).await.replays(&first);
    // It would have failed the second time.
    keyed(&context, update, "another-key-of-16").await.is_fault(422, "ActivityFailed");
}

#[tokio::test]
async fn what_was_named_or_made_is_answered_the_same_when_it_is_gone() {
    // Behaviour 57: joinOrCreate, whose session has ended between the request and its repetition.
    let context = Context::new().await;
    let id = context.create().await;
    let either = format!("<session id=\"{id}\" mode=\"joinOrCreate\"/>{VISIT}");
    let joined = keyed(&context, &either, KEY).await;
    joined.is_completed().says("created=\"false\"");
    context.perform(&format!("<session id=\"{id}\" mode=\"terminate\"/>")).await.is_completed();
    keyed(&context, &either, KEY).await.replays(&joined);
    // With another key it makes a session, and is told that again.
    let made = keyed(&context, &either, "another-key-of-16").await;
    made.is_completed().says("created=\"true\"");
    assert_ne!(made.session_id(), id);
    keyed(&context, &either, "another-key-of-16").await.replays(&made);
}

#[tokio::test]
async fn the_answer_that_ended_a_session_is_told_again() {
    let context = Context::new().await;
    let id = context.create().await;
    let last = format!("<session id=\"{id}\" mode=\"terminate\"/>{VISIT}");
    let first = keyed(&context, &last, "k").await;
    first.is_completed();
    keyed(&context, &last, "k").await.replays(&first);
    // What was remembered with the session has gone with it.
    keyed(&context, &last, "other").await.is_fault(410, "SessionEnded");
}

#[tokio::test]
async fn an_old_id_that_still_holds_finds_the_answer() {
    let context = Context::new().await;
    let id = context.create().await;
    let rotate = format!("<session id=\"{id}\" rotate=\"true\"/>{VISIT}");
    let first = keyed(&context, &rotate, "k").await;
    first.is_completed();
    assert_ne!(first.session_id(), id);
    keyed(&context, &rotate, "k").await.replays(&first);
    assert_eq!(visits(&context, &first.session_id()).await, 1);
}

#[tokio::test]
async fn a_replay_does_not_wait_for_the_session() {
    let context = Context::new().await;
    let id = context.create().await;
    let first = keyed(&context, &visit(&id), "k").await;
    let sleeper = format!("<session id=\"{id}\"/><sleep name=\"nap\" duration=\"PT10M\"/>");
    let holder = tokio::spawn(context.post(&sleeper).send());
    while context.perform(&format!("<session id=\"{id}\" wait=\"0\"/>")).await.status == 200 {}
    keyed(&context, &visit(&id), "k").await.replays(&first);
    holder.abort();
}

#[tokio::test]
async fn a_failure_is_remembered_once_anything_ran() {
    let context = Context::new().await;
    let id = context.create().await;
    let failing = format!("{}<refuse name=\"no\"><message>no</message></refuse>", visit(&id));
    let first = keyed(&context, &failing, "k").await;
    assert!((400..500).contains(&first.status), "{}", first.text);
    keyed(&context, &failing, "k").await.replays(&first);
    assert_eq!(visits(&context, &id).await, 0);
}

#[tokio::test]
async fn what_was_refused_before_anything_ran_may_be_sent_again() {
    let context = Context::new().await;
    let id = context.create().await;
    let sleeper = format!("<session id=\"{id}\"/><sleep name=\"nap\" duration=\"PT10M\"/>");
    let holder = tokio::spawn(context.post(&sleeper).send());
    while context.perform(&format!("<session id=\"{id}\" wait=\"0\"/>")).await.status == 200 {}
    let hasty = format!("<session id=\"{id}\" wait=\"0\"/>{VISIT}");
    keyed(&context, &hasty, "k").await.is_fault(423, "SessionInUse");
    holder.abort();
    let reply = loop {
        let reply = keyed(&context, &hasty, "k").await;
        if reply.status == 200 {
            break reply;
        }
    };
    assert!(!reply.is_replayed());
    keyed(&context, "<nonsense name=\"x\"/>", KEY).await.is_fault(400, "UnknownActivity");
    keyed(&context, "<session/>", KEY).await.is_completed();
}

#[tokio::test]
async fn a_retryable_fault_that_is_remembered_says_what_to_do() {
    let folder = "/nowhere";
    let context = Context::with(|builder, _| {
        builder.resource(rejoin::service::ConfiguredResource::new("data", folder).data_resource("sqlite:none.db"))
    })
    .await;
    let query =
        "<sqlQueryStatement name=\"q\"><expression>SELECT 1</expression><resultStream name=\"r\"/></sqlQueryStatement>
        <sqlResultsToCSV name=\"f\"><resultSet from=\"r\"/><csvOutput name=\"c\"/></sqlResultsToCSV>";
    let first = keyed(&context, query, KEY).await;
    first.is_fault(502, "DataResourceUnavailable").says("retryable=\"false\"").says("another key");
    keyed(&context, query, KEY).await.replays(&first);
}

#[tokio::test]
async fn keys_that_can_be_guessed_are_refused_where_they_stand_for_a_client() {
    let context = Context::new().await;
    for key in ["k", "fifteen-letters"] {
        keyed(&context, "<session/>", key).await.is_fault(400, "RequestInvalid").says("UUID");
    }
    for key in ["", "\"\"", "a b", "\"a", "é"] {
        let request = context.post("<session/>").header("idempotency-key", key.as_bytes());
        send(request).await.is_fault(400, "RequestInvalid").says("Idempotency-Key");
    }
    let twice = context.post("<session/>").header("idempotency-key", KEY).header("idempotency-key", KEY);
    send(twice).await.is_fault(400, "RequestInvalid").says("twice");
    let missing = keyed(&context, &visit("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"), "k").await;
    missing.is_fault(404, "SessionNotFound");
}

#[tokio::test]
async fn of_a_session_the_latest_answers_are_kept() {
    let mut session = SessionConfiguration::default();
    session.replay.answers = 2;
    let context = Context::with(|builder, resource| builder.resource(resource.session(session))).await;
    let id = context.create().await;
    for key in ["a", "b", "c"] {
        keyed(&context, &visit(&id), key).await.is_completed();
    }
    assert!(keyed(&context, &visit(&id), "b").await.is_replayed());
    assert!(!keyed(&context, &visit(&id), "a").await.is_replayed(), "it was forgotten");
}

#[tokio::test]
async fn a_page_of_another_origin_may_read_that_an_answer_is_told_again() {
    let mut session = SessionConfiguration::default();
    session.carrier.origins = vec![rejoin::document::Origin::parse("https://a.example").unwrap()];
    let context = Context::with(|builder, resource| builder.resource(resource.session(session))).await;
    let request = context.post("<session/>").header("origin", "https://a.example").header("idempotency-key", KEY);
    let reply = send(request).await;
    assert!(reply.header("access-control-expose-headers").contains("rejoin-replayed"), "{reply:?}");
    assert!(perform("").starts_with("<perform"));
}

#[tokio::test]
async fn requests_that_are_sent_again_are_counted() {
    let context = Context::new().await;
    let id = context.create().await;
    for content in [visit(&id), visit(&id), visit(&id), format!("<session id=\"{id}\"/>")] {
        keyed(&context, &content, "k").await;
    }
    let metrics = context.client.get(format!("{}/metrics", context.server.url())).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    for (reason, count) in [("answered", 2), ("reused", 1)] {
        let line = format!("rejoin_repeats_total{{resource=\"data\",reason=\"{reason}\"}} {count}\n");
        assert!(metrics.contains(&line), "{metrics}");
    }
}
