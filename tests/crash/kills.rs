//! Part `kills`: the service is killed at random moments, and everything that was answered is there.

use std::collections::BTreeSet;
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

pub(crate) fn run(options: &Options, seed: u64, folder: &Path, library: &Path) -> Result<String> {
    let home = Home::new(folder, Durability::Full)?;
    let layer = Layer::new(library, &home, false)?;
    let mut host = Host::new(&home, Some(&layer));
    let mut random = Random::new(seed, "kills");
    let task = Task { last: options.kills + 1, keeps_history: false, store_may_fail: false };
    let mut crew = Crew::hire(&host, options.clients, seed, task)?;
    crew.watch_deadlines(&host, seed, task)?;
    let progress = Progress::new("kills", options.kills);
    let (mut by_operation, mut while_starting) = (0, 0);
    let mut killed = 0;
    while killed < options.kills {
        match random.within(0..10) {
            // While it starts: nobody was told of it.
            0 | 1 => {
                let service = host.start_quietly()?;
                std::thread::sleep(start_moment(&mut random, &host.starts));
                service.kill()?;
                while_starting += 1;
            }
            // In the middle of an operation on the disk: a write, a sync, a file that is cut or removed; half of these while
            // it starts, which reads what the last one left behind.
            2..6 => {
                let most = if random.chance(30) { 20 } else { OPERATIONS };
                layer.kill_after(random.within(1..most))?;
                by_operation += u64::from(killed_by_operation(&mut host, killed + 1)?);
                layer.kill_after(0)?;
            }
            _ => {
                host.serve(killed + 1)?;
                host.wait(Duration::from_millis(random.within(1..400)))?;
                host.kill()?;
            }
        }
        killed += 1;
        progress.step(|| format!("{} answered", crew.report.answered()));
        crew.check()?;
    }
    host.serve(task.last)?;
    let (clients, report) = crew.finish(Duration::from_mins(2))?;
    nothing_else(&host, &clients)?;
    host.stop()?;
    let starts = median(&mut host.starts);
    Ok(format!(
        "{killed} kills ({while_starting} while it started, {by_operation} in the middle of an operation on the disk); \
         a start took {starts:?} (median)\n{}",
        report.summary()
    ))
}

/// Starts a service that the layer kills. Whether it did: an idle one may not get so far.
fn killed_by_operation(host: &mut Host<'_>, number: u64) -> Result<bool> {
    let mut service = host.start_quietly()?;
    let Some(url) = service.url()? else {
        service.kill()?;
        return Ok(true);
    };
    host.announce(service, number, url);
    let died = host.wait_for_death(LONGEST)?;
    host.kill()?;
    Ok(died)
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

/// The labels of all sessions, each of which has one of its own.
async fn labels(mut link: Link) -> Result<BTreeSet<String>> {
    let (mut labels, mut page) = (BTreeSet::new(), String::new());
    loop {
        let ask = Ask::to(Method::GET, &format!("/sessions?limit=1000{page}")).by_operator();
        let Exchange::Answered(reply) = link.send(&ask).await? else { anyhow::bail!("no list of sessions") };
        let list = SessionList::parse(&reply.body, &Limits::default()).with_context(|| reply.text())?;
        for session in list.sessions {
            let label = session.label.context("a session without a label")?;
            if label == "brief" {
                continue;
            }
            ensure!(labels.insert(label.clone()), "two sessions are `{label}`");
        }
        let Some(next) = list.next else { return Ok(labels) };
        page = format!("&after={next}");
    }
}
