//! Parts `transfers-…`: thirty-two clients move money between two accounts, each time in a transaction of three requests:
//! begin, two updates, commit. Clients drop their connections, the service is killed, the databases are killed, stopped and
//! made to stand still. The sum never changes, each transfer is known to be made or not, and no transaction stays open.

mod client;
mod ledger;
mod servers;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::runtime::Runtime;

use crate::crew::Host;
use crate::home::Home;
use crate::kills::median;
use crate::options::Options;
use crate::progress::Progress;
use crate::random::Random;
use client::{client, inspector};
use ledger::Ledger;
use servers::{Server, Servers};

const CLIENTS: u64 = 32;

/// How long everything that is left behind may take to be cleared away.
const PATIENCE: Duration = Duration::from_mins(2);

/// Both accounts in one database, PostgreSQL.
pub(crate) fn postgres(options: &Options, seed: u64, folder: &Path, _: &Path) -> Result<String> {
    run(options, seed, folder, |folder| Ok(Servers::new(vec![Server::postgres(folder)?])))
}

/// Both accounts in one database, MariaDB.
pub(crate) fn mariadb(options: &Options, seed: u64, folder: &Path, _: &Path) -> Result<String> {
    run(options, seed, folder, |folder| Ok(Servers::new(vec![Server::mariadb(folder)?])))
}

/// One account in each of two databases.
pub(crate) fn both(options: &Options, seed: u64, folder: &Path, _: &Path) -> Result<String> {
    run(options, seed, folder, |folder| Ok(Servers::new(vec![Server::postgres(folder)?, Server::mariadb(folder)?])))
}

fn run(options: &Options, seed: u64, folder: &Path, servers: impl FnOnce(&Path) -> Result<Servers>) -> Result<String> {
    std::fs::create_dir_all(folder)?;
    let mut servers = servers(folder)?;
    let home = Home::over_databases(folder, &servers.resources())?;
    let mut host = Host::new(&home, None);
    let runtime = Runtime::new()?;
    host.serve()?;
    let ledger = Arc::new(Ledger::new(servers.count()));
    let mut working = vec![runtime.spawn(inspector(Arc::clone(&ledger), host.link()?))];
    for number in 0..CLIENTS {
        let random = Random::new(seed, &format!("t{number}"));
        working.push(runtime.spawn(client(Arc::clone(&ledger), host.link()?, random)));
    }
    let mut random = Random::new(seed, "transfers");
    let faults = Faults::make(&mut host, &mut servers, &ledger, options.seconds, &mut random)?;
    ledger.is_closing.store(true, Ordering::Relaxed);
    for client in working {
        let done = runtime.block_on(async { tokio::time::timeout(PATIENCE, client).await });
        done.context("a client does not come to its end")?.context("a client panicked")??;
    }
    let quiet = servers.await_quiet(PATIENCE)?;
    let summary = ledger.audit(&servers.accounts()?)?;
    // A start finds nothing to settle.
    host.kill()?;
    host.serve()?;
    servers.await_quiet(PATIENCE)?;
    ledger.audit(&servers.accounts()?)?;
    host.stop()?;
    let starts = median(&mut host.starts);
    Ok(format!(
        "{summary}\n{CLIENTS} clients; {faults}; a start took {starts:?} (median); nothing was open {quiet:.1?} after the end"
    ))
}

/// What was done to the service and its databases.
#[derive(Debug, Default)]
struct Faults {
    service_kills: u64,
    database_kills: u64,
    database_stops: u64,
    freezes: u64,
}

impl Faults {
    /// Takes away what the transfers stand on, for so many seconds, and each of them once at least.
    fn make(
        host: &mut Host<'_>,
        servers: &mut Servers,
        ledger: &Ledger,
        seconds: u64,
        random: &mut Random,
    ) -> Result<Self> {
        let (until, progress) = (Instant::now() + Duration::from_secs(seconds), Progress::new("transfers", seconds));
        let mut faults = Self::default();
        let mut round = 0;
        while Instant::now() < until || !faults.have_all() {
            let wanted = ledger.transfers.load(Ordering::Relaxed) + random.within(1..4 * CLIENTS);
            await_transfers(host, ledger, wanted)?;
            host.wait(Duration::from_millis(random.within(1..300)))?;
            // Each kind in its turn at first, then whichever.
            let kind = if round < KINDS { round } else { random.within(0..KINDS) };
            round += 1;
            faults.one(kind, host, servers, random)?;
            progress.set(seconds.saturating_sub(until.saturating_duration_since(Instant::now()).as_secs()));
        }
        Ok(faults)
    }

    fn one(&mut self, kind: u64, host: &mut Host<'_>, servers: &mut Servers, random: &mut Random) -> Result<()> {
        let server = servers.any(random);
        match kind {
            0 => {
                host.kill()?;
                host.serve()?;
                self.service_kills += 1;
            }
            1 => {
                server.kill();
                server.start_again();
                self.database_kills += 1;
            }
            2 => {
                server.freeze();
                host.wait(Duration::from_millis(random.within(50..800)))?;
                server.thaw();
                self.freezes += 1;
            }
            3 => {
                server.stop();
                server.start_again();
                self.database_stops += 1;
            }
            // Both at once: nobody is left who knows.
            4 => {
                host.kill()?;
                server.kill();
                server.start_again();
                host.serve()?;
                self.service_kills += 1;
                self.database_kills += 1;
            }
            _ => bail!("there is no such fault"),
        }
        Ok(())
    }

    fn have_all(&self) -> bool {
        self.service_kills > 0 && self.database_kills > 0 && self.freezes > 0
    }
}

/// Lets the clients work until so many transfers are made: otherwise a slow machine would do nothing but start again.
fn await_transfers(host: &mut Host<'_>, ledger: &Ledger, wanted: u64) -> Result<()> {
    let begun = Instant::now();
    while ledger.transfers.load(Ordering::Relaxed) < wanted {
        ensure!(begun.elapsed() < PATIENCE, "nothing is transferred any more: {}", ledger.told());
        host.wait(Duration::from_millis(5))?;
    }
    Ok(())
}

/// How many kinds of faults there are.
const KINDS: u64 = 5;

impl std::fmt::Display for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { service_kills, database_kills, database_stops, freezes } = self;
        write!(
            f,
            "the service was killed {service_kills} times, a database {database_kills} times, stopped {database_stops} times, \
             made to stand still {freezes} times"
        )
    }
}
