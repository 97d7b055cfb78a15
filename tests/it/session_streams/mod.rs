//! Session streams and asynchronous requests through HTTP. The numbers are those of the list of behaviours in
//! `docs/sessions.md`.

mod asynchronous;
mod ends;
mod flow;
mod reach;
mod reading;
mod writing;

use rejoin::document::{Limits, ProgressStatus, SessionStatusDocument, Status, StreamState};
use reqwest::{Method, RequestBuilder};

use crate::context::{Context, Reply};

/// Three blocks that come out as they are.
const OUTPUT: &str =
    "<dataStore name=\"d\"><item>one,</item><item>two,</item><item>three</item><itemCursor name=\"items\"/></dataStore>
    <outputStream name=\"tap\"><fromLocal from=\"items\"/></outputStream>";

/// What goes in comes out.
const THROUGH: &str = "<inputStream name=\"feed\"><toLocal name=\"fed\"/></inputStream>
    <outputStream name=\"tap\"><fromLocal from=\"fed\"/></outputStream>";

const SET: &str =
    "<sessionAttributeManagement name=\"set\"><setAttribute name=\"x\">1</setAttribute></sessionAttributeManagement>";
const GET: &str = "<sessionAttributeManagement name=\"get\"><getAttribute name=\"x\"/><output name=\"value\"/></sessionAttributeManagement>";

/// Lines without end.
const ENDLESS: &str =
    "<sqlQueryStatement name=\"find\"><expression>WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
    SELECT printf('%050d', i) FROM n</expression><resultStream name=\"rows\"/></sqlQueryStatement>
    <sqlResultsToCSV name=\"format\"><resultSet from=\"rows\"/><csvOutput name=\"csv\"/></sqlResultsToCSV>
    <outputStream name=\"tap\"><fromLocal from=\"csv\"/></outputStream>";

fn join(id: &str) -> String {
    format!("<session id=\"{id}\"/>")
}

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

/// A block of text.
fn post(context: &Context, id: &str, name: &str, block: impl Into<reqwest::Body>) -> RequestBuilder {
    stream(context, Method::POST, id, name).header("content-type", "text/plain").body(block)
}

/// Text to the end of the stream.
fn put(context: &Context, id: &str, name: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
    stream(context, Method::PUT, id, name).header("content-type", "text/plain").body(body)
}

/// Begins an asynchronous request; answers with the id of its session.
async fn begin_in(context: &Context, content: &str) -> String {
    let reply = reply(context.post(content).header("prefer", "respond-async")).await;
    assert_eq!(reply.status, 202, "{}", reply.text);
    reply.says("<request status=\"PROCESSING\"/>").session_id()
}

/// The same in a new session.
async fn begin(context: &Context, content: &str) -> String {
    begin_in(context, &format!("<session/>{content}")).await
}

/// How a session stands.
async fn look(context: &Context, id: &str) -> SessionStatusDocument {
    let status = context.client.get(format!("{}/session", context.url())).header("rejoin-session", id);
    let status = reply(status).await;
    SessionStatusDocument::parse(status.text.as_bytes(), &Limits::default()).expect(&status.text)
}

/// How far the last asynchronous request in a session has got.
async fn progress(context: &Context, id: &str) -> ProgressStatus {
    look(context, id).await.requests.into_iter().find_map(|request| request.progress).unwrap()
}

/// How the last asynchronous request in a session ended, when it has.
async fn ended(context: &Context, id: &str) -> ProgressStatus {
    loop {
        let progress = progress(context, id).await;
        if progress.status != Status::Processing {
            return progress;
        }
    }
}

/// Returns when a client uses the stream.
async fn until_busy(context: &Context, id: &str, name: &str) {
    until(context, id, name, StreamState::Busy).await;
}

/// Returns when nobody uses the stream.
async fn until_free(context: &Context, id: &str, name: &str) {
    until(context, id, name, StreamState::Available).await;
}

async fn until(context: &Context, id: &str, name: &str, state: StreamState) {
    while !look(context, id).await.streams.iter().any(|stream| stream.name == name && stream.state == state) {}
}
