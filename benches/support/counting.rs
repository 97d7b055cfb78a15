//! Counters in sessions of a service, which every request reads and counts up.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::wrk::{CONNECTIONS, Load, middle, wrk};

const NAMESPACE: &str = "http://ogsadai.org.uk/namespaces/2005/10/types";

const COUNT: &str = "<sessionAttributeManagement name=\"count\"><incrementAttribute name=\"visits\" by=\"1\"/>\
                     <output name=\"now\"/></sessionAttributeManagement>";

const READ: &str = "<sessionAttributeManagement name=\"r\"><getAttribute name=\"visits\"/><output name=\"now\"/>\
                    </sessionAttributeManagement>";

/// Counters, and what the loads on them came to.
pub(crate) struct Counters {
    url: String,
    ids: Vec<String>,
    client: reqwest::Client,
    rates: Vec<f64>,
    answered: u64,
}

impl Counters {
    /// Creates so many sessions.
    pub(crate) async fn create(url: &str, sessions: usize) -> Result<Self> {
        let client = reqwest::Client::new();
        let mut counters = Self { url: url.into(), ids: Vec::new(), client, rates: Vec::new(), answered: 0 };
        for _ in 0..sessions {
            let text = counters.post(perform("<session/>")).await?;
            let (_, rest) = text.split_once("<session id=\"").with_context(|| format!("no session: {text}"))?;
            counters.ids.push(rest.split('"').next().unwrap_or_default().into());
        }
        Ok(counters)
    }

    /// What wrk sends: one increment, in the session of the thread.
    pub(crate) fn script(&self, folder: &Path) -> Result<PathBuf> {
        let path = folder.join("count.lua");
        let document = perform(COUNT);
        let ids = self.ids.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(", ");
        let lua = format!(
            "wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/xml'\nwrk.body = [==[{document}]==]\n\
             local ids, threads = {{{ids}}}, 0\nfunction setup(thread)\n  thread:set('id', ids[threads % #ids + 1])\n  \
             threads = threads + 1\nend\nlocal prepared\nfunction init()\n  wrk.headers['Rejoin-Session'] = id\n  \
             prepared = wrk.format()\nend\nfunction request()\n  return prepared\nend\n"
        );
        fs::write(&path, lua)?;
        Ok(path)
    }

    /// A load of so many seconds on them, by as many threads as there are sessions.
    pub(crate) async fn load(&mut self, folder: &Path, seconds: u32) -> Result<()> {
        let load = load(&self.url, &self.script(folder)?, self.ids.len(), seconds).await?;
        self.rates.push(load.rate);
        self.answered += load.answered;
        Ok(())
    }

    /// The rate in the middle.
    pub(crate) fn rate(&mut self) -> f64 {
        middle(&mut self.rates)
    }

    /// How many requests were answered. Every one of them has to be in the counters.
    pub(crate) async fn check(&self) -> Result<u64> {
        let mut counted = 0;
        for id in &self.ids {
            let text = self.post(perform(&format!("<session id=\"{id}\"/>{READ}"))).await?;
            let (_, rest) = text.split_once("type=\"integer\">").with_context(|| format!("no count: {text}"))?;
            counted += rest.split('<').next().unwrap_or_default().parse::<u64>()?;
        }
        // When a load ends, its last requests have been sent and perhaps performed, but their answers are not counted.
        let uncounted = (self.rates.len() * CONNECTIONS) as u64;
        ensure!(
            (self.answered..=self.answered + uncounted).contains(&counted),
            "{} requests were answered and {counted} were counted",
            self.answered
        );
        Ok(self.answered)
    }

    async fn post(&self, document: String) -> Result<String> {
        let request = self.client.post(&self.url).header("content-type", "application/xml").body(document);
        Ok(request.send().await?.text().await?)
    }
}

/// `wrk` blocks, and what it measures runs in this process. One thread for each session, because a thread knows which session
/// is its own.
pub(crate) async fn load(url: &str, script: &Path, threads: usize, seconds: u32) -> Result<Load> {
    let (url, script) = (url.to_owned(), script.to_owned());
    tokio::task::spawn_blocking(move || wrk(CONNECTIONS, &url, &script, threads, seconds)).await?
}

fn perform(content: &str) -> String {
    format!("<perform xmlns=\"{NAMESPACE}\">{content}</perform>")
}
