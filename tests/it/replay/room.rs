//! Whose answers give way when there are too many.

use std::net::IpAddr;

use reqwest::Client;

use super::{KEY, VISIT, keyed, send};
use crate::context::{Context, perform};

/// More of these than four are more than anybody has room for.
const ANSWER: &str =
    "<sqlQueryStatement name=\"find\"><expression>WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
    SELECT printf('%01000000d', i) FROM n LIMIT 15</expression><resultStream name=\"rows\"/></sqlQueryStatement>
    <sqlResultsToCSV name=\"format\"><resultSet from=\"rows\"/><csvOutput name=\"csv\"/></sqlResultsToCSV>";

#[tokio::test]
async fn one_client_without_a_name_does_not_push_out_the_answers_of_the_others() {
    let context = Context::with(|builder, mut resource| {
        resource.session.replay.answer_bytes = 16 * 1024 * 1024;
        builder.resource(resource)
    });
    let context = context.await;
    let created = keyed(&context, &format!("<session/>{VISIT}"), KEY).await;
    created.is_completed();
    let other = Client::builder().local_address(IpAddr::from([127, 0, 0, 2])).build().unwrap();
    let large = |number: u8| {
        let request = other.post(context.url()).header("content-type", "application/xml").body(perform(ANSWER));
        send(request.header("idempotency-key", format!("a-key-that-nobody-guesses-{number}")))
    };
    for number in 0..6 {
        assert!(!large(number).await.is_completed().is_replayed());
    }
    keyed(&context, &format!("<session/>{VISIT}"), KEY).await.replays(&created);
    assert!(large(5).await.is_completed().is_replayed());
    assert!(!large(0).await.is_completed().is_replayed(), "its own have given way");
}
