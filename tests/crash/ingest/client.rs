//! Somebody who has a session, and goes on with it whatever becomes of the service.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, bail, ensure};

use super::Done;
use super::api::{PAGES, RECORDS};
use crate::held::document;
use crate::wire::{Ask, Exchange, Link, Reply};

/// What is said of a job that was perhaps created.
const UNKNOWN: &str = "what became of it is not known";

pub(super) struct Client {
    number: u64,
    link: Link,
    session: String,
    done: Arc<Done>,
}

impl Client {
    pub(super) fn new(number: u64, link: Link, done: Arc<Done>) -> Self {
        Self { number, link, session: String::new(), done }
    }

    /// Works until the end, each time in a session of its own.
    pub(super) async fn run(mut self) -> Result<()> {
        for round in 0.. {
            if self.done.is_closing.load(Ordering::Relaxed) {
                break;
            }
            self.session = self.open().await?;
            let name = format!("c{}r{round}", self.number);
            if self.create(&name).await? {
                self.poll(&name).await?;
            }
            self.pull(&format!("{name}all")).await?;
            self.pull_with_rows(&format!("{name}one")).await?;
        }
        Ok(())
    }

    /// A new session. One whose creation nobody has answered is left alone.
    async fn open(&mut self) -> Result<String> {
        loop {
            match self.link.send(&Ask::perform(document("<session/>"))).await? {
                Exchange::Answered(reply) => return reply.session_id(),
                Exchange::Lost => {}
                Exchange::Over => bail!("the service went away"),
            }
        }
    }

    /// Creates a job, and keeps its id in the session. Whether it is known.
    async fn create(&mut self, name: &str) -> Result<bool> {
        let state = format!("create-{name}");
        let content = format!(
            "{}<deliverToSession name=\"keep\"><fromLocal from=\"job\"/><toSession attribute=\"job\" mode=\"replace\"/></deliverToSession>",
            ingest(
                &[("ms.source.uri", &format!("create/{name}")), ("ms.http.request.method", "POST")],
                &format!("<sessionState attribute=\"{state}\" save=\"{}\"/><records name=\"job\"/>", self.save()),
            )
        );
        loop {
            match self.send(&content).await? {
                Some(reply) if reply.is_completed() => break,
                Some(reply) => {
                    ensure!(reply.text().contains(UNKNOWN), "the job `{name}` was not created: {}", reply.text());
                    add(&self.done.unknown);
                    return Ok(false);
                }
                None if self.is_complete(&state).await? => break,
                None => {}
            }
        }
        add(&self.done.jobs);
        Ok(true)
    }

    /// Half of all save their progress with the page, the others with the request.
    fn save(&self) -> &'static str {
        if self.number.is_multiple_of(2) { "page" } else { "request" }
    }

    /// Polls the job until it is done. The time of a poll that breaks off is not begun anew.
    async fn poll(&mut self, name: &str) -> Result<()> {
        let state = format!("poll-{name}");
        let content = format!(
            "<deliverFromSession name=\"take\"><fromSession attribute=\"job\"/><toLocal name=\"job\"/></deliverFromSession>{}",
            ingest(
                &[
                    ("ms.source.uri", "jobs/{{id}}"),
                    ("ms.secondary.input", r#"[{"path":"job","fields":["id"]}]"#),
                    ("ms.session.key.field", r#"{"name":"state","condition":{"regexp":"done"}}"#),
                    ("ms.call.interval.millis", "40"),
                    ("ms.wait.timeout.seconds", "3600"),
                ],
                &format!("<sessionState attribute=\"{state}\"/><secondary from=\"job\"/><json name=\"states\"/>"),
            )
        );
        let mut began = None;
        loop {
            if let Some(reply) = self.send(&content).await? {
                ensure!(reply.is_completed(), "the poll of `{name}` has failed: {}", reply.text());
                add(&self.done.polls);
                return Ok(());
            }
            if self.is_complete(&state).await? {
                add(&self.done.polls);
                return Ok(());
            }
            let now = number_behind("\"began\":", &self.attribute(&state).await?);
            ensure!(began.is_none() || now.is_none() || now == began, "the time of `{name}` was begun anew");
            began = began.or(now);
        }
    }

    /// Fetches all pages by one request, which keeps its progress after each.
    async fn pull(&mut self, name: &str) -> Result<()> {
        let state = format!("pull-{name}");
        let content = ingest(&pages(&format!("pages/{name}"), &[]), &format!("<sessionState attribute=\"{state}\"/>"));
        loop {
            match self.send(&content).await? {
                Some(reply) if reply.is_completed() => break,
                Some(reply) => bail!("the pages of `{name}` were not fetched: {}", reply.text()),
                None if self.is_complete(&state).await? => break,
                None => {}
            }
        }
        add(&self.done.pulls);
        Ok(())
    }

    /// Fetches a page by each request, and keeps its rows in the session, in one with its progress.
    async fn pull_with_rows(&mut self, name: &str) -> Result<()> {
        let rows = format!("rows-{name}");
        let more = [("ms.wait.timeout.seconds", "0"), ("rejoin.on.timeout", "continue")];
        let content = format!(
            "{}<deliverToSession name=\"keep\"><fromLocal from=\"rows\"/><toSession attribute=\"{rows}\" mode=\"append\"/></deliverToSession>",
            ingest(
                &pages(&format!("pages/{name}"), &more),
                &format!("<sessionState attribute=\"pull-{name}\" save=\"request\"/><records name=\"rows\"/>"),
            )
        );
        let all: Vec<u64> = (0..PAGES * RECORDS).collect();
        let mut came = 0;
        while came < all.len() {
            if let Some(reply) = self.send(&content).await? {
                ensure!(reply.is_completed(), "a page of `{name}` has failed: {}", reply.text());
            }
            let kept = self.rows(&rows).await?;
            ensure!(kept[..] == all[..kept.len().min(all.len())], "of `{name}` came {kept:?}");
            came = kept.len();
        }
        add(&self.done.pulls);
        Ok(())
    }

    /// Sends what is to be done in the session; `None` when the service was killed meanwhile.
    async fn send(&mut self, content: &str) -> Result<Option<Reply>> {
        let body = document(&format!("<session id=\"{}\"/>{content}", self.session));
        match self.link.send(&Ask::perform(body)).await? {
            Exchange::Answered(reply) => Ok(Some(reply)),
            Exchange::Lost => {
                add(&self.done.broken_off);
                Ok(None)
            }
            Exchange::Over => bail!("the service went away"),
        }
    }

    /// Whether an ingestion was complete, in a request that was complete, though nobody has heard of it.
    async fn is_complete(&mut self, state: &str) -> Result<bool> {
        let kept = self.attribute(state).await?;
        Ok(kept.contains("\"done\":[]") && kept.contains("\"units\":{}"))
    }

    /// An attribute of the session as text; nothing if it is not there.
    async fn attribute(&mut self, name: &str) -> Result<String> {
        let look = format!(
            "<sessionAttributeManagement name=\"look\"><getAttribute name=\"{name}\"/><output name=\"value\"/></sessionAttributeManagement>"
        );
        loop {
            if let Some(reply) = self.send(&look).await? {
                return Ok(if reply.is_completed() { reply.data("value")? } else { String::new() });
            }
        }
    }

    /// The numbers in the rows that the session keeps.
    async fn rows(&mut self, name: &str) -> Result<Vec<u64>> {
        let look = format!(
            "<deliverFromSession name=\"take\"><fromSession attribute=\"{name}\"/><toLocal name=\"taken\"/></deliverFromSession>\
             <sqlResultsToCSV name=\"format\"><resultSet from=\"taken\"/><csvOutput name=\"csv\"/></sqlResultsToCSV>"
        );
        loop {
            let Some(reply) = self.send(&look).await? else { continue };
            if !reply.is_completed() {
                return Ok(Vec::new());
            }
            return Ok(reply.data("csv")?.lines().map(str::parse).collect::<Result<_, _>>()?);
        }
    }
}

fn add(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

/// What it takes to follow the cursor of a list.
fn pages<'a>(uri: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut properties = vec![
        ("ms.source.uri", uri),
        ("ms.data.field", "items"),
        ("ms.session.key.field", r#"{"name":"next"}"#),
        ("ms.parameters", r#"[{"name":"cursor","type":"session"}]"#),
    ];
    properties.extend(more);
    properties
}

fn ingest(properties: &[(&str, &str)], more: &str) -> String {
    let properties: String = properties
        .iter()
        .map(|(key, value)| format!("<property key=\"{key}\"><![CDATA[{value}]]></property>"))
        .collect();
    format!("<httpIngest name=\"ingest\">{properties}{more}</httpIngest>")
}

/// The number that stands behind some words.
fn number_behind(words: &str, text: &str) -> Option<u64> {
    let (_, behind) = text.split_once(words)?;
    behind.split(|other: char| !other.is_ascii_digit()).next()?.parse().ok()
}
