//! The databases of a run, and what is seen in them beside the service.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::ledger::{Account, CAPITAL};
use crate::databases::{MariaDbServer, PASSWORD, PostgresServer};
use crate::random::Random;

/// A database server with a database that has accounts in it.
#[derive(Debug)]
pub(super) enum Server {
    Postgres(PostgresServer, String),
    MariaDb(MariaDbServer, String),
}

macro_rules! each {
    ($server:expr, $inner:ident => $does:expr) => {
        match $server {
            Server::Postgres($inner, _) => $does,
            Server::MariaDb($inner, _) => $does,
        }
    };
}

impl Server {
    pub(super) fn postgres(folder: &Path) -> Result<Self> {
        let server = PostgresServer::start();
        let database = server.create_database();
        Self::Postgres(server, database).with_password(folder)
    }

    pub(super) fn mariadb(folder: &Path) -> Result<Self> {
        let server = MariaDbServer::start();
        let database = server.create_database();
        Self::MariaDb(server, database).with_password(folder)
    }

    fn with_password(self, folder: &Path) -> Result<Self> {
        fs::write(folder.join("password"), PASSWORD).context("the password")?;
        Ok(self)
    }

    pub(super) fn kill(&mut self) {
        each!(self, it => it.kill());
    }

    pub(super) fn stop(&mut self) {
        each!(self, it => it.stop());
    }

    pub(super) fn freeze(&self) {
        each!(self, it => it.freeze());
    }

    pub(super) fn thaw(&self) {
        each!(self, it => it.thaw());
    }

    pub(super) fn start_again(&mut self) {
        each!(self, it => it.start_again());
    }

    fn uri(&self) -> String {
        match self {
            Self::Postgres(server, database) => server.uri(database),
            Self::MariaDb(server, database) => server.uri(database),
        }
    }

    fn run(&self, sql: &str) -> String {
        match self {
            Self::Postgres(server, database) => server.run(database, sql),
            Self::MariaDb(server, database) => server.run(database, sql),
        }
    }

    /// What is open there, or prepared; nothing, if all is well.
    fn left_behind(&self) -> String {
        match self {
            Self::Postgres(..) => self.run(
                "SELECT pid || ': ' || state || ': ' || query FROM pg_stat_activity WHERE datname = current_database() \
                     AND state <> 'idle' AND pid <> pg_backend_pid()",
            ) + &self.run("SELECT 'prepared: ' || gid FROM pg_prepared_xacts"),
            Self::MariaDb(..) => {
                self.run("SELECT trx_id, trx_state, trx_query FROM information_schema.innodb_trx")
                    + &self.run("XA RECOVER")
            }
        }
    }

    fn accounts(&self) -> Result<Vec<Account>> {
        let rows = self.run("SELECT balance, moves FROM account ORDER BY id");
        let numbers = |line: &str| -> Result<Account> {
            let mut numbers = line.split(['|', '\t']).map(str::parse);
            let mut next = || numbers.next().context("too few columns")?.context("no number");
            Ok(Account { balance: next()?, moves: next()? })
        };
        rows.lines().map(numbers).collect()
    }
}

/// All of them: one with two accounts, or two with one each.
#[derive(Debug)]
pub(super) struct Servers(Vec<Server>);

impl Servers {
    pub(super) fn new(servers: Vec<Server>) -> Self {
        let ids: &[u32] = if servers.len() == 1 { &[1, 2] } else { &[1] };
        for server in &servers {
            server.run("CREATE TABLE account (id INTEGER PRIMARY KEY, balance BIGINT NOT NULL, moves BIGINT NOT NULL)");
            for id in ids {
                server.run(&format!("INSERT INTO account VALUES ({id}, {CAPITAL}, 0)"));
            }
        }
        Self(servers)
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    pub(super) fn any(&mut self, random: &mut Random) -> &mut Server {
        let place = random.place(self.0.len());
        &mut self.0[place]
    }

    /// The elements of the resource document.
    pub(super) fn resources(&self) -> String {
        let each = self.0.iter().enumerate();
        each.map(|(place, server)| {
            format!(
                "<dataResource name=\"d{place}\" uri=\"{}\" passwordFile=\"../password\"><pool size=\"48\" wait=\"20000\"/>\
                 <statement timeout=\"8000\"/></dataResource>",
                server.uri()
            )
        })
        .collect()
    }

    /// Waits until no transaction is open and none prepared. How long that took.
    pub(super) fn await_quiet(&self, patience: Duration) -> Result<Duration> {
        let begun = Instant::now();
        loop {
            let left: String = self.0.iter().map(Server::left_behind).collect();
            if left.is_empty() {
                return Ok(begun.elapsed());
            }
            ensure!(begun.elapsed() < patience, "after {patience:?} there is still left behind:\n{left}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The two accounts.
    pub(super) fn accounts(&self) -> Result<Vec<Account>> {
        let mut accounts = Vec::new();
        for server in &self.0 {
            accounts.extend(server.accounts()?);
        }
        Ok(accounts)
    }
}
