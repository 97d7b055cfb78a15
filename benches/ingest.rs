//! Ten thousand pages of a hundred records from a server on this machine: `httpIngest`, which follows a cursor, types the
//! records and writes them as CSV, against a bare loop of reqwest that parses the same pages with `serde_json`.
//!
//! Then ten thousand polls that wait for their next look, in a service of its own: what they take of memory and threads.
//!
//! `cargo bench --bench ingest`; `-- --pages 1000 --rounds 1 --waits 1000` for a quicker look, `-- --held 10000` for polls whose
//! clients wait with them, which takes as many open files; `-- --gigabytes 10` for answers of that size.

mod support {
    pub(crate) mod arguments;
    pub(crate) mod command;
    pub(crate) mod endless;
    pub(crate) mod peak;
    pub(crate) mod waits;
}

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use rejoin::document::{DataResourceConfiguration, Located, OriginConfiguration};
use rejoin::service::{ConfiguredResource, Server};
use support::arguments::argument;
use tokio::net::TcpListener;

/// As in the command; the bare loop has it too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RECORDS: u32 = 100;

#[tokio::main]
async fn main() -> Result<()> {
    let (waits, held) = (argument("--waits", 10_000)?, argument("--held", 0)?);
    for (polls, is_held) in [(waits, false), (held, true)].into_iter().filter(|(polls, _)| *polls > 0) {
        support::waits::measure(polls, is_held).await?;
    }
    let gigabytes = argument("--gigabytes", 0)?;
    if gigabytes > 0 {
        support::endless::measure(gigabytes).await?;
    }
    let (pages, rounds) = (argument("--pages", 10_000)?, argument("--rounds", 3)?);
    if pages > 0 {
        compare(pages, rounds).await?;
    }
    Ok(())
}

/// Pages by turns, ours and the bare loop's.
async fn compare(pages: u32, rounds: u32) -> Result<()> {
    let api = start_api(pages).await?;
    let (mut ours, mut bare, mut growth) = (Vec::new(), Vec::new(), 0);
    for _ in 0..rounds {
        bare.push(rate(pages, bare_loop(&api, pages).await?));
        let before = support::peak::begin()?;
        ours.push(rate(pages, ingest(&api, pages).await?));
        growth = growth.max(support::peak::kibibytes()?.saturating_sub(before));
    }
    let (ours, bare) = (middle(&mut ours), middle(&mut bare));
    println!("{pages} pages of {RECORDS} records (median of {rounds})");
    println!("httpIngest, as CSV  {ours:>8.0} pages/s");
    println!("bare reqwest loop   {bare:>8.0} pages/s");
    println!("ratio {:.3} (bar 0.50)", ours / bare);
    println!("growth of memory    {:>8} MiB, service and client together", growth / 1024);
    Ok(())
}

/// The middle one of an odd number of rates.
fn middle(rates: &mut [f64]) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or_default()
}

fn rate(pages: u32, time: Duration) -> f64 {
    f64::from(pages) / time.as_secs_f64()
}

/// All pages, made before anybody asks.
async fn start_api(pages: u32) -> Result<String> {
    let bodies: Arc<Vec<Bytes>> = Arc::new((0..pages).map(|page| body(page, pages)).collect());
    let app = Router::new().route("/records", get(answer)).with_state(bodies);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(url)
}

async fn answer(State(bodies): State<Arc<Vec<Bytes>>>, RawQuery(query): RawQuery) -> impl IntoResponse {
    let cursor = query.as_deref().and_then(|query| query.strip_prefix("cursor="));
    let page: usize = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
    ([(CONTENT_TYPE, "application/json")], bodies.get(page).cloned().unwrap_or_default())
}

fn body(page: u32, pages: u32) -> Bytes {
    let record = |number: u32| {
        let id = page * RECORDS + number;
        format!(
            "{{\"id\":{id},\"name\":\"Customer number {id}\",\"town\":\"Perth\",\"credit\":{}.25,\"active\":{},\
             \"created\":\"2026-01-02T03:04:05Z\",\"note\":null}}",
            id % 1000,
            id.is_multiple_of(2)
        )
    };
    let records: Vec<String> = (0..RECORDS).map(record).collect();
    let next = if page + 1 < pages { format!("\"{}\"", page + 1) } else { "null".to_owned() };
    format!("{{\"cursor\":{next},\"items\":[{}]}}", records.join(",")).into()
}

/// What a script of twenty lines does.
async fn bare_loop(api: &str, pages: u32) -> Result<Duration> {
    let client = reqwest::Client::new();
    let start = Instant::now();
    let (mut uri, mut records) = (format!("{api}/records"), 0);
    loop {
        let bytes = client.get(&uri).send().await?.bytes().await?;
        let page: serde_json::Value = serde_json::from_slice(&bytes)?;
        records += page["items"].as_array().context("no items")?.len();
        let Some(cursor) = page["cursor"].as_str() else { break };
        uri = format!("{api}/records?cursor={cursor}");
    }
    ensure!(records == pages as usize * RECORDS as usize, "{records} records came");
    Ok(start.elapsed())
}

const DOCUMENT: &str = r#"<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types">
  <httpIngest name="pull">
    <property key="ms.source.uri">/records</property>
    <property key="ms.data.field">items</property>
    <property key="ms.session.key.field">{"name": "cursor"}</property>
    <property key="ms.parameters">[{"name": "cursor", "type": "session"}]</property>
    <records name="rows"/>
  </httpIngest>
  <sqlResultsToCSV name="format"><resultSet from="rows"/><csvOutput name="csv"/></sqlResultsToCSV>
</perform>"#;

async fn ingest(api: &str, pages: u32) -> Result<Duration> {
    let mut configured = DataResourceConfiguration::at(api.to_owned());
    configured.web.origins.push(OriginConfiguration { uri: Located::from(api.to_owned()), is_private: true });
    let resource = ConfiguredResource::new("api", ".").configured_data_resource(configured);
    let server = Server::builder().listen("127.0.0.1:0").resource(resource).build()?.start().await?;
    let url = format!("{}/services/api?return=csv", server.url());
    let start = Instant::now();
    let mut answer = reqwest::Client::new().post(url).body(DOCUMENT).send().await?;
    let mut lines = 0;
    while let Some(piece) = answer.chunk().await? {
        lines += memchr::memchr_iter(b'\n', &piece).count();
    }
    let time = start.elapsed();
    ensure!(lines == pages as usize * RECORDS as usize, "{lines} lines came");
    server.shutdown().await;
    Ok(time)
}
