use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::server_process::ServerProcess;
use super::{PASSWORD, USER, database_name, free_port};

/// A PostgreSQL server on loopback.
#[derive(Debug)]
pub(crate) struct PostgresServer {
    pub(crate) folder: TempDir,
    pub(crate) port: u16,
    process: ServerProcess,
}

impl PostgresServer {
    /// A server for one test.
    pub(crate) fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("rejoin-postgres-").tempdir().unwrap();
        give_away(folder.path());
        let password = folder.path().join("password");
        fs::write(&password, PASSWORD).unwrap();
        give_away(&password);
        let data = folder.path().join("data");
        let mut initialise = unprivileged(&program("initdb"));
        initialise.extend(
            ["--no-sync", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "-U", USER].map(str::to_owned),
        );
        initialise.extend([
            "--pwfile".to_owned(),
            password.display().to_string(),
            "-D".to_owned(),
            data.display().to_string(),
        ]);
        let done = Command::new(&initialise[0]).args(&initialise[1..]).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        // Where a test can set it otherwise.
        let settings = data.join("postgresql.conf");
        let ever = fs::read_to_string(&settings).unwrap();
        fs::write(&settings, format!("{ever}\nmax_prepared_transactions = 100\n")).unwrap();
        let port = free_port();
        let process = run(folder.path(), port);
        let server = Self { folder, port, process };
        server.await_ready();
        server
    }

    /// Makes an empty database and gives its name.
    pub(crate) fn create_database(&self) -> String {
        let name = database_name();
        self.run("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    /// The URI of a database, without the password.
    pub(crate) fn uri(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs statements by the database's own command, and gives what they answered, a line for each row.
    pub(crate) fn run(&self, database: &str, sql: &str) -> String {
        let mut client = self.psql(database);
        client.args(["-v", "ON_ERROR_STOP=1", "-c", sql]);
        ServerProcess::answer(client, sql)
    }

    fn psql(&self, database: &str) -> Command {
        let mut command = Command::new("psql");
        command.env("PGPASSWORD", PASSWORD).args([
            "-XqAt",
            "-h",
            "127.0.0.1",
            "-U",
            USER,
            "-p",
            &self.port.to_string(),
            database,
        ]);
        command
    }

    /// Ends it as a loss of power would.
    pub(crate) fn kill(&mut self) {
        self.process.kill(true);
    }

    /// Ends it at once, but in order.
    pub(crate) fn stop(&mut self) {
        self.process.stop("INT");
    }

    /// Has it stand still, connections and all, until [`PostgresServer::thaw`].
    pub(crate) fn freeze(&self) {
        self.process.freeze(true);
    }

    /// Has it go on.
    pub(crate) fn thaw(&self) {
        self.process.signal("CONT", true);
    }

    /// Starts it again after it was stopped or killed, on its port and with its data.
    pub(crate) fn start_again(&mut self) {
        // A server that was killed leaves its lock behind.
        let _ = fs::remove_file(self.folder.path().join("data/postmaster.pid"));
        self.process = run(self.folder.path(), self.port);
        self.await_ready();
    }

    fn await_ready(&self) {
        ServerProcess::await_ready(self.folder.path(), || {
            let mut client = self.psql("postgres");
            client.args(["-c", "SELECT 1"]);
            client
        });
    }
}

/// Starts the server over the data of a folder.
fn run(folder: &Path, port: u16) -> ServerProcess {
    let mut command = unprivileged(&program("postgres"));
    let data = folder.join("data").display().to_string();
    command.extend([
        "-D".to_owned(),
        data,
        "-p".to_owned(),
        port.to_string(),
        "-k".to_owned(),
        folder.display().to_string(),
    ]);
    // A killed process loses nothing that it gave to the operating system.
    for setting in ["fsync=off", "listen_addresses=127.0.0.1", "max_connections=300"] {
        command.extend(["-c".to_owned(), setting.to_owned()]);
    }
    ServerProcess::start(&folder.join("log"), &command)
}

/// A program of the server: Debian keeps them beside the path.
fn program(name: &str) -> String {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> =
        versions.map(|version| version.path().join("bin").join(name)).filter(|path| path.exists()).collect();
    found.sort();
    found.pop().map_or_else(|| name.to_owned(), |path| path.display().to_string())
}

/// The server does not run as root.
fn unprivileged(program: &str) -> Vec<String> {
    let as_other = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"].map(str::to_owned);
    let mut command = if is_root() { as_other.to_vec() } else { Vec::new() };
    command.push(program.to_owned());
    command
}

fn give_away(path: &Path) {
    if is_root() {
        assert!(Command::new("chown").arg("postgres").arg(path).status().unwrap().success());
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().unwrap().stdout == b"0\n"
}
