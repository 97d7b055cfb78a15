//! Part `kills`: the service is killed at random moments, and everything that was answered is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rejoin::document::{Limits, SessionList};
use reqwest::Method;

use crate::client::{Client, Task};
use crate::crew::{Crew, Host};
use crate::home::{Durability, Home};
use crate::layer::Layer;
use crate::options::Options;
use crate::progress::Progress;
use crate::random::Random;
use crate::wire::{Ask, Exchange, Link};

/// A service that is to die at an operation on its disk is killed after that time at the latest.
const LONGEST: Duration = Duration::from_millis(700);

/// How many operations on the disk a service does at the most before it is killed by one.
const OPERATIONS: u64 = 400;

/// So many operations a start takes that makes the store, and a few more.
const FIRST_OPERATIONS: u64 = 70;

/// How the services of a run ended.
#[derive(Debug, Default)]
struct Ends {
    /// Killed at some moment.
    anywhere: u64,
    /// Killed before anybody was told that they serve.
    starting: u64,
    /// Killed in the middle of an operation on the disk.
    operating: u64,
    /// Told to stop.
    stopped: u64,
}

impl Ends {
    fn kills(&self) -> u64 {
        self.anywhere + self.starting + self.operating
    }
}

pub(crate) fn run(options: &Options, seed: u64, folder: &Path, library: &Path) -> Result<String> {
    let mut random = Random::new(seed, "kills");
    let births = options.kills.div_ceil(8).min(FIRST_OPERATIONS);
    for number in 0..births {
        let operation = if births == FIRST_OPERATIONS { number + 1 } else { random.within(1..FIRST_OPERATIONS) };
        killed_at_birth(operation, &folder.join("birth"), library)
            .with_context(|| format!("killed in operation {operation} of the first start"))?;
    }
    let home = Home::new(&folder.join("load"), Durability::Full)?;
    let layer = Layer::new(library, &home, false)?;
    let mut host = Host::new(&home, Some(&layer));
    let task = Task { keeps_history: false, store_may_fail: false };
    let mut crew = Crew::hire(&host, options.clients, seed, task)?;
    crew.watch_deadlines(&host, seed)?;
    let progress = Progress::new("kills", options.kills);
    let mut ends = Ends::default();
    while ends.kills() < options.kills {
        live_and_die(&mut host, &layer, &mut random, &mut ends)?;
        progress.set(ends.kills());
        crew.check()?;
    }
    host.serve_last()?;
    let (clients, report) = crew.finish(Duration::from_mins(2))?;
    nothing_else(&host, &clients)?;
    host.stop()?;
    no_id_in_the_log(&home, &clients)?;
    let starts = median(&mut host.starts);
    let Ends { starting, operating, stopped, .. } = ends;
    Ok(format!(
        "{} kills, {births} more in the first start; {starting} of them while it started, {operating} in the middle of an \
         operation on the disk; {stopped} clean stops; a start took {starts:?} (median)\n{}",
        ends.kills(),
        report.summary()
    ))
}

/// One service from its start to its end.
fn live_and_die(host: &mut Host<'_>, layer: &Layer, random: &mut Random, ends: &mut Ends) -> Result<()> {
    match random.within(0..10) {
        0 | 1 => {
            let service = host.start_quietly()?;
            std::thread::sleep(start_moment(random, &host.starts));
            service.kill()?;
            ends.starting += 1;
        }
        // A write, a sync, a file that is cut or removed; a third of these while it starts and reads what the last one left.
        2..6 => {
            let most = if random.chance(30) { 20 } else { OPERATIONS };
            layer.kill_after(random.within(1..most))?;
            let serves = host.try_to_serve()?;
            // One without work may not get so far.
            let died = !serves || host.wait_for_death(LONGEST)?;
            if serves {
                host.kill()?;
            }
            layer.kill_after(0)?;
            *if died { &mut ends.operating } else { &mut ends.anywhere } += 1;
        }
        choice => {
            host.serve()?;
            host.wait(Duration::from_millis(random.within(1..400)))?;
            if choice == 6 && random.chance(30) {
                host.restart()?;
                ends.stopped += 1;
            } else {
                host.kill()?;
                ends.anywhere += 1;
            }
        }
    }
    Ok(())
}

/// A service that dies while it makes its store leaves nothing that keeps the next one from starting.
fn killed_at_birth(operation: u64, folder: &Path, library: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let home = Home::new(folder, Durability::Full)?;
    let layer = Layer::new(library, &home, false)?;
    let mut host = Host::new(&home, Some(&layer));
    layer.kill_after(operation)?;
    if host.try_to_serve()? {
        host.kill()?;
    }
    layer.kill_after(0)?;
    host.serve()?;
    host.stop()
}

/// A moment before a service is ready, or a little behind.
fn start_moment(random: &mut Random, starts: &[Duration]) -> Duration {
    let usual = starts.last().copied().unwrap_or(Duration::from_millis(50));
    usual.mul_f64(f64::from(u32::try_from(random.within(0..110)).expect("it is small")) / 100.0)
}

pub(crate) fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// There are no sessions but those that the clients have, and those whose answers broke off.
fn nothing_else(host: &Host<'_>, clients: &[Client]) -> Result<()> {
    let known: BTreeSet<&str> = clients
        .iter()
        .flat_map(|client| {
            client.held.iter().map(|held| &*held.label).chain(client.orphans.iter().map(|label| &**label))
        })
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let labels = runtime.block_on(labels(host.link()?))?;
    for label in &labels {
        ensure!(known.contains(&**label), "there is a session `{label}` that nobody has");
    }
    let held: usize = clients.iter().map(|client| client.held.len()).sum();
    ensure!(labels.len() >= held, "{} sessions are listed, the clients have {held}", labels.len());
    Ok(())
}

/// The labels of all sessions, each of which has one of its own. Those that end by themselves are left out.
async fn labels(mut link: Link) -> Result<BTreeSet<String>> {
    let (mut labels, mut page) = (BTreeSet::new(), String::new());
    loop {
        let ask = Ask::to(Method::GET, &format!("/sessions?limit=1000{page}")).by_operator();
        let Exchange::Answered(reply) = link.send(&ask).await? else { anyhow::bail!("no list of sessions") };
        let list = SessionList::parse(&reply.body, &Limits::default()).with_context(|| reply.text())?;
        for session in list.sessions {
            let label = session.label.context("a session without a label")?;
            ensure!(label == "brief" || labels.insert(label.clone()), "two sessions are `{label}`");
        }
        let Some(next) = list.next else { return Ok(labels) };
        page = format!("&after={next}");
    }
}

/// Ids are secrets, whatever happened.
fn no_id_in_the_log(home: &Home, clients: &[Client]) -> Result<()> {
    let log = fs::read_to_string(home.log())?;
    let held = clients.iter().flat_map(|client| client.held.iter().chain(client.ended.iter().map(|(held, _)| held)));
    for session in held {
        ensure!(!log.contains(&session.id), "the id of `{}` stands in the log", session.label);
    }
    Ok(())
}
