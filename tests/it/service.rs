//! What the service tells about itself, how it is bounded, and how it ends.

use std::time::Duration;

use rejoin::activity::{Activity, ActivityContext, ActivityError, Setup};
use rejoin::document::{DocumentError, Fields, SessionConfiguration};
use rejoin::service::{ConfiguredResource, Ending};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::context::{Context, Reply, perform};

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

/// Behaviour 62.
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

/// A connection on which those bytes were sent.
async fn connection(context: &Context, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(context.server.address()).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    stream
}

/// Everything that comes on a connection.
async fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// A request whose document does not come; the service has let it in and waits.
async fn stalled(context: &Context, document: &str) -> TcpStream {
    let head = format!(
        "POST /services/data HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/xml\r\nConnection: close\r\n\
         Expect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        document.len()
    );
    let mut stream = connection(context, &head).await;
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

#[tokio::test]
async fn what_does_not_end_in_time_is_cut_off() {
    let context =
        Context::with(|builder, resource| builder.resource(resource).drain_timeout(Duration::from_millis(50))).await;
    let _stalled = stalled(&context, "<perform/>").await;
    let id = context.create().await;
    let endless = format!("<session id=\"{id}\"/><sleep name=\"nap\" duration=\"PT10M\"/>");
    let running = tokio::spawn(context.post(&endless).send());
    while context.perform(&format!("<session id=\"{id}\" wait=\"0\"/>")).await.status == 200 {}
    let Context { server, .. } = context;
    assert_eq!(server.shutdown().await, Ending::CutOff);
    assert!(running.await.unwrap().is_err(), "the connection of the endless request was closed");
}

/// Behaviours 56 and 62.
#[tokio::test]
async fn a_request_that_comes_while_the_service_drains_is_told_so() {
    let context = Context::new().await;
    let document = perform("");
    let mut late = stalled(&context, &document).await;
    let address = context.server.address();
    let Context { server, .. } = context;
    let ending = tokio::spawn(server.shutdown());
    while TcpStream::connect(address).await.is_ok() {}
    late.write_all(document.as_bytes()).await.unwrap();
    let answer = rest(late).await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("code=\"Draining\""), "{answer}");
    assert!(answer.contains("retry-after: "), "{answer}");
    assert_eq!(ending.await.unwrap(), Ending::Drained);
}

#[tokio::test]
async fn a_request_has_its_place_before_its_document_is_read() {
    let context = Context::with(|builder, resource| builder.resource(resource).admission(1, 0)).await;
    let document = perform("");
    let mut first = stalled(&context, &document).await;
    context.perform("").await.is_fault(503, "ServerBusy");
    first.write_all(document.as_bytes()).await.unwrap();
    assert!(rest(first).await.contains("COMPLETED"));
}

#[tokio::test]
async fn waiting_for_a_place_counts_as_holding_the_session() {
    let mut session = SessionConfiguration::default();
    session.join.execution = Some(Duration::from_millis(50));
    let context = Context::with(|builder, resource| {
        let unhurried = ConfiguredResource::new("unhurried", ".");
        builder.resource(resource.session(session)).resource(unhurried).admission(1, 1)
    })
    .await;
    let url = format!("{}/services/unhurried", context.server.url());
    let sleeper = context.client.post(url).body(perform("<sleep name=\"nap\" duration=\"PT10M\"/>"));
    let running = tokio::spawn(sleeper.send());
    let waited = loop {
        let reply = context.perform("").await;
        if reply.status != 200 {
            break reply;
        }
    };
    waited.is_fault(504, "RequestTimedOut");
    running.abort();
}

#[tokio::test]
async fn pages_of_other_sites_may_not_post() {
    let context = Context::new().await;
    let own = context.server.url();
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("host", "evil.example"),
    ] {
        Reply::of(context.post("").header(name, value).send().await.unwrap()).await.is_fault(403, "Forbidden");
    }
    Reply::of(context.post("").header("origin", &own).send().await.unwrap()).await.is_completed();
    let untyped = || context.client.post(context.url()).body(perform(""));
    Reply::of(untyped().send().await.unwrap()).await.is_completed();
    Reply::of(untyped().header("origin", &own).send().await.unwrap()).await.is_fault(415, "UnsupportedMediaType");
    let rebound = context.client.get(format!("{own}/services")).header("host", "evil.example:8080");
    Reply::of(rebound.send().await.unwrap()).await.is_fault(403, "Forbidden");
}

#[tokio::test]
async fn every_refusal_names_its_request() {
    let context = Context::new().await;
    for path in ["/nothing", "/services/none", "/services/%FF", "/schemas/%FF", "/schemas/none.xsd"] {
        let reply = get(&context, path).await;
        let id = reply.header("rejoin-request-id");
        assert_eq!(id.len(), 36, "{path}");
        reply.is_fault(404, "ResourceNotFound").says(&format!("requestId=\"{id}\""));
        assert!(!id.starts_with("00000000"), "{path}: {id}");
    }
    let wrong = context.client.delete(context.url()).send().await.unwrap();
    let wrong = Reply::of(wrong).await;
    wrong.is_fault(405, "MethodNotAllowed").says(wrong.header("rejoin-request-id"));
    let malformed = context.client.post(format!("{}/services/%FF", context.server.url())).body(perform(""));
    Reply::of(malformed.send().await.unwrap()).await.is_fault(404, "ResourceNotFound");
}

#[tokio::test]
async fn a_query_parameter_that_is_unknown_or_repeated_is_named() {
    let context = Context::new().await;
    let post = |query: &[(&str, &str)]| context.post("").query(query).send();
    let unknown = Reply::of(post(&[("retrun", "x")]).await.unwrap()).await;
    unknown.is_fault(400, "RequestInvalid").says("there is no query parameter `retrun` here; did you mean `return`?");
    let twice = Reply::of(post(&[("return", "x"), ("return", "y")]).await.unwrap()).await;
    twice.is_fault(400, "RequestInvalid").says("twice");
}

#[tokio::test]
async fn several_lines_of_accepted_encodings_are_one_list() {
    let context = Context::new().await;
    let long = format!("<echo name=\"e\"><text>{}</text><output name=\"o\"/></echo>", "long ".repeat(1000));
    let request = context.post(&long).header("accept-encoding", "br").header("accept-encoding", "gzip");
    assert_eq!(request.send().await.unwrap().headers()["content-encoding"], "gzip");
}

#[tokio::test]
async fn the_session_comes_back_in_the_header_that_is_configured() {
    let mut session = SessionConfiguration::default();
    session.carrier.header = "X-Conversation".into();
    let context = Context::with(|builder, resource| builder.resource(resource.session(session))).await;
    let reply = context.perform("<session/>").await;
    assert_eq!(reply.header("x-conversation"), reply.session_id());
    assert_eq!(reply.header("rejoin-session"), "");
    let joined = context.post("").header("X-Conversation", reply.session_id()).send().await.unwrap();
    assert_eq!(Reply::of(joined).await.session_id(), reply.session_id());
}

#[tokio::test]
async fn a_data_resource_without_a_name_is_told_as_that_of_its_resource() {
    let context = Context::with(|builder, _| {
        builder.resource(ConfiguredResource::new("data", "/nowhere").data_resource("sqlite:none.db"))
    })
    .await;
    assert_eq!(get(&context, "/health/ready").await.text, "the data resource of data does not answer\n");
}

struct Fragile;

#[async_trait::async_trait]
impl Activity for Fragile {
    const ELEMENT: &'static str = "fragile";

    fn parse(_: &mut Fields<'_>, _: &mut Setup<'_>) -> Result<Self, DocumentError> {
        panic!("on purpose")
    }

    async fn run(self, _: ActivityContext) -> Result<(), ActivityError> {
        Ok(())
    }
}

#[tokio::test]
async fn a_panic_while_an_activity_is_read_is_an_answer() {
    let context = Context::with(|builder, resource| builder.activity::<Fragile>().resource(resource)).await;
    context.perform("<fragile name=\"f\"/>").await.is_fault(500, "Internal");
    context.perform("").await.is_completed();
}

#[tokio::test]
async fn a_raw_answer_that_streams_needs_http_1_1() {
    let context = Context::new().await;
    let numbers = |count: u32| {
        perform(&format!(
            "<sqlQueryStatement name=\"q\"><expression>WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT \
             {count}) SELECT i FROM n</expression><resultStream name=\"r\"/></sqlQueryStatement>\
             <sqlResultsToCSV name=\"f\"><resultSet from=\"r\"/><csvOutput name=\"c\"/></sqlResultsToCSV>"
        ))
    };
    for (count, status) in [(3, "HTTP/1.0 200"), (100_000, "HTTP/1.0 505")] {
        let document = numbers(count);
        let length = document.len();
        let request = format!("POST /services/data?return=c HTTP/1.0\r\nContent-Length: {length}\r\n\r\n{document}");
        let answer = rest(connection(&context, &request).await).await;
        assert!(answer.starts_with(status), "{answer}");
        assert!(count == 3 || answer.contains("HTTP/1.1 is needed"), "{answer}");
    }
}
