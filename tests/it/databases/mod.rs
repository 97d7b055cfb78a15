//! Real database servers for tests: started by them on free ports, with throw-away data, and ended with them.
//!
//! Tests that stop, freeze or kill a server start their own.

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
