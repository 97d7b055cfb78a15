//! PostgreSQL and MariaDB through the service, as its clients see it, against the databases' own tools in the same run.
//!
//! Starts throw-away servers of both, and the command in a process of its own. `cargo bench --bench databases`;
//! `-- --rows 100000 --rounds 3 --seconds 2` for a quicker look, `-- --long` for ten million rows, `-- --part NAME` for one
//! part of it. Needs the servers and commands of both databases, `curl` and `wrk`.

mod support {
    pub(crate) mod arguments;
    pub(crate) mod command;
    pub(crate) mod curl;
    pub(crate) mod cursors;
    pub(crate) mod databases;
    pub(crate) mod documents;
    pub(crate) mod people;
    pub(crate) mod people_csv;
    pub(crate) mod people_file;
    pub(crate) mod stream_load;
    pub(crate) mod table;
    pub(crate) mod wrk;
}

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use support::arguments::{argument, text_after};
use support::command::Service;
use support::curl::{curl, run_curl};
use support::cursors;
use support::databases::{MariaDb, PASSWORD, Postgres};
use support::documents::{perform, with_random_keys};
use support::people_csv;
use support::people_file::{self, SELECT_ALL, SELECT_ONE};
use support::stream_load;
use support::table::{line, median};
use support::wrk::{CONNECTIONS, middle, wrk};

/// How many accounts `pgbench` makes for a scale of one.
const ACCOUNTS: u32 = 100_000;

fn main() -> Result<()> {
    let is_long = std::env::args().any(|argument| argument == "--long");
    let bench = Bench {
        rows: argument("--rows", if is_long { 10_000_000 } else { 1_000_000 })?,
        rounds: argument("--rounds", if is_long { 1 } else { 5 })?,
        seconds: argument("--seconds", 5)?,
        folder: tempfile::tempdir()?,
    };
    fs::write(bench.folder.path().join("password"), PASSWORD)?;
    people_csv::write(&bench.people(), bench.rows)?;
    let part = text_after("--part");
    let wanted = |name: &str| part.as_deref().is_none_or(|part| part == name);
    let of_postgres = ["double", "numeric", "load", "requests", "transaction"];
    if of_postgres.into_iter().any(&wanted) {
        let postgres = Postgres::start()?;
        let service = bench.serve(&postgres.uri())?;
        for (name, balance) in [("double", "double precision"), ("numeric", "numeric(12, 2)")] {
            if wanted(name) {
                bench.postgres_table(&postgres, &service, balance)?;
            }
        }
        if wanted("load") {
            bench.load(&postgres, &service)?;
        }
        if wanted("requests") {
            bench.requests(&postgres, &service)?;
        }
        if wanted("transaction") {
            bench.transaction(&postgres, &service)?;
        }
    }
    if wanted("mariadb") {
        let mariadb = MariaDb::start()?;
        let service = bench.serve(&mariadb.uri())?;
        bench.mariadb_table(&mariadb, &service)?;
    }
    if wanted("cursors") {
        bench.cursors()?;
    }
    Ok(())
}

struct Bench {
    rows: u32,
    rounds: u32,
    seconds: u32,
    folder: tempfile::TempDir,
}

/// One way of the rows to the client, against the database's own.
struct Way {
    what: &'static str,
    /// The most of the time of the database's own tool that it may take.
    bar: f64,
    url: String,
    document: String,
    times: Vec<Duration>,
    /// How much more memory the service had than before, at the most, in KiB.
    growth: u64,
}

impl Way {
    fn new(what: &'static str, bar: f64, url: &str, query: &str, formatter: &str) -> Self {
        let url = format!("{url}?return=out");
        Self { what, bar, url, document: perform(&format!("{query}{formatter}")), times: Vec::new(), growth: 0 }
    }

    /// Once more; `before` is what memory grows from.
    fn measure(&mut self, service: &Service, before: u64) -> Result<()> {
        service.begin_peak()?;
        self.times.push(curl(&self.url, &self.document)?);
        self.growth = self.growth.max(service.peak()?.saturating_sub(before));
        Ok(())
    }

    fn print(&self, base: Duration) {
        line(&format!("{} (bar {:.2})", self.what, self.bar), &self.times[1..], base);
        println!("{:<34} {:>7} MiB  (bar 64)", "  growth of the service's memory", self.growth / 1024);
    }
}

impl Bench {
    fn people(&self) -> PathBuf {
        self.folder.path().join("people.csv")
    }

    /// A service over one database.
    fn serve(&self, uri: &str) -> Result<Service> {
        let resource = format!("<dataResource uri=\"{uri}\" passwordFile=\"password\"/>");
        Service::start(self.folder.path(), &[("bench", resource)], "")
    }

    /// The whole table to the client, against `COPY`.
    fn postgres_table(&self, postgres: &Postgres, service: &Service, balance: &str) -> Result<()> {
        postgres.load_people("people", balance, &self.people())?;
        let select = query(SELECT_ALL);
        let url = service.url("bench");
        let ways = [
            Way::new("CSV", 1.05, &url, &select, CSV),
            Way::new("WebRowSet", 1.30, &url, &select, WEB_ROW_SET),
            Way::new("Arrow IPC", 0.90, &url, &select, ARROW),
        ];
        println!("\nPostgreSQL, balance {balance}: {}", self.what());
        self.compare("psql COPY TO STDOUT CSV", &mut || postgres.psql("COPY people TO STDOUT CSV"), service, ways)?;
        postgres.run("DROP TABLE people")?;
        Ok(())
    }

    /// The same against `mariadb --batch`.
    fn mariadb_table(&self, mariadb: &MariaDb, service: &Service) -> Result<()> {
        mariadb.load_people(&self.people())?;
        let select = query(SELECT_ALL);
        let ways = [
            Way::new("CSV", 1.00, &service.url("bench"), &select, CSV),
            Way::new("WebRowSet", 1.30, &service.url("bench"), &select, WEB_ROW_SET),
        ];
        println!("\nMariaDB: {}", self.what());
        self.compare("mariadb --batch", &mut || mariadb.batch("SELECT * FROM people"), service, ways)
    }

    fn what(&self) -> String {
        format!("{} rows to the client, whole time (median of {})", self.rows, self.rounds)
    }

    /// Several ways by turns with the database's own tool.
    fn compare<const N: usize>(
        &self,
        tool: &str,
        command: &mut dyn FnMut() -> Command,
        service: &Service,
        mut ways: [Way; N],
    ) -> Result<()> {
        // Connections are open, code is in memory: growth is what many rows take more than few.
        curl(&ways[0].url, &perform(&format!("{}{CSV}", query("SELECT 1"))))?;
        let before = service.begin_peak()?;
        let mut own = Vec::new();
        for _ in 0..=self.rounds {
            own.push(timed(&mut command())?);
            for way in &mut ways {
                way.measure(service, before)?;
            }
        }
        // The first round warms up.
        let base = median(&own[1..]);
        line(tool, &own[1..], base);
        for way in &ways {
            way.print(base);
        }
        Ok(())
    }

    /// The whole table over many requests, from each of the databases.
    fn cursors(&self) -> Result<()> {
        {
            let postgres = Postgres::start()?;
            postgres.load_people("people", "double precision", &self.people())?;
            let service = self.serve(&postgres.uri())?;
            cursors::measure("PostgreSQL", &service, &service.url("bench"), self.rows)?;
        }
        {
            let mariadb = MariaDb::start()?;
            mariadb.load_people(&self.people())?;
            let service = self.serve(&mariadb.uri())?;
            cursors::measure("MariaDB", &service, &service.url("bench"), self.rows)?;
        }
        people_file::make(&self.folder.path().join("people.db"), self.rows)?;
        let resource = "<dataResource uri=\"sqlite:people.db\"/>".to_owned();
        let service = Service::start(self.folder.path(), &[("bench", resource)], "")?;
        cursors::measure("SQLite", &service, &service.url("bench"), self.rows)
    }

    /// A file of people into a new table, against `COPY`.
    fn load(&self, postgres: &Postgres, service: &Service) -> Result<()> {
        let mut copy = postgres.psql(&format!("\\copy loaded FROM '{}' CSV", self.people().display()));
        let (mut theirs, mut ours, mut growth) = (Vec::new(), Vec::new(), 0);
        for _ in 0..=self.rounds {
            postgres.create_people("loaded", "double precision")?;
            theirs.push(timed(&mut copy)?);
            postgres.run("TRUNCATE loaded")?;
            let before = service.begin_peak()?;
            ours.push(stream_load::load(&service.url("bench"), &self.people(), self.rows)?);
            growth = growth.max(service.peak()?.saturating_sub(before));
            postgres.run("DROP TABLE loaded")?;
        }
        let base = median(&theirs[1..]);
        println!("\n{} rows loaded from a file (median of {})", self.rows, self.rounds);
        line("psql \\copy FROM", &theirs[1..], base);
        line("sqlBulkLoadRowSet (bar 1.50)", &ours[1..], base);
        println!("{:<34} {:>7} MiB  (bar 64)", "  growth of the service's memory", growth / 1024);
        Ok(())
    }

    /// One row by its key, many clients at a time, against `pgbench`.
    fn requests(&self, postgres: &Postgres, service: &Service) -> Result<()> {
        let scale = self.rows.div_ceil(ACCOUNTS);
        let mut make = postgres.command("pgbench");
        timed(make.args(["--initialize", "--quiet", "--scale", &scale.to_string()]).stderr(Stdio::null()))?;
        let document = perform(&format!("{}{CSV}", query_by_key(ACCOUNT)));
        let script = self.folder.path().join("request.lua");
        fs::write(&script, with_random_keys(&document, scale * ACCOUNTS))?;
        let (mut ours, mut theirs, mut answered) = (Vec::new(), Vec::new(), 0);
        for _ in 0..self.rounds {
            theirs.push(self.pgbench(postgres)?);
            let load = wrk(CONNECTIONS, &service.url("bench"), &script, 1, self.seconds)?;
            ours.push(load.rate);
            answered += load.answered;
        }
        let (ours, theirs) = (middle(&mut ours), middle(&mut theirs));
        println!("\none row by random key over {CONNECTIONS} connections (median of {})", self.rounds);
        println!(
            "as CSV {ours:>10.0}/s  pgbench -S -M prepared {theirs:>8.0}/s  ratio {:.3} (bar 0.50); {answered} answered",
            ours / theirs
        );
        Ok(())
    }

    fn pgbench(&self, postgres: &Postgres) -> Result<f64> {
        let output = postgres
            .command("pgbench")
            .args(["-n", "-S", "-M", "prepared", "-j", "2", "-c", &CONNECTIONS.to_string()])
            .args(["-T", &self.seconds.to_string()])
            .output()
            .context("pgbench can't be run: is it installed?")?;
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "pgbench: {}", String::from_utf8_lossy(&output.stderr));
        let rate = text.lines().find_map(|line| line.strip_prefix("tps = "));
        let rate = rate.with_context(|| format!("pgbench gave no rate: {text}"))?;
        Ok(rate.split(' ').next().unwrap_or_default().parse()?)
    }

    /// A query inside of an open transaction of its session, against the same outside, by one client.
    fn transaction(&self, postgres: &Postgres, service: &Service) -> Result<()> {
        postgres.load_people("people", "double precision", &self.people())?;
        let url = service.url("bench");
        let outside = new_session(&url, "<echo name=\"e\"><text>x</text><output name=\"out\"/></echo>")?;
        let begin = "<transactionManagement name=\"t\"><begin/><output name=\"out\"/></transactionManagement>";
        let inside = new_session(&url, begin)?;
        println!("\na query inside of a session's open transaction, and outside (median of {})", self.rounds);
        let script = |session: &str| -> Result<PathBuf> {
            let path = self.folder.path().join("session.lua");
            let document = perform(&format!("<session id=\"{session}\"/>{}{CSV}", query_by_key(SELECT_ONE)));
            fs::write(&path, with_random_keys(&document, self.rows))?;
            Ok(path)
        };
        let (mut of_inside, mut of_outside) = (Vec::new(), Vec::new());
        for _ in 0..self.rounds {
            of_outside.push(wrk(1, &url, &script(&outside)?, 1, self.seconds)?.rate);
            of_inside.push(wrk(1, &url, &script(&inside)?, 1, self.seconds)?.rate);
        }
        let (rate_outside, rate_inside) = (middle(&mut of_outside), middle(&mut of_inside));
        println!(
            "one row by random key: outside {rate_outside:.0}/s  inside {rate_inside:.0}/s  cost {:.3} (bar 1.10)",
            rate_outside / rate_inside
        );
        let (mut of_inside, mut of_outside) = (Vec::new(), Vec::new());
        let all = |session: &str| perform(&format!("<session id=\"{session}\"/>{}{WEB_ROW_SET}", query(SELECT_ALL)));
        for _ in 0..=self.rounds {
            of_outside.push(curl(&format!("{url}?return=out"), &all(&outside))?);
            of_inside.push(curl(&format!("{url}?return=out"), &all(&inside))?);
        }
        let base = median(&of_outside[1..]);
        line("the whole table, outside", &of_outside[1..], base);
        line("inside (bar 1.10)", &of_inside[1..], base);
        for session in [outside, inside] {
            curl(&url, &perform(&format!("<session id=\"{session}\" mode=\"terminate\"/>")))?;
        }
        postgres.run("DROP TABLE people")?;
        Ok(())
    }
}

const CSV: &str = "<sqlResultsToCSV name=\"f\"><resultSet from=\"r\"/><csvOutput name=\"out\"/></sqlResultsToCSV>";

const WEB_ROW_SET: &str =
    "<sqlResultsToXML name=\"f\"><resultSet from=\"r\"/><webRowSet name=\"out\"/></sqlResultsToXML>";

const ARROW: &str =
    "<sqlResultsToArrow name=\"f\"><resultSet from=\"r\"/><arrowOutput name=\"out\"/></sqlResultsToArrow>";

fn query(sql: &str) -> String {
    format!(
        "<sqlQueryStatement name=\"q\"><expression>{sql}</expression><resultStream name=\"r\"/></sqlQueryStatement>"
    )
}

/// What `pgbench -S` asks.
const ACCOUNT: &str = "SELECT abalance FROM pgbench_accounts WHERE aid = ?";

/// A query by a key.
fn query_by_key(sql: &str) -> String {
    let parameter = "<sqlParameter position=\"1\">KEY</sqlParameter><expression>";
    query(sql).replacen("<expression>", parameter, 1)
}

/// A session in which `content` has run, of which `out` is an end-point.
fn new_session(url: &str, content: &str) -> Result<String> {
    let document = perform(&format!("<session/>{content}"));
    let said = run_curl(&format!("{url}?return=out"), &document, &["-w", "%header{rejoin-session}"])?;
    let id = String::from_utf8(said)?;
    ensure!(!id.is_empty(), "the service names no session");
    Ok(id)
}

/// How long a command takes whose output nobody wants.
fn timed(command: &mut Command) -> Result<Duration> {
    let begun = Instant::now();
    let status = command.stdout(Stdio::null()).status();
    let status = status.with_context(|| format!("{} can't be run", command.get_program().display()))?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(begun.elapsed())
}
