//! Sessions through HTTP. The numbers are those of the list of behaviours in `docs/sessions.md`.

use std::time::{Duration, Instant};

use crate::context::{Context, Reply};

fn set(name: &str, value: &str) -> String {
    format!(
        "<sessionAttributeManagement name=\"set\"><setAttribute name=\"{name}\">{value}</setAttribute></sessionAttributeManagement>"
    )
}

fn get(name: &str) -> String {
    format!(
        "<sessionAttributeManagement name=\"get\"><getAttribute name=\"{name}\"/><output name=\"value\"/></sessionAttributeManagement>"
    )
}

const COUNT: &str = "<sessionAttributeManagement name=\"count\"><incrementAttribute name=\"n\"/><output name=\"now\"/></sessionAttributeManagement>";

fn join(id: &str) -> String {
    format!("<session id=\"{id}\"/>")
}

/// Behaviour 1.
#[tokio::test]
async fn an_implicit_session_ends_with_its_request() {
    let context = Context::new().await;
    let reply = context.perform(&set("x", "1")).await;
    let id = reply.is_completed().session_id();
    context.perform(&join(&id)).await.is_fault(410, "SessionEnded").says("recreateSession=\"true\"");
}

/// Behaviours 3 and 4.
#[tokio::test]
async fn a_new_session_keeps_attributes_for_the_next_request() {
    let context = Context::new().await;
    let reply = context.perform(&format!("<session timeout=\"PT5M\"/>{}", set("x", "a &lt; b"))).await;
    reply
        .is_completed()
        .says("created=\"true\"")
        .says("timeout=\"300000\"")
        .says("idleExpires=\"")
        .says("lifetimeExpires=\"");
    let id = reply.session_id();
    assert_eq!(reply.header("rejoin-session"), id);
    let reply = context.perform(&format!("{}{}", join(&id), get("x"))).await;
    reply.is_completed().says("created=\"false\"").says("<attribute name=\"x\" type=\"text\">a &lt; b</attribute>");
}

/// Behaviours 5 and 11.
#[tokio::test]
async fn a_join_never_creates() {
    let context = Context::new().await;
    let unknown = "A".repeat(43);
    context.perform(&format!("{}{}", join(&unknown), set("x", "1"))).await.is_fault(404, "SessionNotFound");
    context.perform(&join("nonsense")).await.is_fault(400, "SessionRequirementInvalid");
}

/// Behaviour 6.
#[tokio::test]
async fn join_or_create_says_which() {
    let context = Context::new().await;
    let unknown = "A".repeat(43);
    let reply = context.perform(&format!("<session id=\"{unknown}\" mode=\"joinOrCreate\"/>")).await;
    let id = reply.is_completed().says("created=\"true\"").session_id();
    assert_ne!(id, unknown);
    let reply = context.perform(&format!("<session id=\"{id}\" mode=\"joinOrCreate\"/>")).await;
    assert_eq!(reply.is_completed().says("created=\"false\"").session_id(), id);
}

/// Behaviours 7, 34 and 37.
#[tokio::test]
async fn terminate_ends_the_session_after_the_activities_and_again_without_them() {
    let context = Context::new().await;
    let id = context.create().await;
    let terminate = format!("<session id=\"{id}\" mode=\"terminate\"/>");
    let reply = context.perform(&format!("{terminate}{COUNT}")).await;
    reply.is_completed().says("<attribute name=\"n\" type=\"integer\">1</attribute>");
    context.perform(&terminate).await.is_completed();
    context.perform(&format!("{terminate}{COUNT}")).await.is_fault(410, "SessionEnded").says("reason=\"terminated\"");
    context.perform(&join(&id)).await.is_fault(410, "SessionEnded").says("reason=\"terminated\"").says("time=\"");
}

/// Behaviours 8 and 44.
#[tokio::test]
async fn the_id_may_travel_in_the_header() {
    let context = Context::new().await;
    let id = context.create().await;
    for header in ["Rejoin-Session", "rejoin-session", "REJOIN-SESSION"] {
        let reply = Reply::of(context.post(COUNT).header(header, &id).send().await.unwrap()).await;
        assert_eq!(reply.is_completed().session_id(), id);
    }
    let terminate = context.post("<session mode=\"terminate\"/>").header("rejoin-session", &id);
    let other = context.create().await;
    let both = context.post(&join(&other)).header("rejoin-session", &id);
    Reply::of(both.send().await.unwrap()).await.is_fault(400, "SessionRequirementInvalid").says("different sessions");
    Reply::of(terminate.send().await.unwrap()).await.is_completed();
    context.perform(&join(&id)).await.is_fault(410, "SessionEnded");
}

/// Behaviours 12 and 13.
#[tokio::test]
async fn two_hundred_parallel_increments_give_two_hundred() {
    let context = Context::with(|builder, mut resource| {
        resource.session.join.max_waiters = 200;
        builder.resource(resource).admission(64, 256)
    })
    .await;
    let id = context.create().await;
    let requests = (0..200).map(|_| async {
        let reply =
            Reply::of(context.post(&format!("<session id=\"{id}\" wait=\"60000\"/>{COUNT}")).send().await.unwrap())
                .await;
        reply.is_completed();
    });
    futures_util::future::join_all(requests).await;
    context.perform(&format!("{}{}", join(&id), get("n"))).await.says(">200</attribute>");
}

/// Behaviours 9, 14 and 15.
#[tokio::test]
async fn while_a_request_holds_the_session_others_are_told_and_readers_see_what_was_released() {
    let context = Context::new().await;
    let id = context.create().await;
    context.perform(&format!("{}{}", join(&id), set("x", "before"))).await.is_completed();
    let holder = context.post(&format!("{}{}<sleep name=\"nap\" duration=\"PT10M\"/>", join(&id), set("x", "during")));
    let holding = tokio::spawn(holder.send());
    let refused = loop {
        let reply = context.perform(&format!("<session id=\"{id}\" wait=\"0\"/>")).await;
        if reply.status != 200 {
            break reply;
        }
    };
    refused.is_fault(423, "SessionInUse").says("retryable=\"true\"").says("retryAfter=\"");
    assert!(!refused.header("retry-after").is_empty());
    let read = format!("<session id=\"{id}\" access=\"read\"/>");
    context.perform(&format!("{read}{}", get("x"))).await.is_completed().says(">before</attribute>");
    context.perform(&format!("{read}{}", set("x", "never"))).await.is_fault(409, "AttributeReadOnly");
    holding.abort();
    // The client has gone: its request is cancelled, its changes are not made, and the session is free.
    context.perform(&format!("{}{}", join(&id), get("x"))).await.is_completed().says(">before</attribute>");
}

/// Behaviour 16.
#[tokio::test]
async fn no_more_requests_wait_than_may() {
    let context = Context::with(|builder, mut resource| {
        resource.session.join.max_waiters = 1;
        builder.resource(resource)
    })
    .await;
    let id = context.create().await;
    let holding = tokio::spawn(context.post(&format!("{}<sleep name=\"nap\" duration=\"PT10M\"/>", join(&id))).send());
    while context.perform(&format!("<session id=\"{id}\" wait=\"0\"/>")).await.status == 200 {}
    let waiting = tokio::spawn(context.post(&format!("<session id=\"{id}\" wait=\"60000\"/>")).send());
    // The refusals tell how many wait.
    while !context.perform(&format!("<session id=\"{id}\" wait=\"0\"/>")).await.text.contains("and 1 more wait") {}
    context.perform(&format!("<session id=\"{id}\" wait=\"1\"/>")).await.is_fault(503, "SessionQueueFull");
    holding.abort();
    assert_eq!(waiting.await.unwrap().unwrap().status(), 200);
}

/// Behaviour 19.
#[tokio::test]
async fn a_failed_request_changes_no_attribute() {
    let context = Context::new().await;
    let id = context.create().await;
    let failing = "<sqlUpdateStatement name=\"u\"><expression>DELETE FROM nowhere</expression></sqlUpdateStatement>";
    context.perform(&format!("{}{}{failing}", join(&id), set("x", "1"))).await.is_fault(422, "ActivityFailed");
    context
        .perform(&format!("{}{}", join(&id), get("x")))
        .await
        .is_fault(422, "ActivityFailed")
        .says("AttributeNotFound");
}

/// Behaviour 22.
#[tokio::test]
async fn a_request_that_holds_its_session_too_long_is_cancelled() {
    let context = Context::with(|builder, mut resource| {
        resource.session.join.execution = Some(Duration::from_millis(50));
        builder.resource(resource)
    })
    .await;
    let id = context.create().await;
    let sleeper = format!("{}{}<sleep name=\"nap\" duration=\"PT10M\"/>", join(&id), set("x", "1"));
    context.perform(&sleeper).await.is_fault(504, "RequestTimedOut");
    context.perform(&format!("{}{}", join(&id), get("x"))).await.says("AttributeNotFound");
}

/// Behaviour 28.
#[tokio::test]
async fn a_wish_above_the_maximum_is_cut_down_and_a_senseless_one_refused() {
    let context = Context::new().await;
    let reply = context.perform("<session timeout=\"P30D\"/>").await;
    reply.is_completed().says("timeout=\"86400000\"");
    for timeout in ["0", "-1", "NaN", ""] {
        let reply = context.perform(&format!("<session timeout=\"{timeout}\"/>")).await;
        assert_eq!(reply.status, 400, "{timeout}: {}", reply.text);
    }
}

/// Behaviour 30.
#[tokio::test]
async fn explicit_sessions_can_be_turned_off() {
    let context = Context::with(|builder, mut resource| {
        resource.session.explicit = false;
        builder.resource(resource)
    })
    .await;
    context.perform("<session/>").await.is_fault(400, "SessionsDisabled");
    context.perform(COUNT).await.is_completed();
}

/// Behaviour 40.
#[tokio::test]
async fn an_attribute_that_is_too_large_is_refused_and_the_session_goes_on() {
    let context = Context::with(|builder, mut resource| {
        resource.session.limits.attribute_bytes = Some(1000);
        builder.resource(resource)
    })
    .await;
    let id = context.create().await;
    context.perform(&format!("{}{}", join(&id), set("x", &"a".repeat(2000)))).await.is_fault(413, "AttributeTooLarge");
    let stream = "<sqlQueryStatement name=\"q\"><expression>WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n</expression>
        <resultStream name=\"r\"/></sqlQueryStatement>
        <deliverToSession name=\"d\"><fromLocal from=\"r\"/><toSession attribute=\"x\"/></deliverToSession>";
    context.perform(&format!("{}{stream}", join(&id))).await.is_fault(413, "AttributeTooLarge");
    context.perform(&format!("{}{COUNT}", join(&id))).await.is_completed();
}

/// Behaviour 39.
#[tokio::test]
async fn rows_text_and_bytes_are_kept_and_come_back() {
    let context = Context::new().await;
    let id = context.create().await;
    let keep = "<sqlQueryStatement name=\"q\"><expression>SELECT name, phone FROM customer ORDER BY id</expression><resultStream name=\"r\"/></sqlQueryStatement>
        <deliverToSession name=\"d\"><fromLocal from=\"r\"/><toSession attribute=\"rows\" mode=\"append\"/></deliverToSession>
        <echo name=\"e\"><text>hello</text><output name=\"o\"/></echo>
        <deliverToSession name=\"t\"><fromLocal from=\"o\"/><toSession attribute=\"text\"/></deliverToSession>";
    for _ in 0..2 {
        context.perform(&format!("{}{keep}", join(&id))).await.is_completed();
    }
    let take = format!(
        "{}<deliverFromSession name=\"f\"><fromSession attribute=\"rows\"/><toLocal name=\"r\"/></deliverFromSession>
        <sqlResultsToCSV name=\"c\"><resultSet from=\"r\"/><csvOutput name=\"csv\"/></sqlResultsToCSV>
        <deliverFromSession name=\"g\"><fromSession attribute=\"text\"/><toLocal name=\"text\"/></deliverFromSession>
        <sessionAttributeManagement name=\"l\"><listAttributes/><output name=\"list\"/></sessionAttributeManagement>",
        join(&id)
    );
    let once = "Ada,0131\nCarl & Co,\n<Grace>,\"\"\n";
    context
        .perform(&take)
        .await
        .is_completed()
        .says(&format!("<![CDATA[{once}{once}]]>"))
        .says("<![CDATA[hello]]>")
        .says("<attributes count=\"2\"><attribute name=\"rows\" type=\"rows\"/><attribute name=\"text\" type=\"text\"/></attributes>");
    let missing = format!(
        "{}<deliverFromSession name=\"f\"><fromSession attribute=\"none\"/><toLocal name=\"r\"/></deliverFromSession>",
        join(&id)
    );
    context.perform(&missing).await.is_fault(422, "ActivityFailed").says("AttributeNotFound");
}

/// Behaviour 13.
#[tokio::test]
async fn the_waiting_time_is_the_clients_up_to_the_configured_one() {
    let context = Context::with(|builder, mut resource| {
        resource.session.join.max_wait = Duration::from_millis(20);
        builder.resource(resource)
    })
    .await;
    let id = context.create().await;
    let holding = tokio::spawn(context.post(&format!("{}<sleep name=\"nap\" duration=\"PT10M\"/>", join(&id))).send());
    while context.perform(&format!("<session id=\"{id}\" wait=\"0\"/>")).await.status == 200 {}
    let begun = Instant::now();
    context.perform(&format!("<session id=\"{id}\" wait=\"PT10M\"/>")).await.is_fault(423, "SessionInUse");
    assert!(begun.elapsed() < Duration::from_mins(1));
    holding.abort();
}
