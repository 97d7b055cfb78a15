//! What the service tells about itself, how it is bounded, and how it ends.

use std::time::Duration;

use crate::context::{Context, Reply};

async fn get(context: &Context, path: &str) -> Reply {
    Reply::of(context.client.get(format!("{}{path}", context.server.url())).send().await.unwrap()).await
}

#[tokio::test]
async fn the_resources_and_their_properties_are_told() {
    let context = Context::with(|builder, resource| builder.resource(resource.documentation("Customers & co"))).await;
    get(&context, "/services")
        .await
        .says("<dataServiceResource name=\"data\" location=\"/services/data\">")
        .says("Customers &amp; co");
    let reply = get(&context, "/services/data").await;
    assert_eq!(reply.header("content-type"), "application/xml");
    reply
        .says("<activity name=\"sqlQueryStatement\"/>")
        .says("<productName>SQLite</productName>")
        .says("<table name=\"customer\">")
        .says("<column name=\"id\" type=\"INTEGER\" nullable=\"false\" primaryKey=\"1\"/>")
        .says("<performDocumentSchema location=\"/schemas/activities.xsd\"/>");
    get(&context, "/services/none").await.is_fault(404, "ResourceNotFound");
}

#[tokio::test]
async fn the_schemas_are_served() {
    let context = Context::new().await;
    for name in ["perform.xsd", "activities.xsd", "response.xsd", "fault.xsd", "session.xsd"] {
        get(&context, &format!("/schemas/{name}")).await.says("<xs:schema");
    }
    get(&context, "/schemas/none.xsd").await.is_fault(404, "ResourceNotFound").says("perform.xsd");
    get(&context, "/schemas/..%2FCargo.toml").await.is_fault(404, "ResourceNotFound");
}

#[tokio::test]
async fn health_is_told() {
    let context = Context::new().await;
    assert_eq!(get(&context, "/health/live").await.text, "live\n");
    assert_eq!(get(&context, "/health/ready").await.text, "ready\n");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_told_as_such_and_not_as_the_clients_mistake() {
    let context = Context::with(|builder, _| {
        builder.resource(rejoin::service::ConfiguredResource::new("data", "/nowhere").data_resource("sqlite:none.db"))
    })
    .await;
    assert_eq!(get(&context, "/health/ready").await.status, 503);
    let query =
        "<sqlQueryStatement name=\"q\"><expression>SELECT 1</expression><resultStream name=\"r\"/></sqlQueryStatement>
        <sqlResultsToCSV name=\"f\"><resultSet from=\"r\"/><csvOutput name=\"c\"/></sqlResultsToCSV>";
    let reply = context.perform(query).await;
    reply.is_fault(502, "DataResourceUnavailable").says("retryable=\"true\"");
    assert!(!reply.text.contains("nowhere"), "what the path is, is not the client's business: {}", reply.text);
}

#[tokio::test]
async fn requests_beyond_the_bound_are_refused_at_once() {
    let context = Context::with(|builder, resource| builder.resource(resource).admission(1, 1)).await;
    let sleeper = "<sleep name=\"nap\" duration=\"PT10M\"/>";
    let running: Vec<_> = (0..2).map(|_| tokio::spawn(context.post(sleeper).send())).collect();
    let refused = loop {
        let probe = Reply::of(context.post("").timeout(Duration::from_mins(1)).send().await.unwrap()).await;
        if probe.status != 200 {
            break probe;
        }
    };
    refused.is_fault(503, "ServerBusy").says("retryable=\"true\"");
    running.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_answers_what_has_begun() {
    let context = Context::new().await;
    let id = context.create().await;
    let sleeper = format!(
        "<session id=\"{id}\"/><sleep name=\"nap\" duration=\"PT0.3S\"/><echo name=\"e\"><text>done</text><output name=\"o\"/></echo>"
    );
    let running = tokio::spawn(context.post(&sleeper).send());
    while context.perform(&format!("<session id=\"{id}\" wait=\"0\"/>")).await.status == 200 {}
    let Context { server, .. } = context;
    server.shutdown().await;
    Reply::of(running.await.unwrap().unwrap()).await.is_completed().says("done");
}
