//! Session streams through HTTP.

use reqwest::{Method, RequestBuilder};

use crate::context::{Context, Reply};

const OUTPUT: &str =
    "<dataStore name=\"d\"><item>one,</item><item>two,</item><item>three</item><itemCursor name=\"items\"/></dataStore>
    <outputStream name=\"tap\"><fromLocal from=\"items\"/></outputStream>";

const THROUGH: &str = "<inputStream name=\"feed\"><toLocal name=\"fed\"/></inputStream>
    <outputStream name=\"tap\"><fromLocal from=\"fed\"/></outputStream>";

/// A request to a stream of a session.
fn stream(context: &Context, method: Method, id: &str, name: &str) -> RequestBuilder {
    let url = format!("{}/session/streams/{name}", context.url());
    context.client.request(method, url).header("rejoin-session", id)
}

async fn reply(request: RequestBuilder) -> Reply {
    Reply::of(request.send().await.unwrap()).await
}

async fn read(context: &Context, id: &str, name: &str) -> Reply {
    reply(stream(context, Method::GET, id, name)).await
}

async fn read_blocks(context: &Context, id: &str, name: &str, blocks: u32) -> Reply {
    reply(stream(context, Method::GET, id, name).query(&[("blocks", blocks)])).await
}

/// Begins an asynchronous request in a session of its own; answers with the id of that.
async fn begin(context: &Context, content: &str) -> String {
    let reply = context.perform(&format!("<session/>{content}")).await;
    assert_eq!(reply.status, 202, "{}", reply.text);
    reply.says("<request status=\"PROCESSING\"/>").session_id()
}

/// Behaviour 43.
#[tokio::test]
async fn what_one_request_made_another_reads() {
    let context = Context::new().await;
    let id = begin(&context, OUTPUT).await;
    // The request that made it is complete: another holds the session now.
    context.perform(&format!("<session id=\"{id}\"/>")).await.is_completed();
    let whole = read(&context, &id, "tap").await;
    assert_eq!((whole.status, &*whole.text), (200, "one,two,three"));
    assert_eq!(whole.header("content-type"), "text/plain; charset=utf-8");
    read(&context, &id, "tap").await.is_fault(404, "StreamNotFound");
}

#[tokio::test]
async fn an_output_is_read_by_blocks() {
    let context = Context::new().await;
    let id = begin(&context, OUTPUT).await;
    for (blocks, status, text, progress) in [(2, 200, "one,two,", "open"), (2, 200, "three", "ended")] {
        let part = read_blocks(&context, &id, "tap", blocks).await;
        assert_eq!((part.status, &*part.text, part.header("rejoin-stream")), (status, text, progress));
    }
    read_blocks(&context, &id, "tap", 1).await.is_fault(404, "StreamNotFound");
    let id = begin(&context, OUTPUT).await;
    assert_eq!(read_blocks(&context, &id, "tap", 3).await.header("rejoin-stream"), "open");
    let end = read_blocks(&context, &id, "tap", 1).await;
    assert_eq!((end.status, &*end.text, end.header("rejoin-stream")), (204, "", "ended"));
}

#[tokio::test]
async fn an_input_is_written_by_blocks_and_whole() {
    let context = Context::new().await;
    let id = begin(&context, THROUGH).await;
    for block in ["one", "two"] {
        let posted = stream(&context, Method::POST, &id, "feed").header("content-type", "text/plain").body(block);
        assert_eq!(reply(posted).await.status, 204);
    }
    assert_eq!(read_blocks(&context, &id, "tap", 1).await.text, "one");
    let rest = stream(&context, Method::PUT, &id, "feed").header("content-type", "text/plain").body("three");
    assert_eq!(reply(rest).await.status, 204);
    assert_eq!(read(&context, &id, "tap").await.text, "twothree");
    context.perform(&format!("<session id=\"{id}\"/>")).await.is_completed();
    let late = stream(&context, Method::PUT, &id, "feed").body("four");
    reply(late).await.is_fault(404, "StreamNotFound");
}
