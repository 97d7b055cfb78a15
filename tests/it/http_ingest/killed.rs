//! RC-1: the service is killed in the middle of a remote session, and another goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::Client;
use tokio::task::JoinHandle;

use super::element;
use crate::context::perform;
use crate::durable::Service;
use crate::scripted::{Answer, Recorded, Script, ScriptedServer, json, status};

const STATE: &str = "<sessionState attribute=\"pull\"/>";

/// A service in a process of its own, over a server that answers one way before it is killed and another way after that.
struct Stage {
    server: ScriptedServer,
    service: Service,
    /// The session.
    id: String,
    is_after: Arc<AtomicBool>,
}

/// What the server answers: to which request, after so many like it, and whether the service was killed.
type Answering = fn(request: &Recorded, before: usize, is_after: bool) -> Answer;

impl Stage {
    async fn new(answering: Answering) -> Self {
        let is_after = Arc::new(AtomicBool::new(false));
        let (told, mut lines) = (Arc::clone(&is_after), Vec::new());
        let script = Script::by(move |request| {
            let before = lines.iter().filter(|line| **line == request.line()).count();
            lines.push(request.line());
            answering(request, before, told.load(Ordering::SeqCst))
        });
        let server = ScriptedServer::start(script).await;
        let url = server.url();
        let resource = format!(
            "<dataResource uri=\"{url}/\"><origin uri=\"{url}\" private=\"true\"/></dataResource>\
             <dataResource name=\"inbox\" uri=\"file:inbox/\"><folder write=\"true\" create=\"true\"/></dataResource>"
        );
        let service = Service::over(&resource, "");
        let id = service.create().await;
        Self { server, service, id, is_after }
    }

    fn document(&self, properties: &[(&str, &str)]) -> String {
        let ingest = element(properties, STATE).replace("<records name=\"rows\"/><decisions name=\"log\"/>", "");
        format!("<session id=\"{}\"/>{ingest}", self.id)
    }

    /// Sends it, and does not wait.
    fn begin(&self, properties: &[(&str, &str)]) -> JoinHandle<reqwest::Result<reqwest::Response>> {
        let request = Client::new().post(self.service.url()).header("content-type", "application/xml");
        tokio::spawn(request.body(perform(&self.document(properties))).send())
    }

    /// Returns when the session says of the ingestion what it should.
    async fn says(&self, words: &str) {
        let look = format!(
            "<session id=\"{}\" access=\"read\"/><sessionAttributeManagement name=\"look\">\
             <getAttribute name=\"pull\"/><output name=\"state\"/></sessionAttributeManagement>",
            self.id
        );
        loop {
            let reply = self.service.perform(&look).await;
            if reply.text.contains(words) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The process is killed while the request runs, and another one takes its place.
    async fn kill(&mut self, running: JoinHandle<reqwest::Result<reqwest::Response>>) {
        self.service.stop("-KILL");
        assert!(running.await.unwrap().is_err(), "nobody has answered it");
        self.is_after.store(true, Ordering::SeqCst);
        self.service.start_again();
    }
}

#[tokio::test]
async fn rc_1_a_killed_service_goes_on_with_the_job_that_it_polls() {
    let mut stage = Stage::new(|request, before, is_after| match (&*request.line(), before) {
        ("POST /jobs {}", _) => json(r#"{"id":"7"}"#),
        (_, 0 | 1) => json(r#"{"state":"InProgress"}"#),
        // Between poll 2 and 3, or while that is under way: it never learns.
        _ if !is_after => json("{}").never(),
        _ => json(r#"{"state":"JobComplete"}"#),
    })
    .await;
    let create = [("ms.source.uri", "/jobs"), ("ms.http.request.method", "POST")];
    let create = stage.document(&create).replace("attribute=\"pull\"", "attribute=\"job\"");
    stage.service.perform(&create).await.is_completed();
    let poll = [
        ("ms.source.uri", "/jobs/7"),
        ("ms.session.key.field", r#"{"name":"state","condition":{"regexp":"JobComplete"}}"#),
        ("ms.wait.timeout.seconds", "14400"),
        ("ms.call.interval.millis", "100"),
    ];
    let running = stage.begin(&poll);
    stage.says("\"answers\":2").await;
    stage.kill(running).await;
    stage.service.perform(&stage.document(&poll)).await.is_completed();
    let lines: Vec<String> = stage.server.requests().iter().map(Recorded::line).collect();
    assert_eq!(lines[0], "POST /jobs {}");
    assert!(lines[1..].iter().all(|line| line == "GET /jobs/7"), "no second create: {lines:?}");
    assert!(
        matches!(lines.len(), 4 | 5),
        "two polls, perhaps one that nobody heard the answer of, and the last: {lines:?}"
    );
}

#[tokio::test]
async fn rc_1_a_killed_service_goes_on_with_the_cursor_of_its_page() {
    let mut stage = Stage::new(|request, _, is_after| match &*request.target {
        "/records" => json(r#"{"items":[{"n":1}],"cursor":"c1"}"#),
        "/records?cursor=c1" => json(r#"{"items":[{"n":2}],"cursor":"c2"}"#),
        _ if !is_after => json("{}").never(),
        _ => json(r#"{"items":[{"n":3}],"cursor":null}"#),
    })
    .await;
    let pull = [
        ("ms.source.uri", "/records"),
        ("ms.data.field", "items"),
        ("ms.session.key.field", r#"{"name":"cursor"}"#),
        ("ms.parameters", r#"[{"name":"cursor","type":"session"}]"#),
    ];
    let running = stage.begin(&pull);
    stage.says("\"pages\":2").await;
    stage.kill(running).await;
    stage.service.perform(&stage.document(&pull)).await.is_completed();
    let mut lines: Vec<String> = stage.server.requests().iter().map(Recorded::line).collect();
    lines.dedup();
    assert_eq!(lines, ["GET /records", "GET /records?cursor=c1", "GET /records?cursor=c2"]);
}

#[tokio::test]
async fn rc_1_the_deadline_is_that_of_the_first_request() {
    let mut stage = Stage::new(|_, before, is_after| {
        let answer = json(r#"{"state":"pending"}"#);
        if before >= 1 && !is_after { answer.never() } else { answer }
    })
    .await;
    let poll = [
        ("ms.source.uri", "/job"),
        ("ms.session.key.field", r#"{"name":"state","condition":{"regexp":"done"}}"#),
        ("ms.wait.timeout.seconds", "2"),
        ("ms.call.interval.millis", "100"),
    ];
    let running = stage.begin(&poll);
    stage.says("\"answers\":1").await;
    let sent = std::time::Instant::now();
    stage.kill(running).await;
    // By now the first request was sent more than two seconds ago.
    tokio::time::sleep(Duration::from_millis(2100).saturating_sub(sent.elapsed())).await;
    let before = stage.server.count();
    let reply = stage.service.perform(&stage.document(&poll)).await;
    assert!(reply.text.contains("HttpIngestTimedOut"), "{}", reply.text);
    assert!(stage.server.count() <= before + 1, "it has no time for a second look");
}

#[tokio::test]
async fn rc_1_what_creates_is_not_sent_again_by_the_next_process() {
    // Before its answer is there, and after that while the request goes on.
    for is_answered in [false, true] {
        let mut stage = Stage::new(|request, _, is_after| match &*request.target {
            "/jobs" if is_after => json(r#"{"id":"8"}"#),
            "/jobs" => json("{}").never(),
            _ => json(r#"{"id":"7"}"#),
        })
        .await;
        let uri = if is_answered { "/others" } else { "/jobs" };
        let create = [("ms.source.uri", uri), ("ms.http.request.method", "POST")];
        let ingest = stage.document(&create);
        let document = format!("{ingest}<sleep name=\"nap\" duration=\"PT10M\"/>");
        let request = Client::new().post(stage.service.url()).header("content-type", "application/xml");
        let running = tokio::spawn(request.body(perform(&document)).send());
        stage.server.asked(1).await;
        if is_answered {
            // It is answered by now, or soon; the attribute says no more than that it was about to be sent.
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        stage.says("\"is_sending\":true").await;
        stage.kill(running).await;
        let reply = stage.service.perform(&ingest).await;
        assert!(reply.text.contains("what became of it is not known"), "{}", reply.text);
        stage.server.saw([format!("POST {uri} {{}}")]);
    }
}

#[tokio::test]
async fn a_request_with_a_key_that_died_is_not_run_again_and_the_next_one_goes_on_from_its_checkpoint() {
    let mut stage = Stage::new(|request, _, is_after| match &*request.target {
        "/records" => json(r#"{"items":[{"n":1}],"cursor":"c1"}"#),
        _ if !is_after => json("{}").never(),
        _ => json(r#"{"items":[{"n":2}],"cursor":null}"#),
    })
    .await;
    let pull = [
        ("ms.source.uri", "/records"),
        ("ms.data.field", "items"),
        ("ms.session.key.field", r#"{"name":"cursor"}"#),
        ("ms.parameters", r#"[{"name":"cursor","type":"session"}]"#),
    ];
    let document = stage.document(&pull);
    let request = Client::new().post(stage.service.url()).header("content-type", "application/xml");
    let request = request.header("idempotency-key", "first").body(perform(&document));
    let running = tokio::spawn(request.send());
    stage.says("\"pages\":1").await;
    stage.kill(running).await;
    let before = stage.server.count();
    stage.service.perform_as(&document, "first").await.is_fault(409, "OutcomeUnknown");
    assert_eq!(stage.server.count(), before, "nothing was asked for");
    stage.service.perform_as(&document, "second").await.is_completed();
    stage.service.perform_as(&document, "second").await.is_completed();
    let mut lines: Vec<String> = stage.server.requests().iter().map(Recorded::line).collect();
    lines.dedup();
    assert_eq!(lines, ["GET /records", "GET /records?cursor=c1"]);
}

#[tokio::test]
async fn what_was_complete_in_a_request_that_died_is_not_asked_for_again() {
    let mut stage = Stage::new(|_, _, _| json(r#"[{"n":1}]"#)).await;
    let pull = [("ms.source.uri", "/records")];
    let ingest = stage.document(&pull);
    let document = format!("{ingest}<sleep name=\"nap\" duration=\"PT10M\"/>");
    let request = Client::new().post(stage.service.url()).header("content-type", "application/xml");
    let running = tokio::spawn(request.body(perform(&document)).send());
    stage.says("\"done\":[\"1\"]").await;
    stage.kill(running).await;
    stage.service.perform(&ingest).await.is_completed();
    stage.server.saw(["GET /records"]);
    stage.service.perform(&ingest).await.is_completed();
    stage.server.saw(["GET /records", "GET /records"]);
}

/// A file that is large enough to come for some seconds.
fn large() -> Vec<u8> {
    (0..4_u32 << 20).map(|at| u8::try_from(at.wrapping_mul(2_654_435_761) >> 24).unwrap()).collect()
}

#[tokio::test]
async fn rc_1_a_killed_service_goes_on_with_its_download() {
    let mut stage = Stage::new(|request, _, is_after| {
        let whole = status(200).header("etag", "\"v1\"");
        if !is_after {
            return whole.body(large()).drip(64 << 10, Duration::from_millis(60));
        }
        let Some(range) = request.header("range") else { return whole.body(large()) };
        let from: usize = range.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap();
        let (body, last) = (large(), large().len() - 1);
        let range = format!("bytes {from}-{last}/{}", body.len());
        status(206).header("etag", "\"v1\"").header("content-range", &range).body(&body[from..])
    })
    .await;
    let fetch =
        [("ms.source.uri", "/files/large"), ("rejoin.format", "file"), ("rejoin.download", r#"{"file": "large.bin"}"#)];
    let running = stage.begin(&fetch);
    stage.says("\"part\":{").await;
    stage.kill(running).await;
    stage.service.perform(&stage.document(&fetch)).await.is_completed();
    let ranges: Vec<_> = stage.server.requests().iter().map(|request| request.header("range")).collect();
    assert!(matches!(&*ranges, [None, Some(range)] if range != "bytes=0-"), "{ranges:?}");
    let inbox = stage.service.folder.path().join("data/inbox");
    assert!(std::fs::read(inbox.join("large.bin")).unwrap() == large(), "every byte is there once");
    assert_eq!(std::fs::read_dir(inbox.join(".rejoin-parts")).unwrap().count(), 0);
}
