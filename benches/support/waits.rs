//! Polls that wait: each in a session of its own, between two looks at a job that is never done.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::command::Service;

/// A poll that looks once in ten minutes.
const DOCUMENT: &str = r#"<perform xmlns="http://ogsadai.org.uk/namespaces/2005/10/types">
  <session/>
  <httpIngest name="wait">
    <property key="ms.source.uri">jobs/17</property>
    <property key="ms.session.key.field">{"name": "state", "condition": {"regexp": "done"}}</property>
    <property key="ms.call.interval.millis">600000</property>
    <property key="ms.wait.timeout.seconds">3600</property>
    <json name="states"/>
  </httpIngest>
</perform>"#;

/// How many requests are sent at a time.
const TOGETHER: u32 = 64;

/// Prints what so many waiting polls cost a service: `is_held`: whose clients stay and wait for their answers.
pub(crate) async fn measure(polls: u32, is_held: bool) -> Result<()> {
    let looks = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&looks);
    let answer = get(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async { ([(CONTENT_TYPE, "application/json")], r#"{"state":"running"}"#) }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let api = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/jobs/17", answer)).await });

    let folder = tempfile::tempdir()?;
    let resource = format!("<dataResource uri=\"{api}/\"><origin uri=\"{api}\" private=\"true\"/></dataResource>");
    let limits = format!("concurrentRequests=\"{polls}\" queuedRequests=\"1000\"");
    let service = Service::start(folder.path(), &[("api", resource)], &limits)?;
    let idle = service.begin_peak()?;
    let client = reqwest::Client::new();
    let mut held = JoinSet::new();
    for first in (0..polls).step_by(TOGETHER as usize) {
        let next = polls.min(first + TOGETHER);
        for _ in first..next {
            let request = client.post(service.url("api")).header("content-type", "application/xml").body(DOCUMENT);
            if is_held {
                held.spawn(request.send());
            } else {
                let answer = request.header("prefer", "respond-async").send().await?;
                ensure!(answer.status() == 202, "{}", answer.text().await?);
            }
        }
        wait_for(&looks, next).await?;
    }
    // What was taken on the way is given back.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (now, peak, threads) = (service.status("VmRSS:")?, service.peak()?, service.status("Threads:")?);
    let manner = if is_held { "whose clients wait" } else { "answered at once" };
    println!("{polls} waiting polls, {manner}");
    println!("memory              {:>8} MiB      (bar 256)", now / 1024);
    println!("of each             {:>8.1} KiB", f64::from(u32::try_from(now - idle)?) / f64::from(polls));
    println!("peak                {:>8} MiB", peak / 1024);
    println!("threads             {threads:>8}");
    Ok(())
}

async fn wait_for(looks: &AtomicU32, count: u32) -> Result<()> {
    let looking = async {
        while looks.load(Ordering::Relaxed) < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), looking).await.context("polls do not begin")
}
