//! A counter in a session, read and incremented by every request: each connection in a session of its own, and all on one.
//! Against an axum handler that reads the same body, in the same run. Every answered request has to be in the counters.
//!
//! `cargo bench --bench counter`; `-- --rounds 3 --seconds 2` for a quicker look. Needs `wrk` on the path.

mod support {
    pub(crate) mod arguments;
    pub(crate) mod bare;
    pub(crate) mod wrk;
}

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use rejoin::document::SessionConfiguration;
use rejoin::service::{ConfiguredResource, Server};
use support::arguments::argument;
use support::bare::start_bare;
use support::wrk::{CONNECTIONS, Load, middle, wrk};

/// As in the command; the bare handler has it too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const NAMESPACE: &str = "http://ogsadai.org.uk/namespaces/2005/10/types";

/// One thread for each connection, because a thread knows which session is its own.
const OWN_THREADS: usize = CONNECTIONS;

#[tokio::main]
async fn main() -> Result<()> {
    let bench = Bench {
        rounds: argument("--rounds", 5)?,
        seconds: argument("--seconds", 5)?,
        folder: tempfile::tempdir()?,
        client: reqwest::Client::new(),
    };
    let mut session = SessionConfiguration::default();
    // All but the one that holds the session wait for it.
    session.join.max_waiters = u32::try_from(CONNECTIONS)?;
    let resource = ConfiguredResource::new("counters", bench.folder.path()).session(session);
    let server = Server::builder().listen("127.0.0.1:0").resource(resource).build()?.start().await?;
    let url = format!("{}/services/counters", server.url());
    let bare = format!("http://{}/", start_bare().await?);

    println!("requests per second over {CONNECTIONS} keep-alive connections (median of {})", bench.rounds);
    bench.compare("a session for each connection", CONNECTIONS, OWN_THREADS, 0.60, &url, &bare).await?;
    bench.compare("all on one session", 1, 1, 0.45, &url, &bare).await?;
    server.shutdown().await;
    Ok(())
}

struct Bench {
    rounds: u32,
    seconds: u32,
    folder: tempfile::TempDir,
    client: reqwest::Client,
}

impl Bench {
    async fn compare(
        &self,
        what: &str,
        sessions: usize,
        threads: usize,
        bar: f64,
        url: &str,
        bare: &str,
    ) -> Result<()> {
        let mut ids = Vec::new();
        for _ in 0..sessions {
            ids.push(self.create(url).await?);
        }
        let script = self.script(&ids)?;
        let (mut ours, mut theirs, mut answered, mut runs) = (Vec::new(), Vec::new(), 0, 0);
        for _ in 0..self.rounds {
            theirs.push(self.load(bare, &script, threads).await?.rate);
            let load = self.load(url, &script, threads).await?;
            ours.push(load.rate);
            answered += load.answered;
            runs += 1;
        }
        let mut counted = 0;
        for id in &ids {
            counted += self.count(url, id).await?;
        }
        // When a load ends, its last requests have been sent and perhaps performed, but their answers are not counted.
        ensure!(
            (answered..=answered + runs * CONNECTIONS as u64).contains(&counted),
            "{answered} requests were answered and {counted} were counted"
        );
        let (ours, theirs) = (middle(&mut ours), middle(&mut theirs));
        println!(
            "{what:<34} {ours:>10.0}/s  bare handler {theirs:>8.0}/s  ratio {:.3} (bar {bar:.2}); {answered} answered, none lost",
            ours / theirs
        );
        Ok(())
    }

    /// `wrk` blocks, and what it measures runs in this process.
    async fn load(&self, url: &str, script: &Path, threads: usize) -> Result<Load> {
        let (url, script, seconds) = (url.to_owned(), script.to_owned(), self.seconds);
        tokio::task::spawn_blocking(move || wrk(&url, &script, threads, seconds)).await?
    }

    /// What wrk sends: one increment, in the session of the thread.
    fn script(&self, ids: &[String]) -> Result<PathBuf> {
        let path = self.folder.path().join("count.lua");
        let document = perform(
            "<sessionAttributeManagement name=\"count\"><incrementAttribute name=\"visits\" by=\"1\"/>\
             <output name=\"now\"/></sessionAttributeManagement>",
        );
        let ids = ids.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(", ");
        let lua = format!(
            "wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/xml'\nwrk.body = [==[{document}]==]\n\
             local ids, threads = {{{ids}}}, 0\nfunction setup(thread)\n  thread:set('id', ids[threads % #ids + 1])\n  \
             threads = threads + 1\nend\nlocal prepared\nfunction init()\n  wrk.headers['Rejoin-Session'] = id\n  \
             prepared = wrk.format()\nend\nfunction request()\n  return prepared\nend\n"
        );
        fs::write(&path, lua)?;
        Ok(path)
    }

    async fn create(&self, url: &str) -> Result<String> {
        let text = self.post(url, perform("<session/>")).await?;
        let (_, rest) = text.split_once("<session id=\"").with_context(|| format!("no session: {text}"))?;
        Ok(rest.split('"').next().unwrap_or_default().into())
    }

    /// Where the counter of a session stands.
    async fn count(&self, url: &str, id: &str) -> Result<u64> {
        let read = "<sessionAttributeManagement name=\"r\"><getAttribute name=\"visits\"/><output name=\"now\"/></sessionAttributeManagement>";
        let text = self.post(url, perform(&format!("<session id=\"{id}\"/>{read}"))).await?;
        let (_, rest) = text.split_once("type=\"integer\">").with_context(|| format!("no count: {text}"))?;
        Ok(rest.split('<').next().unwrap_or_default().parse()?)
    }

    async fn post(&self, url: &str, document: String) -> Result<String> {
        let request = self.client.post(url).header("content-type", "application/xml").body(document);
        Ok(request.send().await?.text().await?)
    }
}

fn perform(content: &str) -> String {
    format!("<perform xmlns=\"{NAMESPACE}\">{content}</perform>")
}
