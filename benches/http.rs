//! The service over HTTP, as its clients see it, against bare things measured in the same run: `sqlite3 -csv` of the same
//! query, and an axum handler that reads the same body and answers nothing of use.
//!
//! `cargo bench --bench http`; `-- --rows 100000 --rounds 3 --seconds 2` for a quicker look. Needs `sqlite3`, `curl` and
//! `wrk` on the path.

mod support {
    pub(crate) mod arguments;
    pub(crate) mod bare;
    pub(crate) mod curl;
    pub(crate) mod documents;
    pub(crate) mod people;
    pub(crate) mod people_file;
    pub(crate) mod table;
    pub(crate) mod wrk;
}

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rejoin::service::{ConfiguredResource, RunningServer, Server};
use support::arguments::argument;
use support::bare::start_bare;
use support::curl::{curl, run_curl};
use support::documents::{perform, with_random_keys};
use support::people_file::{self, SELECT_ALL, SELECT_ONE};
use support::table::{line, median};
use support::wrk::{CONNECTIONS, middle, wrk};

/// As in the command; the bare handler has it too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<()> {
    let bench = Bench {
        rows: argument("--rows", 1_000_000)?,
        rounds: argument("--rounds", 5)?,
        seconds: argument("--seconds", 5)?,
        folder: tempfile::tempdir()?,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    people_file::make(&bench.database(), bench.rows)?;
    let (server, bare) =
        runtime.block_on(async { anyhow::Ok((start(bench.folder.path()).await?, start_bare().await?)) })?;
    let url = format!("{}/services/people", server.url());
    bench.requests(&url, &format!("http://{bare}/"))?;
    bench.whole_table(&url)?;
    bench.first_byte(&url)?;
    runtime.block_on(server.shutdown());
    Ok(())
}

async fn start(folder: &Path) -> Result<RunningServer> {
    let resource = ConfiguredResource::new("people", folder).data_resource("sqlite:people.db");
    Ok(Server::builder().listen("127.0.0.1:0").resource(resource).build()?.start().await?)
}

struct Bench {
    rows: u32,
    rounds: u32,
    seconds: u32,
    folder: tempfile::TempDir,
}

impl Bench {
    fn database(&self) -> PathBuf {
        self.folder.path().join("people.db")
    }

    /// Requests per second: nothing to do, one row by a random key, a counter in a session; each against the bare handler
    /// that reads the same body.
    fn requests(&self, url: &str, bare: &str) -> Result<()> {
        let empty = perform("");
        let one_row = perform(
            "<sqlQueryStatement name=\"q\"><sqlParameter position=\"1\">KEY</sqlParameter>\
             <expression>SELECT_ONE</expression><resultStream name=\"r\"/></sqlQueryStatement>\
             <sqlResultsToCSV name=\"f\"><resultSet from=\"r\"/><csvOutput name=\"csv\"/></sqlResultsToCSV>",
        )
        .replace("SELECT_ONE", SELECT_ONE);
        println!("requests per second over {CONNECTIONS} keep-alive connections (median of {})", self.rounds);
        for (what, document, bar) in [("empty perform request", empty, 0.70), ("one row by random key", one_row, 0.45)]
        {
            let script = self.folder.path().join("request.lua");
            fs::write(&script, with_random_keys(&document, self.rows))?;
            let (mut ours, mut theirs, mut answered) = (Vec::new(), Vec::new(), 0);
            for _ in 0..self.rounds {
                theirs.push(wrk(CONNECTIONS, bare, &script, 1, self.seconds)?.rate);
                let load = wrk(CONNECTIONS, url, &script, 1, self.seconds)?;
                ours.push(load.rate);
                answered += load.answered;
            }
            let (ours, theirs) = (middle(&mut ours), middle(&mut theirs));
            println!(
                "{what:<34} {ours:>10.0}/s  bare handler {theirs:>8.0}/s  ratio {:.3} (bar {bar:.2}); {answered} answered",
                ours / theirs
            );
        }
        Ok(())
    }

    /// The whole table to the client, against `sqlite3 -csv`; and what the memory of the server does meanwhile.
    fn whole_table(&self, url: &str) -> Result<()> {
        let query = format!(
            "<sqlQueryStatement name=\"q\"><expression>{SELECT_ALL}</expression><resultStream name=\"r\"/></sqlQueryStatement>"
        );
        let csv = perform(&format!(
            "{query}<sqlResultsToCSV name=\"f\"><resultSet from=\"r\"/><csvOutput name=\"csv\"/></sqlResultsToCSV>"
        ));
        let xml = perform(&format!(
            "{query}<sqlResultsToXML name=\"f\"><resultSet from=\"r\"/><webRowSet name=\"table\"/></sqlResultsToXML>"
        ));
        let raw_csv = format!("{url}?return=csv");
        let (mut sqlite3, mut as_csv, mut as_xml, mut both) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let before = resident_kib()?;
        let mut most = before;
        for _ in 0..=self.rounds {
            sqlite3.push(self.sqlite3()?);
            as_csv.push(curl(&raw_csv, &csv)?);
            as_xml.push(curl(url, &xml)?);
            both.push(curl(url, &csv)?);
            most = most.max(resident_kib()?);
        }
        // The first round warms up.
        let base = median(&sqlite3[1..]);
        println!("\n{} rows to the client, whole time (median of {})", self.rows, self.rounds);
        line("sqlite3 -csv > /dev/null", &sqlite3[1..], base);
        line("CSV, ?return= (bar 0.75)", &as_csv[1..], base);
        line("WebRowSet, document (bar 1.00)", &as_xml[1..], base);
        line("CSV, document", &both[1..], base);
        println!(
            "memory of the server: {before} KiB before, {most} KiB at the most, growth {} MiB (bar 64)",
            (most - before) / 1024
        );
        Ok(())
    }

    fn sqlite3(&self) -> Result<Duration> {
        let begun = Instant::now();
        let status = Command::new("sqlite3")
            .arg("-csv")
            .arg(self.database())
            .arg(SELECT_ALL)
            .stdout(Stdio::null())
            .status()
            .context("sqlite3 can't be run: is it installed?")?;
        ensure!(status.success(), "sqlite3 failed");
        Ok(begun.elapsed())
    }

    /// How long the first byte of the whole table takes.
    fn first_byte(&self, url: &str) -> Result<()> {
        let csv = perform(&format!(
            "<sqlQueryStatement name=\"q\"><expression>{SELECT_ALL}</expression><resultStream name=\"r\"/></sqlQueryStatement>\
             <sqlResultsToCSV name=\"f\"><resultSet from=\"r\"/><csvOutput name=\"csv\"/></sqlResultsToCSV>"
        ));
        let mut times = Vec::new();
        for _ in 0..=self.rounds {
            let output = run_curl(&format!("{url}?return=csv"), &csv, &["-w", "%{time_starttransfer}"])?;
            times.push(Duration::from_secs_f64(String::from_utf8(output)?.trim().parse()?));
        }
        line("first byte (bar 10 ms)", &times[1..], Duration::from_millis(10));
        Ok(())
    }
}

/// The most memory that this process, which is the server, has had.
fn resident_kib() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
