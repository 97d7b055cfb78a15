//! `sequence`: the requests of a session, counted by their client.

use super::{KEY, VISIT, send, visit, visits};
use crate::context::{Context, Reply};

/// A numbered visit.
async fn numbered(context: &Context, id: &str, number: u64) -> Reply {
    context.perform(&format!("<session id=\"{id}\" sequence=\"{number}\"/>{VISIT}")).await
}

#[tokio::test]
async fn the_last_number_gives_the_same_answer_and_no_second_effect() {
    // Behaviour 58.
    let context = Context::new().await;
    let id = context.create().await;
    let first = numbered(&context, &id, 1).await;
    first.is_completed();
    numbered(&context, &id, 1).await.replays(&first);
    let second = numbered(&context, &id, 2).await;
    second.is_completed();
    numbered(&context, &id, 2).await.replays(&second);
    assert_eq!(visits(&context, &id).await, 2);
}

#[tokio::test]
async fn an_older_number_and_a_gap_are_refused_with_the_number_expected() {
    // Behaviour 58.
    let context = Context::new().await;
    let id = context.create().await;
    let refused = |reply: Reply, expected: u64| {
        reply
            .is_fault(409, "SessionConflict")
            .says("retryable=\"false\"")
            .says(&format!("the next `sequence` in this session is {expected}"));
    };
    refused(numbered(&context, &id, 2).await, 1);
    for number in 1..=3 {
        numbered(&context, &id, number).await.is_completed();
    }
    for number in [1, 2, 5, u64::MAX] {
        refused(numbered(&context, &id, number).await, 4);
    }
    numbered(&context, &id, 3).await.is_completed();
    assert_eq!(visits(&context, &id).await, 3);
}

#[tokio::test]
async fn another_document_under_the_last_number_is_refused() {
    // Behaviour 58.
    let context = Context::new().await;
    let id = context.create().await;
    numbered(&context, &id, 1).await.is_completed();
    let other = format!("<session id=\"{id}\" sequence=\"1\"/>");
    context.perform(&other).await.is_fault(422, "IdempotencyKeyReused");
    numbered(&context, &id, 2).await.is_completed();
}

#[tokio::test]
async fn while_a_number_runs_neither_it_nor_the_next_does() {
    // Behaviour 58.
    let context = Context::new().await;
    let id = context.create().await;
    let slow = format!("<session id=\"{id}\" sequence=\"1\"/>{VISIT}<sleep name=\"nap\" duration=\"PT0.5S\"/>");
    let first = tokio::spawn(context.post(&slow).send());
    while context.perform(&format!("<session id=\"{id}\" wait=\"0\"/>")).await.status == 200 {}
    context.perform(&slow).await.is_fault(409, "SessionConflict").says("retryable=\"true\"");
    numbered(&context, &id, 2).await.is_fault(409, "SessionConflict").says("retryable=\"true\"");
    numbered(&context, &id, 3).await.is_fault(409, "SessionConflict").says("retryable=\"false\"");
    Reply::of(first.await.unwrap().unwrap()).await.is_completed();
    assert!(context.perform(&slow).await.is_replayed());
    numbered(&context, &id, 2).await.is_completed();
    assert_eq!(visits(&context, &id).await, 2);
}

#[tokio::test]
async fn a_number_is_used_up_by_a_request_that_failed_and_not_by_one_that_was_refused() {
    // Behaviour 58.
    let context = Context::new().await;
    let id = context.create().await;
    let failing = format!("<session id=\"{id}\" sequence=\"1\"/><refuse name=\"no\"><message>no</message></refuse>");
    let first = context.perform(&failing).await;
    assert_eq!(first.status / 100, 4, "{}", first.text);
    context.perform(&failing).await.replays(&first);
    let nonsense = format!("<session id=\"{id}\" sequence=\"2\"/><nonsense name=\"x\"/>");
    context.perform(&nonsense).await.is_fault(400, "UnknownActivity");
    numbered(&context, &id, 2).await.is_completed();
}

#[tokio::test]
async fn numbers_and_keys_do_not_get_in_each_others_way() {
    let context = Context::new().await;
    let id = context.create().await;
    let first = numbered(&context, &id, 1).await;
    for key in 0..40 {
        send(context.post(&visit(&id)).header("idempotency-key", format!("k{key}"))).await.is_completed();
    }
    numbered(&context, &id, 1).await.replays(&first);
    context.perform(&visit(&id)).await.is_completed();
    numbered(&context, &id, 2).await.is_completed();
}

#[tokio::test]
async fn the_last_number_may_end_the_session() {
    let context = Context::new().await;
    let id = context.create().await;
    let last = format!("<session id=\"{id}\" mode=\"terminate\" sequence=\"1\"/>{VISIT}");
    let first = context.perform(&last).await;
    first.is_completed();
    context.perform(&last).await.replays(&first);
    for number in [2, 3, u64::MAX] {
        numbered(&context, &id, number).await.is_fault(410, "SessionEnded");
    }
    let other = context.create().await;
    context.perform(&format!("<session id=\"{other}\" mode=\"terminate\"/>")).await.is_completed();
    numbered(&context, &other, 1).await.is_fault(410, "SessionEnded");
}

#[tokio::test]
async fn a_number_needs_a_session_that_exists_and_is_held() {
    // Behaviour 58.
    let context = Context::new().await;
    let id = context.create().await;
    for (element, why) in [
        ("<session sequence=\"1\"/>".to_owned(), "a session that exists"),
        ("<session mode=\"create\" sequence=\"1\"/>".to_owned(), "a session that exists"),
        (format!("<session id=\"{id}\" mode=\"joinOrCreate\" sequence=\"1\"/>"), "a session that exists"),
        (format!("<session id=\"{id}\" access=\"read\" sequence=\"1\"/>"), "leave `sequence` out"),
        (format!("<session id=\"{id}\" sequence=\"0\"/>"), "is 1"),
    ] {
        context.perform(&element).await.is_fault(400, "SessionRequirementInvalid").at(2, 1).says(why);
    }
    let both = context.post(&format!("<session id=\"{id}\" sequence=\"1\"/>")).header("idempotency-key", KEY);
    send(both).await.is_fault(400, "SessionRequirementInvalid").says("leave one out");
    let by_header = context.post(&format!("<session sequence=\"1\"/>{VISIT}")).header("rejoin-session", &id);
    send(by_header).await.is_completed();
    assert_eq!(visits(&context, &id).await, 1);
}

#[tokio::test]
async fn of_equal_numbers_at_the_same_moment_exactly_one_runs() {
    // Behaviour 58.
    let context = Context::new().await;
    let id = context.create().await;
    for number in 1..=4 {
        let document = format!("<session id=\"{id}\" sequence=\"{number}\"/>{VISIT}");
        let requests: Vec<_> = (0..8).map(|_| tokio::spawn(context.post(&document).send())).collect();
        let mut fresh = 0;
        for request in requests {
            let reply = Reply::of(request.await.unwrap().unwrap()).await;
            fresh += usize::from(reply.status == 200 && !reply.is_replayed());
        }
        assert_eq!(fresh, 1, "{number}");
    }
    assert_eq!(visits(&context, &id).await, 4);
}
