use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use tempfile::TempDir;

use super::guarded::Guarded;
use super::{PASSWORD, USER, await_ready, free_port, run};

/// A MariaDB server on loopback, with one database, `bench`.
#[derive(Debug)]
pub(crate) struct MariaDb {
    port: u16,
    _process: Guarded,
    _folder: TempDir,
}

impl MariaDb {
    pub(crate) fn start() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("rejoin-bench-mariadb-").tempdir()?;
        let place = |name: &str| folder.path().join(name).display().to_string();
        run(Command::new("mariadb-install-db")
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
            .arg(format!("--datadir={}", place("data"))))?;
        // One statement on each line.
        let begin = format!(
            "CREATE DATABASE bench;\nCREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';\n\
             GRANT ALL ON *.* TO '{USER}'@'%';\n"
        );
        fs::write(folder.path().join("begin.sql"), begin)?;
        let port = free_port()?;
        let serve = [
            "mariadbd".to_owned(),
            "--no-defaults".to_owned(),
            "--user=root".to_owned(),
            "--bind-address=127.0.0.1".to_owned(),
            "--skip-log-bin".to_owned(),
            "--skip-name-resolve".to_owned(),
            "--character-set-server=utf8mb4".to_owned(),
            "--local-infile=1".to_owned(),
            // The table is in memory, and nothing waits for the disk.
            "--innodb-flush-log-at-trx-commit=0".to_owned(),
            "--innodb-buffer-pool-size=512M".to_owned(),
            format!("--port={port}"),
            format!("--datadir={}", place("data")),
            format!("--socket={}", place("socket")),
            format!("--pid-file={}", place("pid")),
            format!("--init-file={}", place("begin.sql")),
        ];
        let process = Guarded::start(&serve, "KILL", &folder.path().join("log"))?;
        let server = Self { port, _process: process, _folder: folder };
        await_ready(|| server.run("SELECT 1"))?;
        Ok(server)
    }

    /// The URI of its database, without the password.
    pub(crate) fn uri(&self) -> String {
        format!("mysql://{USER}@127.0.0.1:{}/bench", self.port)
    }

    /// `mariadb --batch`, which runs `sql`.
    pub(crate) fn batch(&self, sql: &str) -> Command {
        let mut command = Command::new("mariadb");
        command.env("MYSQL_PWD", PASSWORD).args(["--no-defaults", "--batch", "--local-infile", "--protocol=tcp"]);
        command.args(["-h", "127.0.0.1", "-P", &self.port.to_string(), "-u", USER, "-e", sql, "bench"]);
        command
    }

    /// Runs `sql`.
    pub(crate) fn run(&self, sql: &str) -> Result<String> {
        run(&mut self.batch(sql))
    }

    /// Makes the table `people` of a file of CSV.
    pub(crate) fn load_people(&self, csv: &Path) -> Result<()> {
        self.run(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, comment TEXT, phone TEXT, balance DOUBLE, \
             created DATETIME)",
        )?;
        self.run(&format!(
            "LOAD DATA LOCAL INFILE '{}' INTO TABLE people CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' \
             OPTIONALLY ENCLOSED BY '\"' ESCAPED BY '' LINES TERMINATED BY '\\n'; ANALYZE TABLE people",
            csv.display()
        ))?;
        Ok(())
    }
}
