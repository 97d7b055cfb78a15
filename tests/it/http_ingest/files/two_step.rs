//! The cook-book's two-step download does what it says.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::{ABC, Bench, ranged};
use crate::context::Reply;
use crate::scripted::{Answer, Recorded, Script, json, pass};

const RETRY: &str = r#""transport": true"#;
const BACKOFF: &str = r#""backoff": {"first": 7000, "jitter": 0}"#;

/// The documents of the entry, in their order.
fn documents() -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/http-session-control.md");
    let text = fs::read_to_string(page).unwrap();
    let (_, entry) = text.split_once("\n### A two-step download\n").unwrap();
    let (entry, _) = entry.split_once("\n## ").unwrap();
    let blocks = entry.split("```xml document\n").skip(1);
    let documents = blocks.map(|block| block.split_once("```").unwrap().0.to_owned());
    // Times that nobody else waits for, so that the test can tell when it is waited.
    let timed =
        documents.map(|document| document.replace(">10000<", ">61000<").replace(RETRY, &format!("{RETRY}, {BACKOFF}")));
    timed.collect()
}

/// A service of exports: one is created, is ready with the third look, and breaks off once while it is fetched.
fn script(url: &Arc<Mutex<String>>) -> Script {
    let url = Arc::clone(url);
    let (mut looks, mut fetches) = (0, 0);
    Script::by(move |request: &Recorded| -> Answer {
        match (&*request.method, &*request.target) {
            ("POST", "/exports") => json(r#"{"id":"7"}"#).with_status(201),
            ("GET", "/exports/7") => {
                looks += 1;
                if looks < 3 {
                    return json(r#"{"id":"7","state":"running"}"#);
                }
                let url = url.lock();
                json(format!("{{\"id\":\"7\",\"state\":\"ready\",\"url\":\"{url}/out/x?sig=1\",\"sha256\":\"{ABC}\"}}"))
            }
            ("GET", "/out/x?sig=1") => {
                fetches += 1;
                if let Some(etag) = request.header("if-none-match") {
                    return crate::scripted::status(304).header("etag", &etag);
                }
                let answer = ranged(request, "abc", "\"v1\"");
                if fetches == 1 { answer.reset_after(1) } else { answer }
            }
            _ => crate::scripted::status(500),
        }
    })
}

async fn bench() -> Bench {
    let url = Arc::new(Mutex::new(String::new()));
    let bench = Bench::over(script(&url)).await;
    *url.lock() = bench.server.url();
    bench
}

async fn send(bench: &Bench, document: &str) -> Reply {
    let request = bench.context.client.post(bench.context.url()).header("content-type", "application/xml");
    Reply::of(request.body(document.to_owned()).send().await.unwrap()).await
}

const ASKED: [&str; 6] = [
    "POST /exports {\"what\":\"orders\"}",
    "GET /exports/7",
    "GET /exports/7",
    "GET /exports/7",
    "GET /out/x?sig=1",
    "GET /out/x?sig=1",
];

#[tokio::test]
async fn fd_2_a_two_step_download_in_one_document() {
    let bench = bench().await;
    let document = documents().remove(0);
    let passing = async {
        for seconds in [61, 61, 7] {
            pass(&bench.clock, Duration::from_secs(seconds)).await;
        }
    };
    let (reply, ()) = tokio::join!(send(&bench, &document), passing);
    reply.is_completed().says(&format!("exports/7.csv,3,sha256,{ABC}"));
    bench.has([("exports/7.csv", b"abc")]);
    let requests = bench.server.saw(ASKED);
    assert_eq!(requests[5].header("range").as_deref(), Some("bytes=1-"));
}

#[tokio::test]
async fn fd_2_a_two_step_download_in_three_documents_of_a_session() {
    let bench = bench().await;
    let [_, create, wait, fetch] = <[String; 4]>::try_from(documents()).unwrap();
    let created = send(&bench, &create).await;
    created.is_completed();
    let joined = |document: &str| document.replace("id=\"…\"", &format!("id=\"{}\"", created.session_id()));
    let passing = async {
        for _ in 0..2 {
            pass(&bench.clock, Duration::from_secs(61)).await;
        }
    };
    let (waited, ()) = tokio::join!(async { send(&bench, &joined(&wait)).await }, passing);
    waited.is_completed();
    // Without a retry that is worth it, the next request goes on.
    let once = joined(&fetch).replace(RETRY, r#""transport": false"#);
    let broken = send(&bench, &once).await;
    broken.says("HttpIngestUnreachable");
    bench.server.saw(&ASKED[..5]);
    send(&bench, &joined(&fetch)).await.is_completed().says(&format!("exports/7.csv,3,sha256,{ABC}"));
    bench.has([("exports/7.csv", b"abc")]);
    let requests = bench.server.saw(ASKED);
    assert_eq!(requests[5].header("range").as_deref(), Some("bytes=1-"));
    // Once more: the file has not changed.
    send(&bench, &joined(&fetch)).await.is_completed().says(",true\n");
    assert_eq!(bench.server.requests()[6].header("if-none-match").as_deref(), Some("\"v1\""));
}
