//! What a million stored sessions cost: disk, memory, the time to find them again and to load one, and what others notice of
//! checkpoints and while a million expire.
//!
//! `cargo bench --bench store`; `-- --sessions 100000 --seconds 2` for a quicker look. Each part is a process of its own, so
//! that its memory is its own and that the sessions are found again by a process that did not make them.

mod support {
    pub(crate) mod arguments;
    pub(crate) mod memory;
    pub(crate) mod stored;
}

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use support::arguments::{argument, text_after};
use support::memory::resident_bytes;
use support::stored::{Driven, Times};

/// As in the command.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// So many of the sessions, spread over all, are used again by the parts that come later.
const SAMPLE: usize = 1000;

/// As many tasks make requests at a time as the bars say.
const TASKS: usize = 64;

fn main() -> Result<()> {
    let bench = Bench {
        sessions: argument("--sessions", 1_000_000)? as usize,
        seconds: argument("--seconds", 5)?,
        folder: text_after("--folder").map(PathBuf::from),
    };
    match text_after("--part").as_deref() {
        None => bench.run(),
        Some("make") => runtime()?.block_on(bench.make()),
        Some("recover") => runtime()?.block_on(bench.recover()),
        Some("os") => runtime()?.block_on(bench.use_them(false)),
        Some("full") => runtime()?.block_on(bench.use_them(true)),
        Some("expire") => runtime()?.block_on(bench.expire()),
        Some(other) => anyhow::bail!("there is no part {other}"),
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

struct Bench {
    sessions: usize,
    seconds: u32,
    /// Where the store is, in a part.
    folder: Option<PathBuf>,
}

impl Bench {
    /// All parts, one after the other.
    fn run(&self) -> Result<()> {
        let folder = tempfile::tempdir()?;
        println!("{} stored sessions of one attribute each", self.sessions);
        for part in ["make", "recover", "os", "full", "expire"] {
            let mut command = Command::new(std::env::current_exe()?);
            command.args(["--part", part, "--sessions", &self.sessions.to_string()]);
            command.args(["--seconds", &self.seconds.to_string(), "--folder"]).arg(folder.path());
            ensure!(command.status()?.success(), "the part {part} failed");
            if part == "make" {
                let bytes = bytes_below(&folder.path().join(support::stored::FOLDER))?;
                row("on disk, each", per(bytes, self.sessions), "bytes", "bar 1,024");
            }
        }
        Ok(())
    }

    fn folder(&self) -> Result<&Path> {
        self.folder.as_deref().context("a part needs --folder")
    }

    /// Makes the sessions, each by a request of its own, and notes some of their ids.
    async fn make(&self) -> Result<()> {
        let manager = Driven::open(self.folder()?, true)?;
        let begun = Instant::now();
        let ids = manager.create(self.sessions, self.sessions / SAMPLE).await?;
        row(
            "created",
            per_second(self.sessions, begun.elapsed()),
            "/s",
            "full durability, each by a request of its own",
        );
        fs::write(self.folder()?.join("sample"), ids.join("\n"))?;
        Ok(())
    }

    /// Finds them again, and loads some of them.
    async fn recover(&self) -> Result<()> {
        let before = resident_bytes();
        let begun = Instant::now();
        let manager = Driven::open(self.folder()?, true)?;
        row("found again in", begun.elapsed().as_secs_f64(), "s", "bar 10");
        // What follows the opening has been done.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let grown = resident_bytes().saturating_sub(before);
        row("memory of an idle one", per(grown, self.sessions), "bytes", "bar 200");
        let ids = self.sample()?;
        for what in ["the first request loads one", "the next finds it in memory"] {
            let times = manager.read_each(&ids).await?;
            row(what, micros(times.median()), "µs", &format!("{:.0} at the most", micros(times.worst())));
        }
        Ok(())
    }

    /// Increments by 64 tasks at a time, each in a session of its own.
    async fn use_them(&self, full: bool) -> Result<()> {
        let manager = Driven::open(self.folder()?, full)?;
        let ids = self.sample()?;
        let duration = Duration::from_secs(self.seconds.into());
        let (requests, begun) = (manager.increment(&ids[..TASKS], duration).await?, Instant::now());
        // What had begun goes on to its end.
        let spent = duration + begun.elapsed();
        let kind = if full { "full" } else { "os" };
        row(&format!("increments, {TASKS} tasks, {kind}"), per_second(requests.count(), spent), "/s", "");
        row("  the longest request", millis(requests.worst()), "ms", "");
        row("  the longest commit", millis(manager.commits().worst()), "ms", "checkpoints included; bar 50");
        row("  writes in a commit", manager.writes_in_a_commit(), "", "on average");
        Ok(())
    }

    /// All expire at one moment, while somebody goes on to work in sessions of his own.
    async fn expire(&self) -> Result<()> {
        let manager = Driven::open(self.folder()?, true)?;
        let own = manager.create_lasting(TASKS).await?;
        let maintenance = manager.maintain();
        manager.expire();
        let begun = Instant::now();
        let mut requests = Times::default();
        while manager.ended() < self.sessions {
            ensure!(begun.elapsed() < Duration::from_mins(10), "only {} of them have expired", manager.ended());
            requests.extend(manager.increment(&own[..1], Duration::from_millis(200)).await?);
        }
        row("all expired in", begun.elapsed().as_secs_f64(), "s", "");
        row("  the longest request meanwhile", millis(requests.worst()), "ms", "");
        row("  the longest commit meanwhile", millis(manager.commits().worst()), "ms", "bar 50");
        maintenance.abort();
        Ok(())
    }

    /// The ids that were noted.
    fn sample(&self) -> Result<Vec<String>> {
        let noted = fs::read_to_string(self.folder()?.join("sample"))?;
        Ok(noted.lines().map(str::to_owned).collect())
    }
}

fn row(what: &str, value: f64, unit: &str, note: &str) {
    let digits = if value < 10.0 { 2 } else { 0 };
    println!("{what:<34} {value:>10.digits$} {unit:<6} {note}");
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn per(bytes: u64, count: usize) -> f64 {
    bytes as f64 / count as f64
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn per_second(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// What the files of a folder take up.
fn bytes_below(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() { bytes_below(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}
