use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::guarded::Guarded;
use super::{PASSWORD, USER, await_ready, free_port, run};

/// A PostgreSQL server on loopback, with one database, `postgres`.
#[derive(Debug)]
pub(crate) struct Postgres {
    port: u16,
    _process: Guarded,
    _folder: TempDir,
}

/// The table is in memory, nothing waits for the disk, and no checkpoint falls into a measurement: all that is measured is the
/// way of the rows.
const SETTINGS: [&str; 7] = [
    "listen_addresses=127.0.0.1",
    "max_connections=200",
    "shared_buffers=512MB",
    "fsync=off",
    "max_wal_size=16GB",
    "checkpoint_timeout=1h",
    "autovacuum=off",
];

impl Postgres {
    pub(crate) fn start() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("rejoin-bench-postgres-").tempdir()?;
        let (data, password) = (folder.path().join("data"), folder.path().join("password"));
        fs::write(&password, PASSWORD)?;
        give_away(folder.path())?;
        give_away(&password)?;
        let mut initialise = unprivileged(&program("initdb"))?;
        initialise.extend(["--no-sync", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8"].map(str::to_owned));
        initialise.extend([format!("--username={USER}"), format!("--pwfile={}", password.display())]);
        initialise.extend(["-D".to_owned(), data.display().to_string()]);
        run(Command::new(&initialise[0]).args(&initialise[1..]))?;
        let port = free_port()?;
        let mut serve = unprivileged(&program("postgres"))?;
        serve.extend(["-D".to_owned(), data.display().to_string(), "-p".to_owned(), port.to_string()]);
        serve.extend(["-k".to_owned(), folder.path().display().to_string()]);
        serve.extend(SETTINGS.iter().flat_map(|setting| ["-c".to_owned(), (*setting).to_owned()]));
        let process = Guarded::start(&serve, "QUIT", &folder.path().join("log"))?;
        let server = Self { port, _process: process, _folder: folder };
        await_ready(|| server.run("SELECT 1"))?;
        Ok(server)
    }

    /// The URI of its database, without the password.
    pub(crate) fn uri(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/postgres", self.port)
    }

    /// One of its commands, such as `psql`, ready to connect.
    pub(crate) fn command(&self, name: &str) -> Command {
        let mut command = Command::new(program(name));
        command.env("PGPASSWORD", PASSWORD).env("PGDATABASE", "postgres").env("PGUSER", USER);
        command.env("PGHOST", "127.0.0.1").env("PGPORT", self.port.to_string());
        command
    }

    /// `psql`, which runs `sql`.
    pub(crate) fn psql(&self, sql: &str) -> Command {
        let mut command = self.command("psql");
        command.args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-c", sql]);
        command
    }

    /// Runs `sql`.
    pub(crate) fn run(&self, sql: &str) -> Result<String> {
        run(&mut self.psql(sql))
    }

    /// Makes a table for people, with a balance of that type.
    pub(crate) fn create_people(&self, table: &str, balance: &str) -> Result<()> {
        self.run(&format!(
            "CREATE TABLE {table} (id integer PRIMARY KEY, name text, comment text, phone text, balance {balance}, \
             created timestamp)"
        ))?;
        Ok(())
    }

    /// Makes the table of people, with a balance of that type, of a file of CSV.
    pub(crate) fn load_people(&self, table: &str, balance: &str, csv: &Path) -> Result<()> {
        self.create_people(table, balance)?;
        self.run(&format!("\\copy {table} FROM '{}' CSV", csv.display()))?;
        // Afterwards no reader has to note which rows are there for good.
        self.run(&format!("VACUUM ANALYZE {table}"))?;
        Ok(())
    }
}

/// A program of the server: Debian keeps them beside the path.
fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions.map(|version| version.path().join("bin").join(name)).filter(|path| path.exists());
    found.max().unwrap_or_else(|| name.into())
}

/// The server does not run as root.
fn unprivileged(program: &Path) -> Result<Vec<String>> {
    let as_other = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"].map(str::to_owned);
    let mut command = if is_root()? { as_other.to_vec() } else { Vec::new() };
    command.push(program.display().to_string());
    Ok(command)
}

fn give_away(path: &Path) -> Result<()> {
    if is_root()? {
        run(Command::new("chown").arg("postgres").arg(path)).context("the files can't be given to the server")?;
    }
    Ok(())
}

fn is_root() -> Result<bool> {
    Ok(run(Command::new("id").arg("-u"))? == "0")
}
