//! Real database servers for tests: started by them on free ports, with throw-away data, and ended with them.
//!
//! Most tests share one server of each kind and have a database of their own on it ([`PostgresServer::shared`],
//! [`MariaDbServer::shared`]); tests that stop, freeze or kill a server start their own.

mod mariadb;
mod postgres;
mod server_process;

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) use mariadb::MariaDbServer;
pub(crate) use postgres::PostgresServer;

/// The user of the servers of tests, and his password.
pub(crate) const USER: &str = "rejoin";
/// It is no secret: the servers listen on loopback, for the time of a test.
pub(crate) const PASSWORD: &str = "throw-away";

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A name for the database of one test.
fn database_name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

mod tests {
    use super::{MariaDbServer, PostgresServer};

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
}
