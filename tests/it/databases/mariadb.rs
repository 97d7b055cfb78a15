use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::server_process::ServerProcess;
use super::{PASSWORD, USER, database_name, free_port};

/// A MariaDB server on loopback.
#[derive(Debug)]
pub(crate) struct MariaDbServer {
    folder: TempDir,
    port: u16,
    /// Beyond those that all servers get.
    options: Vec<String>,
    process: ServerProcess,
}

impl MariaDbServer {
    /// A server for one test.
    pub(crate) fn start() -> Self {
        Self::start_with(|_| Vec::new())
    }

    /// One with more options, which may name files of its folder.
    pub(crate) fn start_with(options: impl FnOnce(&Path) -> Vec<String>) -> Self {
        let folder = tempfile::Builder::new().prefix("rejoin-mariadb-").tempdir().unwrap();
        let done = Command::new("mariadb-install-db")
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
            .arg(format!("--datadir={}", folder.path().join("data").display()))
            // Several at once get in each other's way where all have their temporary tables.
            .arg(format!("--tmpdir={}", folder.path().display()))
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        // One statement on each line.
        let users = format!(
            "CREATE USER IF NOT EXISTS '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';\n\
             GRANT ALL ON *.* TO '{USER}'@'%' WITH GRANT OPTION;\n"
        );
        fs::write(folder.path().join("users.sql"), users).unwrap();
        let port = free_port();
        let options = options(folder.path());
        let process = run(folder.path(), port, &options);
        let server = Self { folder, port, options, process };
        server.await_ready();
        server
    }

    /// Makes an empty database and gives its name.
    pub(crate) fn create_database(&self) -> String {
        let name = database_name();
        self.run("mysql", &format!("CREATE DATABASE {name}"));
        name
    }

    /// The URI of a database, without the password.
    pub(crate) fn uri(&self, database: &str) -> String {
        format!("mysql://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs statements by the database's own command, and gives what they answered, a line for each row.
    pub(crate) fn run(&self, database: &str, sql: &str) -> String {
        let mut client = self.client(database);
        client.args(["-e", sql]);
        ServerProcess::answer(client, sql)
    }

    fn client(&self, database: &str) -> Command {
        let mut command = Command::new("mariadb");
        command.env("MYSQL_PWD", PASSWORD).args(["--no-defaults", "-N", "-B", "--protocol=tcp", "-h", "127.0.0.1"]);
        command.arg("--default-character-set=utf8mb4");
        command.args(["-u", USER, "-P", &self.port.to_string(), database]);
        command
    }

    /// Ends it as a loss of power would.
    pub(crate) fn kill(&mut self) {
        self.process.kill(false);
    }

    /// Ends it in order.
    pub(crate) fn stop(&mut self) {
        self.process.stop("TERM");
    }

    /// Has it stand still, connections and all, until [`MariaDbServer::thaw`].
    pub(crate) fn freeze(&self) {
        self.process.freeze(false);
    }

    /// Has it go on.
    pub(crate) fn thaw(&self) {
        self.process.signal("CONT", false);
    }

    /// Starts it again after it was stopped or killed, on its port and with its data.
    pub(crate) fn start_again(&mut self) {
        self.process = run(self.folder.path(), self.port, &self.options);
        self.await_ready();
    }

    fn await_ready(&self) {
        ServerProcess::await_ready(self.folder.path(), || {
            let mut client = self.client("mysql");
            client.args(["-e", "SELECT 1"]);
            client
        });
    }
}

/// Starts the server over the data of a folder.
fn run(folder: &Path, port: u16, options: &[String]) -> ServerProcess {
    let place = |name: &str| folder.join(name).display().to_string();
    let mut command = vec![
        "mariadbd".to_owned(),
        "--no-defaults".to_owned(),
        "--user=root".to_owned(),
        "--bind-address=127.0.0.1".to_owned(),
        "--skip-log-bin".to_owned(),
        "--skip-name-resolve".to_owned(),
        "--character-set-server=utf8mb4".to_owned(),
        "--max-connections=300".to_owned(),
        // A killed process loses nothing that it gave to the operating system.
        "--innodb-flush-log-at-trx-commit=2".to_owned(),
        "--innodb-buffer-pool-size=64M".to_owned(),
        format!("--port={port}"),
        format!("--tmpdir={}", folder.display()),
        format!("--datadir={}", place("data")),
        format!("--socket={}", place("socket")),
        format!("--pid-file={}", place("pid")),
        format!("--init-file={}", place("users.sql")),
    ];
    command.extend_from_slice(options);
    ServerProcess::start(&folder.join("log"), &command)
}
