//! Metrics, as Prometheus scrapes them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rejoin::document::{DURABLE_FACTORY, StoreSettings};
use rejoin::session::{Durability, ManualClock, SqliteStore};

use crate::context::{Context, Reply};
use crate::initialisation::believing;

/// By name and labels; times are left out.
type Samples = BTreeMap<String, u64>;

/// What one scrape answered.
struct Scrape {
    text: String,
    samples: Samples,
}

impl Scrape {
    async fn of(context: &Context) -> Self {
        let reply = get(context, "").await;
        assert_eq!(reply.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
        let samples = checked(&reply.text, "_total");
        Self { text: reply.text, samples }
    }

    /// The sample of the resource `data` with those labels more.
    #[track_caller]
    fn of_data(&self, name: &str, labels: &str) -> u64 {
        let key = format!("{name}{{resource=\"data\"{labels}}}");
        *self.samples.get(&key).unwrap_or_else(|| panic!("no {key} in {}", self.text))
    }
}

async fn get(context: &Context, accept: &str) -> Reply {
    let request = context.client.get(format!("{}/metrics", context.server.url())).header("accept", accept);
    let reply = Reply::of(request.send().await.unwrap()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply
}

/// The samples of a text in the format of Prometheus, which is checked on the way: every family is described once and before its
/// samples, which stand together; the samples of counters end in `_total`; no sample stands there twice; the buckets of a
/// histogram rise up to its count. `described` is what the name of a counter ends with where it is described.
fn checked(text: &str, described: &str) -> Samples {
    let (mut helped, mut typed, mut samples) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
    let (mut family, mut kind) = (String::new(), String::new());
    // The last bucket: of which series, and its value.
    let mut last = (String::new(), 0);
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(helped.insert(name.to_owned()) && help.ends_with('.'), "{line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, of_kind) = rest.split_once(' ').unwrap();
            assert!(helped.contains(name) && typed.insert(name.to_owned()), "{line}");
            (family, kind) = (name.to_owned(), of_kind.to_owned());
            assert_eq!(kind == "counter" && !described.is_empty(), name.ends_with("_total"), "{line}");
        } else if !line.starts_with('#') {
            let (key, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = key.split_once('{').unwrap_or((key, "}"));
            assert!(labels.ends_with('}') && name.starts_with("rejoin_"), "{line}");
            let suffix = name.strip_prefix(family.as_str()).unwrap_or_else(|| panic!("{line} below {family}"));
            match (kind.as_str(), suffix) {
                // Times, and what was summed up.
                ("gauge", "") if name.ends_with("_seconds") => {
                    assert!(value.parse::<f64>().unwrap() >= 0.0, "{line}");
                    continue;
                }
                ("gauge", "") | ("histogram", "_bucket" | "_count") => {}
                ("histogram", "_sum") => {
                    assert!(value.parse::<f64>().unwrap() >= 0.0, "{line}");
                    continue;
                }
                ("counter", suffix) => assert!(name.ends_with("_total") && suffix.len() <= 6, "{line}"),
                _ => panic!("{line} of a {kind}"),
            }
            let value: u64 = value.parse().unwrap();
            if suffix == "_bucket" {
                let others = |label: &&str| !label.starts_with("le=");
                let series = labels.trim_end_matches('}').split(',').filter(others).collect::<Vec<_>>().join(",");
                let series = format!("{family}{{{series}}}");
                assert!(series != last.0 || value >= last.1, "{line}");
                last = (series, value);
            }
            assert!(samples.insert(key.to_owned(), value).is_none(), "{line}");
        }
    }
    for (key, count) in samples.iter().filter(|(key, _)| key.contains("_seconds_count")) {
        let all = key.replace("_count{", "_bucket{le=\"+Inf\",");
        assert_eq!(samples.get(&all), Some(count), "{all}");
    }
    assert!(samples.len() > 50);
    samples
}

const NAP: &str = "<sleep name=\"nap\" duration=\"PT10M\"/>";

fn join(id: &str) -> String {
    format!("<session id=\"{id}\"/>")
}

#[tokio::test]
async fn there_are_two_formats_and_both_are_well_formed() {
    // Behaviour 66.
    let context = Context::new().await;
    context.create().await;
    let wish = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    let reply = get(&context, wish).await;
    assert_eq!(reply.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(reply.text.ends_with("# EOF\n"));
    checked(&reply.text, "");
    Scrape::of(&context).await;
}

#[tokio::test]
async fn what_happens_to_sessions_is_counted() {
    // Behaviour 66.
    let context = Context::with(|builder, mut resource| {
        resource.session.limits.per_principal = Some(2);
        resource.session.join.max_waiters = 1;
        builder.resource(resource)
    })
    .await;
    let before = Scrape::of(&context).await;
    assert_eq!(before.of_data("rejoin_sessions_created_total", ",kind=\"explicit\""), 0);
    assert_eq!(before.of_data("rejoin_session_denied_total", ",reason=\"SessionInUse\""), 0);

    context.perform("<echo name=\"e\"><text>x</text></echo>").await.is_completed();
    let (kept, ended) = (context.create().await, context.create().await);
    context.perform("<session/>").await.is_fault(429, "SessionQuotaExceeded");
    context.perform(&format!("<session id=\"{ended}\" mode=\"terminate\"/>")).await.is_completed();
    context.perform(&join(&ended)).await.is_fault(410, "SessionEnded");
    context.perform(&join(&"A".repeat(43))).await.is_fault(404, "SessionNotFound");
    context.perform(&join(&kept)).await.is_completed();

    let after = Scrape::of(&context).await;
    assert_eq!(after.of_data("rejoin_sessions_created_total", ",kind=\"explicit\""), 2);
    assert_eq!(after.of_data("rejoin_sessions_created_total", ",kind=\"implicit\""), 1);
    assert_eq!(after.of_data("rejoin_sessions", ",kind=\"explicit\""), 1);
    assert_eq!(after.of_data("rejoin_sessions", ",kind=\"implicit\""), 0);
    assert_eq!(after.of_data("rejoin_sessions_ended_total", ",reason=\"terminated\""), 1);
    assert_eq!(after.of_data("rejoin_sessions_ended_total", ",reason=\"completed\""), 1);
    assert_eq!(after.of_data("rejoin_session_tombstones", ""), 2);
    assert_eq!(after.of_data("rejoin_session_join_wait_seconds_count", ""), 5);
    assert_eq!(after.of_data("rejoin_session_held_seconds_count", ""), 5);
    for code in ["SessionQuotaExceeded", "SessionEnded", "SessionNotFound"] {
        assert_eq!(after.of_data("rejoin_session_denied_total", &format!(",reason=\"{code}\"")), 1, "{code}");
    }

    let holding = tokio::spawn(context.post(&format!("{}{NAP}", join(&kept))).send());
    while context.perform(&format!("<session id=\"{kept}\" wait=\"0\"/>")).await.status == 200 {}
    let waiting = tokio::spawn(context.post(&format!("<session id=\"{kept}\" wait=\"60000\"/>")).send());
    while Scrape::of(&context).await.of_data("rejoin_session_waiters", "") < 1 {}
    context.perform(&format!("<session id=\"{kept}\" wait=\"1\"/>")).await.is_fault(503, "SessionQueueFull");
    let during = Scrape::of(&context).await;
    assert_eq!(during.of_data("rejoin_session_requests", ""), 1);
    assert_eq!(during.samples["rejoin_requests_running"], 1);
    assert_eq!(during.samples["rejoin_requests_waiting"], 1);
    assert!(during.of_data("rejoin_session_denied_total", ",reason=\"SessionInUse\"") >= 1);
    assert_eq!(during.of_data("rejoin_session_denied_total", ",reason=\"SessionQueueFull\""), 1);
    holding.abort();
    assert_eq!(waiting.await.unwrap().unwrap().status(), 200);
    let last = Scrape::of(&context).await;
    assert_eq!((last.of_data("rejoin_session_waiters", ""), last.of_data("rejoin_session_requests", "")), (0, 0));
    assert_eq!(last.samples["rejoin_requests_running"], 0);
    assert_eq!(last.of_data("rejoin_http_requests_total", ",method=\"POST\",status=\"499\",code=\"ClientGone\""), 1);
}

#[tokio::test]
async fn an_id_that_is_used_again_and_sweeps_are_counted() {
    // Behaviours 31 and 66.
    let clock = ManualClock::new();
    let driven = clock.clone();
    let context = Context::with(|builder, resource| builder.resource(resource).clock(driven)).await;
    let id = context.create().await;
    let rotated = context.perform(&format!("<session id=\"{id}\" rotate=\"true\"/>")).await.session_id();
    context.perform(&join(&rotated)).await.is_completed();
    clock.advance(Duration::from_mins(1));
    context.perform(&join(&id)).await;
    context.create().await;
    clock.advance(Duration::from_mins(10));
    let swept = loop {
        let scrape = Scrape::of(&context).await;
        if scrape.of_data("rejoin_session_swept_total", "") > 0 {
            break scrape;
        }
        clock.advance(Duration::from_secs(1));
    };
    assert_eq!(swept.of_data("rejoin_session_ids_reused_total", ""), 1);
    assert_eq!(swept.of_data("rejoin_sessions_ended_total", ",reason=\"killed\""), 1);
    assert_eq!(swept.of_data("rejoin_sessions_ended_total", ",reason=\"idle\""), 1);
    assert_eq!(swept.of_data("rejoin_session_swept_total", ""), 1);
    assert!(swept.of_data("rejoin_session_sweeps_total", "") >= 1);
}

#[tokio::test]
async fn answers_are_counted_by_status_and_code_and_measured() {
    let context = Context::new().await;
    let rows = "<sqlQueryStatement name=\"q\"><expression>WITH RECURSIVE n(i) AS (SELECT 100000 UNION ALL SELECT i + 1 FROM n LIMIT 100000) SELECT i FROM n</expression>
        <resultStream name=\"r\"/></sqlQueryStatement>
        <sqlResultsToCSV name=\"c\"><resultSet from=\"r\"/><csvOutput name=\"csv\"/></sqlResultsToCSV>";
    assert_eq!(context.raw(rows, "csv").await.text.len(), 700_000);
    context.perform("<nonsense name=\"n\"/>").await.is_fault(400, "UnknownActivity");
    let elsewhere = format!("{}/services/invented-name", context.server.url());
    assert_eq!(context.client.post(elsewhere).send().await.unwrap().status(), 404);
    let patched = context.client.patch(context.url()).send().await.unwrap();
    assert_eq!(patched.status(), 405);

    let scrape = Scrape::of(&context).await;
    let requests = |labels: &str| scrape.of_data("rejoin_http_requests_total", labels);
    assert_eq!(requests(",method=\"POST\",status=\"200\",code=\"\""), 1);
    assert_eq!(requests(",method=\"POST\",status=\"400\",code=\"UnknownActivity\""), 1);
    assert_eq!(requests(",method=\"other\",status=\"405\",code=\"MethodNotAllowed\""), 1);
    assert!(scrape.of_data("rejoin_http_response_bytes_total", "") > 700_000);
    assert_eq!(scrape.of_data("rejoin_http_responses_broken_total", ""), 0);
    assert_eq!(scrape.of_data("rejoin_http_first_byte_seconds_count", ",method=\"POST\""), 2);
    assert_eq!(scrape.of_data("rejoin_http_request_duration_seconds_count", ",method=\"POST\""), 2);
    let not_served =
        "rejoin_http_requests_total{resource=\"\",method=\"POST\",status=\"404\",code=\"ResourceNotFound\"}";
    assert_eq!(scrape.samples[not_served], 1);
    assert!(scrape.samples["rejoin_http_connections"] >= 1);
    assert!(!scrape.text.contains("invented-name") && !scrape.text.contains("PATCH"));
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_counted() {
    let context = Context::new().await;
    let endless = "<sqlQueryStatement name=\"q\"><expression>WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n</expression>
        <resultStream name=\"r\"/></sqlQueryStatement>
        <sqlResultsToCSV name=\"c\"><resultSet from=\"r\"/><csvOutput name=\"csv\"/></sqlResultsToCSV>";
    let mut response = context.post(endless).send().await.unwrap();
    assert!(response.chunk().await.unwrap().is_some());
    drop(response);
    while Scrape::of(&context).await.of_data("rejoin_http_responses_broken_total", "") < 1 {}
}

#[tokio::test]
async fn no_label_shows_an_id_or_a_handle() {
    // Behaviour 49.
    let context = Context::new().await;
    let id = context.create().await;
    let reply = context.perform(&join(&id)).await;
    let request = reply.header("rejoin-request-id").to_owned();
    let text = Scrape::of(&context).await.text;
    assert!(!text.contains(&id) && !text.contains(&request));
    // Neither in any form: every label is one of these.
    let labels: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.split_once('{')?.1.split_once('}').map(|(labels, _)| labels))
        .flat_map(|labels| labels.split(','))
        .map(|label| label.split_once('=').unwrap().0)
        .collect();
    assert_eq!(labels, BTreeSet::from(["code", "kind", "le", "method", "reason", "resource", "status"]));
}

#[tokio::test]
async fn where_there_is_authentication_the_metrics_are_for_operators() {
    let context = Context::with(|builder, resource| believing(builder).resource(resource)).await;
    let ask = async |user: &str| {
        let request = context.client.get(format!("{}/metrics", context.server.url())).header("x-user", user);
        Reply::of(request.send().await.unwrap()).await
    };
    ask("ada").await.is_fault(403, "Forbidden");
    ask("").await.is_fault(403, "Forbidden");
    let text = ask("admin").await.text;
    checked(&text, "_total");
    assert!(!text.contains("ada") && !text.contains("admin"));
}

#[tokio::test]
async fn what_the_store_does_is_counted() {
    // Behaviour 66.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions").to_str().unwrap().to_owned();
    let durable = || {
        Context::with(|builder, mut resource| {
            resource.session.factory = DURABLE_FACTORY.into();
            resource.session.store = Some(StoreSettings { path: path.clone(), full: true });
            builder.resource(resource)
        })
    };
    let first = durable().await;
    let before = Scrape::of(&first).await;
    assert_eq!(before.of_data("rejoin_store_commit_seconds_count", ""), 0);
    assert_eq!(before.of_data("rejoin_sessions_dormant", ""), 0);
    for reason in ["full", "readOnly", "failed", "damaged"] {
        for operation in ["commit", "read", "tidy"] {
            let labels = format!(",operation=\"{operation}\",reason=\"{reason}\"");
            assert_eq!(before.of_data("rejoin_store_failures_total", &labels), 0);
        }
    }
    let id = first.create().await;
    first.perform(&join(&id)).await.is_completed();
    let after = Scrape::of(&first).await;
    assert_eq!(after.of_data("rejoin_store_commit_seconds_count", ""), 2);
    assert_eq!(after.samples["rejoin_store_batch_writes_bucket{le=\"1.0\",resource=\"data\"}"], 2);
    assert!(after.of_data("rejoin_store_bytes", "") > 0);
    first.server.shutdown().await;
    // Whoever was in the middle of something lets go of the store a moment later.
    while SqliteStore::open(&folder.path().join("sessions"), Durability::Full).is_err() {
        tokio::task::yield_now().await;
    }

    let second = durable().await;
    let recovered = Scrape::of(&second).await;
    assert!(recovered.text.contains("\nrejoin_store_recovery_seconds{resource=\"data\"} "), "{}", recovered.text);
    assert_eq!(recovered.of_data("rejoin_sessions", ",kind=\"explicit\""), 1);
    assert_eq!(recovered.of_data("rejoin_sessions_dormant", ""), 1);
    second.perform(&join(&id)).await.is_completed();
    let loaded = Scrape::of(&second).await;
    assert_eq!(loaded.of_data("rejoin_store_load_seconds_count", ""), 1);
    assert_eq!(loaded.of_data("rejoin_sessions_dormant", ""), 0);
}
