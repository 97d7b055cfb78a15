//! A counter in a session, read and incremented by every request: each connection in a session of its own, and all on one.
//! Against an axum handler that reads the same body, and, where sessions are durable, against one that syncs a file for each
//! request; in the same run. Every answered request has to be in the counters.
//!
//! `cargo bench --bench counter`; `-- --rounds 3 --seconds 2` for a quicker look, `-- --part memory`, `durable` or `slow` for
//! one part. Needs `wrk` on the path.

mod support {
    pub(crate) mod arguments;
    pub(crate) mod bare;
    pub(crate) mod counting;
    pub(crate) mod slow_disk;
    pub(crate) mod sync;
    pub(crate) mod wrk;
}

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use rejoin::document::{DURABLE_FACTORY, SessionConfiguration, StoreSettings};
use rejoin::service::{ConfiguredResource, RunningServer, Server};
use support::arguments::{argument, text_after};
use support::bare::start_bare;
use support::counting::{Counters, load};
use support::sync::{Log, start_syncing};
use support::wrk::{CONNECTIONS, middle};

/// As in the command; the handlers have it too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<()> {
    let bench =
        Bench { rounds: argument("--rounds", 5)?, seconds: argument("--seconds", 5)?, folder: tempfile::tempdir()? };
    println!("requests per second over {CONNECTIONS} keep-alive connections (median of {})", bench.rounds);
    let part = text_after("--part");
    let wanted = |name: &str| part.as_deref().is_none_or(|part| part == name);
    if wanted("memory") {
        bench.in_memory().await?;
    }
    if wanted("durable") {
        bench.durable().await?;
    }
    for milliseconds in [1, 2] {
        if wanted("slow") {
            bench.on_a_slow_disk(Duration::from_millis(milliseconds)).await?;
        }
    }
    Ok(())
}

/// How sessions are kept.
#[derive(Debug, Clone, Copy)]
enum Kept {
    InMemory,
    /// In the cache of the operating system, when a request is answered.
    BySystem,
    OnDisk,
    /// On a disk that takes so much longer to sync.
    OnSlowDisk(Duration),
}

struct Bench {
    rounds: u32,
    seconds: u32,
    folder: tempfile::TempDir,
}

impl Bench {
    /// Sessions in memory, against the bare handler.
    async fn in_memory(&self) -> Result<()> {
        let (server, bare) = (self.serve("memory", Kept::InMemory).await?, start_bare().await?);
        for (what, sessions, bar) in
            [("a session for each connection", CONNECTIONS, 0.60), ("all on one session", 1, 0.45)]
        {
            let mut ours = Counters::create(&url(&server), sessions).await?;
            let (script, mut theirs) = (ours.script(self.folder.path())?, Vec::new());
            for _ in 0..self.rounds {
                theirs.push(load(&format!("http://{bare}/"), &script, sessions, self.seconds).await?.rate);
                ours.load(self.folder.path(), self.seconds).await?;
            }
            let (answered, ours, theirs) = (ours.check().await?, ours.rate(), middle(&mut theirs));
            println!(
                "{what:<34} {ours:>10.0}/s  bare handler {theirs:>8.0}/s  ratio {:.3} (bar {bar:.2}); {answered} answered, none lost",
                ours / theirs
            );
        }
        server.shutdown().await;
        Ok(())
    }

    /// Durable sessions, each of one connection, against those in memory and against one sync for each request.
    async fn durable(&self) -> Result<()> {
        let servers = [
            self.serve("transient", Kept::InMemory).await?,
            self.serve("system", Kept::BySystem).await?,
            self.serve("disk", Kept::OnDisk).await?,
        ];
        let mut counters = Vec::new();
        for server in &servers {
            counters.push(Counters::create(&url(server), CONNECTIONS).await?);
        }
        let mut synced = Synced::start(self, Duration::ZERO).await?;
        for _ in 0..self.rounds {
            for counters in &mut counters {
                counters.load(self.folder.path(), self.seconds).await?;
            }
            synced.load(self, &counters[0]).await?;
        }
        let mut rates = Vec::new();
        for counters in &mut counters {
            counters.check().await?;
            rates.push(counters.rate());
        }
        println!("\na durable session for each connection; none of the answered was lost");
        println!("{:<34} {:>10.0}/s", "in memory", rates[0]);
        println!("{:<34} {:>10.0}/s  ratio {:.3} (bar 0.40)", "durability=\"os\"", rates[1], rates[1] / rates[0]);
        synced.compare("durability=\"full\"", rates[2]);
        for server in servers {
            server.shutdown().await;
        }
        Ok(())
    }

    /// The same with full durability where a sync takes longer; so it does for what that is compared with.
    async fn on_a_slow_disk(&self, rest: Duration) -> Result<()> {
        let server = self.serve(&format!("slow-{}", rest.as_millis()), Kept::OnSlowDisk(rest)).await?;
        let mut ours = Counters::create(&url(&server), CONNECTIONS).await?;
        let mut synced = Synced::start(self, rest).await?;
        for _ in 0..self.rounds {
            ours.load(self.folder.path(), self.seconds).await?;
            synced.load(self, &ours).await?;
        }
        ours.check().await?;
        println!("\nthe same if each sync took {} ms longer", rest.as_millis());
        synced.compare("durability=\"full\"", ours.rate());
        server.shutdown().await;
        Ok(())
    }

    /// A service whose sessions are kept so, in a folder of that name.
    async fn serve(&self, name: &str, kept: Kept) -> Result<RunningServer> {
        let folder = self.folder(name)?;
        let mut session = SessionConfiguration::default();
        // All but the one that holds the session wait for it.
        session.join.max_waiters = u32::try_from(CONNECTIONS)?;
        if !matches!(kept, Kept::InMemory) {
            session.factory = DURABLE_FACTORY.into();
            session.store = Some(StoreSettings { path: "sessions".into(), full: !matches!(kept, Kept::BySystem) });
        }
        let mut builder = Server::builder().listen("127.0.0.1:0");
        if let Kept::OnSlowDisk(rest) = kept {
            builder =
                builder.session_manager(DURABLE_FACTORY, move |settings| support::slow_disk::manager(settings, rest));
        }
        let resource = ConfiguredResource::new("counters", folder).session(session);
        Ok(builder.resource(resource).build()?.start().await?)
    }

    fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.path().join(name);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

fn url(server: &RunningServer) -> String {
    format!("{}/services/counters", server.url())
}

/// What durable sessions are compared with, in both readings of one sync for each request.
struct Synced {
    /// A thread that does nothing but append and sync.
    log: Log,
    /// A handler that does so for each request.
    handler: String,
    log_rates: Vec<f64>,
    handler_rates: Vec<f64>,
}

impl Synced {
    async fn start(bench: &Bench, rest: Duration) -> Result<Self> {
        let folder = bench.folder(&format!("synced-{}", rest.as_millis()))?;
        let handler = start_syncing(Log::create(&folder.join("handler"), rest)?).await?;
        let log = Log::create(&folder.join("log"), rest)?;
        Ok(Self { log, handler: format!("http://{handler}/"), log_rates: Vec::new(), handler_rates: Vec::new() })
    }

    /// A load on both, one after the other; the requests are those for the counters.
    async fn load(&mut self, bench: &Bench, counters: &Counters) -> Result<()> {
        let duration = Duration::from_secs(bench.seconds.into());
        self.log_rates.push(tokio::task::block_in_place(|| self.log.rate(duration))?);
        let script = counters.script(bench.folder.path())?;
        self.handler_rates.push(load(&self.handler, &script, CONNECTIONS, bench.seconds).await?.rate);
        Ok(())
    }

    fn compare(&mut self, what: &str, rate: f64) {
        let (log, handler) = (middle(&mut self.log_rates), middle(&mut self.handler_rates));
        println!("{what:<34} {rate:>10.0}/s");
        println!("{:<34} {log:>10.0}/s  ratio {:.1} (bar 20)", "  append and sync, one thread", rate / log);
        println!("{:<34} {handler:>10.0}/s  ratio {:.1}", "  a handler that does so", rate / handler);
    }
}
