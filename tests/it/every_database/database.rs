//! A database of each kind, and what is seen of it beside the service.

use std::path::PathBuf;

use rusqlite::types::Value;
use tempfile::TempDir;

use super::Kind;
use crate::databases::{MariaDbServer, PostgresServer};

/// The database of one test.
#[derive(Debug)]
pub(crate) enum Database {
    Sqlite(TempDir),
    Postgres(&'static PostgresServer, String),
    MariaDb(&'static MariaDbServer, String),
}

impl Database {
    /// An empty one.
    pub(crate) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => Self::Sqlite(tempfile::tempdir().unwrap()),
            Kind::Postgres => Self::Postgres(PostgresServer::shared(), PostgresServer::shared().create_database()),
            Kind::MariaDb => Self::MariaDb(MariaDbServer::shared(), MariaDbServer::shared().create_database()),
        }
    }

    pub(crate) fn uri(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite:{}?mode=rwc", file(folder).display()),
            Self::Postgres(server, name) => server.uri(name),
            Self::MariaDb(server, name) => server.uri(name),
        }
    }

    /// Runs one statement without the service, and gives its rows, a line for each, with `|` or tabs between the values.
    pub(crate) fn run(&self, sql: &str) -> String {
        match self {
            Self::Sqlite(folder) => run_in_file(&file(folder), sql),
            Self::Postgres(server, name) => server.run(name, sql),
            Self::MariaDb(server, name) => server.run(name, sql),
        }
    }

    /// The statements that run in it now, but for this one.
    pub(crate) fn running(&self) -> String {
        match self {
            Self::Sqlite(_) => panic!("a file does not tell"),
            Self::Postgres(..) => self.run(
                "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' \
                 AND pid <> pg_backend_pid()",
            ),
            Self::MariaDb(..) => self.run(
                "SELECT info FROM information_schema.processlist WHERE db = DATABASE() AND command <> 'Sleep' \
                 AND info IS NOT NULL AND id <> CONNECTION_ID()",
            ),
        }
    }

    /// How many transactions are open in it. In a file: whether somebody holds the right to write.
    pub(crate) fn open_transactions(&self) -> usize {
        match self {
            Self::Sqlite(folder) => {
                let connection = rusqlite::Connection::open(file(folder)).unwrap();
                connection.busy_timeout(std::time::Duration::ZERO).unwrap();
                usize::from(connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_err())
            }
            Self::Postgres(..) => self
                .run(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                     AND state LIKE 'idle in transaction%'",
                )
                .parse()
                .unwrap(),
            Self::MariaDb(..) => {
                // The server shows what it found when it was asked before, if that is less than a tenth of a second ago.
                std::thread::sleep(std::time::Duration::from_millis(150));
                self.run(
                    "SELECT count(*) FROM information_schema.innodb_trx JOIN information_schema.processlist \
                     ON id = trx_mysql_thread_id WHERE db = DATABASE()",
                )
                .parse()
                .unwrap()
            }
        }
    }

    /// Waits until no transaction is open in it.
    pub(crate) async fn until_quiet(&self) {
        super::stage::until("no transaction is open", || self.open_transactions() == 0).await;
    }
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("data.db")
}

fn run_in_file(path: &std::path::Path, sql: &str) -> String {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let mut rows = statement.query([]).unwrap();
    let mut lines = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let values: Vec<String> = (0..columns).map(|column| shown(row.get(column).unwrap())).collect();
        lines.push(values.join("|"));
    }
    lines.join("\n")
}

fn shown(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Integer(value) => value.to_string(),
        Value::Real(value) => value.to_string(),
        Value::Text(value) => value,
        Value::Blob(_) => panic!("bytes are not shown"),
    }
}
