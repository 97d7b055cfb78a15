//! Real database servers: started on free ports, with throw-away data, and ended with the bench.

mod guarded;
mod mariadb;
mod postgres;

use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

pub(crate) use mariadb::MariaDb;
pub(crate) use postgres::Postgres;

/// The user of the servers, and his password: they listen on loopback, for the time of a bench.
pub(crate) const USER: &str = "rejoin";
pub(crate) const PASSWORD: &str = "throw-away";

/// A port that was free a moment ago.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Runs a command to its end; gives what it has said.
fn run(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{} can't be run", command.get_program().display()))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// Asks until a server answers.
fn await_ready(mut ask: impl FnMut() -> Result<String>) -> Result<()> {
    let until = Instant::now() + Duration::from_mins(1);
    while let Err(error) = ask() {
        ensure!(Instant::now() < until, "the server does not start: {error}");
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
