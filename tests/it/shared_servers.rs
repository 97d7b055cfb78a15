//! One server of each kind for most tests, which have a database of their own on it.

use std::path::Path;
use std::sync::LazyLock;

use crate::databases::{MariaDbServer, PostgresServer};

static POSTGRES: LazyLock<PostgresServer> = LazyLock::new(PostgresServer::start);
static MARIADB: LazyLock<MariaDbServer> = LazyLock::new(MariaDbServer::start);

impl PostgresServer {
    /// The server that tests share.
    pub(crate) fn shared() -> &'static Self {
        &POSTGRES
    }

    /// The port that it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The folder that holds its data, its log and its socket.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl MariaDbServer {
    /// The server that tests share.
    pub(crate) fn shared() -> &'static Self {
        &MARIADB
    }
}

#[test]
fn each_database_of_a_shared_server_is_empty_at_first() {
    let postgres = PostgresServer::shared();
    let (one, other) = (postgres.create_database(), postgres.create_database());
    postgres.run(&one, "CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (7)");
    assert_eq!(postgres.run(&one, "SELECT n FROM t"), "7");
    assert_eq!(postgres.run(&other, "SELECT count(*) FROM pg_tables WHERE tablename = 't'"), "0");

    let mariadb = MariaDbServer::shared();
    let (one, other) = (mariadb.create_database(), mariadb.create_database());
    mariadb.run(&one, "CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (7)");
    assert_eq!(mariadb.run(&one, "SELECT n FROM t"), "7");
    assert_eq!(mariadb.run(&other, "SHOW TABLES"), "");
}

#[test]
fn a_killed_server_comes_back_with_its_data() {
    let mut postgres = PostgresServer::start();
    let database = postgres.create_database();
    postgres.run(&database, "CREATE TABLE t (n INTEGER)");
    postgres.kill();
    postgres.start_again();
    assert_eq!(postgres.run(&database, "SELECT count(*) FROM t"), "0");

    let mut mariadb = MariaDbServer::start();
    let database = mariadb.create_database();
    mariadb.run(&database, "CREATE TABLE t (n INTEGER)");
    mariadb.kill();
    mariadb.start_again();
    assert_eq!(mariadb.run(&database, "SELECT count(*) FROM t"), "0");
}
