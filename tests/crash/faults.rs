//! Part `faults`: the disk is full, read-only, broken or slow. What fails has not happened, what was answered stays, and when
//! the disk is well again the service goes on.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rejoin::document::EndReason;
use reqwest::Method;

use crate::client::Task;
use crate::crew::{Crew, Host};
use crate::held::{Found, document, look};
use crate::home::{Durability, Home};
use crate::layer::{EIO, EROFS, Failing, Layer};
use crate::options::Options;
use crate::progress::Progress;
use crate::random::Random;
use crate::volume;
use crate::wire::{Ask, Exchange, Link, Reply};

/// What is wrong with the disk.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    /// So many bytes are left.
    Full(u64),
    /// Writes fail, all or but every so many.
    Writes(u64),
    /// Syncs fail.
    Syncs(u64),
    /// Nothing may be changed any more.
    ReadOnly,
}

const TROUBLES: [Trouble; 7] = [
    Trouble::Full(0),
    Trouble::Full(100_000),
    Trouble::Writes(0),
    Trouble::Writes(7),
    Trouble::Syncs(0),
    Trouble::Syncs(3),
    Trouble::ReadOnly,
];

/// So many requests have to fail in each trouble, and to succeed after it.
const ENOUGH: u64 = 10;

/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn run(options: &Options, seed: u64, folder: &Path, library: &Path) -> Result<String> {
    let troubled = troubles(options, seed, &folder.join("troubles"), library)?;
    let slow = a_slow_disk_holds_answers_back(&folder.join("slow"), library)?;
    let unreadable = what_cannot_be_read_is_told(&folder.join("unreadable"), library)?;
    let volumes = if volume::is_available() {
        let full = volume::full(&Home::new(&folder.join("full"), Durability::Full)?)?;
        let read_only = volume::read_only(&Home::new(&folder.join("read-only"), Durability::Full)?)?;
        format!("{full}\n{read_only}")
    } else {
        "no real volumes: name spaces of users are switched off here".to_owned()
    };
    Ok(format!("{troubled}\n{slow}\n{unreadable}\n{volumes}"))
}

/// Clients work while the disk fails and gets well again; after each trouble the service goes on, and after some it is killed
/// in the middle of it.
fn troubles(options: &Options, seed: u64, folder: &Path, library: &Path) -> Result<String> {
    let home = Home::new(folder, Durability::Full)?;
    let layer = Layer::new(library, &home, false)?;
    let mut host = Host::new(&home, Some(&layer));
    let mut random = Random::new(seed, "faults");
    let task = Task { keeps_history: false, store_may_fail: true };
    let mut crew = Crew::hire(&host, options.clients, seed, task)?;
    let progress = Progress::new("faults", TROUBLES.len() as u64);
    for trouble in TROUBLES {
        host.serve()?;
        at_least(&mut host, &mut crew, |crew| crew.report.answered()).context("before any trouble")?;
        trouble.begin(&layer)?;
        at_least(&mut host, &mut crew, |crew| crew.report.unavailable.get()).with_context(|| format!("{trouble:?}"))?;
        if random.chance(40) {
            // The service never sees the disk get well.
            host.kill()?;
            layer.heal()?;
        } else {
            layer.heal()?;
            at_least(&mut host, &mut crew, |crew| crew.report.answered())
                .with_context(|| format!("after {trouble:?}"))?;
            host.kill()?;
        }
        progress.step(|| format!("{trouble:?}"));
    }
    host.serve_last()?;
    let (_, report) = crew.finish(Duration::from_mins(2))?;
    host.stop()?;
    let [_, _, failures] = layer.counts()?;
    Ok(format!("{} troubles, {failures} calls were made to fail\n{}", TROUBLES.len(), report.summary()))
}

impl Trouble {
    fn begin(self, layer: &Layer) -> Result<()> {
        match self {
            Self::Full(room) => layer.leave_room(room),
            Self::Writes(skip) => layer.fail(Failing::Write, EIO, skip),
            Self::Syncs(skip) => layer.fail(Failing::Sync, EIO, skip),
            Self::ReadOnly => {
                layer.fail(Failing::Open, EROFS, 0)?;
                layer.fail(Failing::Write, EROFS, 0)
            }
        }
    }
}

/// Waits until a count has grown enough.
fn at_least(host: &mut Host<'_>, crew: &mut Crew, count: impl Fn(&Crew) -> u64) -> Result<()> {
    let (wanted, until) = (count(crew) + ENOUGH, Instant::now() + PATIENCE);
    while count(crew) < wanted {
        host.wait(Duration::from_millis(5))?;
        crew.check()?;
        ensure!(Instant::now() < until, "too little happens: {} of {wanted}", count(crew));
    }
    Ok(())
}

/// An answer waits for the disk: it comes no earlier than the sync is over.
fn a_slow_disk_holds_answers_back(folder: &Path, library: &Path) -> Result<String> {
    const DELAY: Duration = Duration::from_millis(300);
    let home = Home::new(folder, Durability::Full)?;
    let layer = Layer::new(library, &home, false)?;
    let mut host = Host::new(&home, Some(&layer));
    host.serve()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut link = host.link()?;
    runtime.block_on(async {
        let id = completed(&mut link, "<session/>").await?.session_id()?;
        layer.slow_down(DELAY)?;
        let change = format!(
            "<session id=\"{id}\"/><sessionAttributeManagement name=\"set\"><setAttribute name=\"town\">Oban</setAttribute>\
             </sessionAttributeManagement>"
        );
        // An answer that is too long to be held back goes out while its request runs, but for its end.
        let long = format!("<echo name=\"say\"><text>{}</text><output name=\"said\"/></echo>", "x".repeat(200_000));
        for (answer, content) in [("an answer", &change), ("the end of a long answer", &(change.clone() + &long))] {
            let begun = Instant::now();
            completed(&mut link, content).await?;
            ensure!(begun.elapsed() >= DELAY, "{answer} came before the disk had what it tells");
        }
        let begun = Instant::now();
        look(&mut link, &id, 0).await?;
        ensure!(begun.elapsed() < DELAY, "a look waits for the disk");
        let begun = Instant::now();
        let end = answered(&mut link, &Ask::to(Method::DELETE, "/session").in_session(&id)).await?;
        ensure!(end.status == 204, "no end: {} {}", end.status, end.text());
        ensure!(begun.elapsed() >= DELAY, "an end was told before the disk had it");
        Ok(())
    })?;
    layer.heal()?;
    host.stop()?;
    Ok(format!("changes and ends wait for a sync of {DELAY:?}, looks do not"))
}

/// A session that can't be loaded is not lost, and not made up: when the disk can be read again, it is there.
fn what_cannot_be_read_is_told(folder: &Path, library: &Path) -> Result<String> {
    let home = Home::new(folder, Durability::Full)?;
    let layer = Layer::new(library, &home, false)?;
    let mut host = Host::new(&home, Some(&layer));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    host.serve()?;
    let mut link = host.link()?;
    let text = "x".repeat(200_000);
    let ids = runtime.block_on(async {
        let mut ids = Vec::new();
        for _ in 0..8 {
            let set = format!(
                "<session/><sessionAttributeManagement name=\"set\"><setAttribute name=\"long\">{text}</setAttribute>\
                 </sessionAttributeManagement>"
            );
            ids.push(completed(&mut link, &set).await?.session_id()?);
        }
        anyhow::Ok(ids)
    })?;
    host.kill()?;
    host.serve()?;
    let refused = runtime.block_on(async {
        layer.fail(Failing::Read, EIO, 0)?;
        let mut refused = 0;
        for id in &ids {
            let reply = answered(&mut link, &Ask::perform(document(&format!("<session id=\"{id}\"/>")))).await?;
            match reply.status {
                200 => {}
                503 if reply.is_unavailable() => refused += 1,
                status => bail!("a session that can't be read is answered with {status}: {}", reply.text()),
            }
        }
        layer.heal()?;
        for id in &ids {
            let Found::Alive(state) = look(&mut link, id, 0).await? else {
                bail!("a session is gone that could not be read")
            };
            ensure!(state.names().eq(["long"]), "a session is not what it was");
        }
        let end = answered(&mut link, &Ask::to(Method::DELETE, "/session").in_session(&ids[0])).await?;
        ensure!(end.status == 204, "no end: {} {}", end.status, end.text());
        let found = look(&mut link, &ids[0], 0).await?;
        ensure!(matches!(found, Found::Ended(EndReason::Terminated)), "a session that was ended is {found:?}");
        Ok(refused)
    })?;
    ensure!(refused > 0, "no session was read from the disk: the test shows nothing");
    host.stop()?;
    Ok(format!("{refused} of {} sessions could not be read for a time, and were told so", ids.len()))
}

pub(crate) async fn completed(link: &mut Link, content: &str) -> Result<Reply> {
    let reply = answered(link, &Ask::perform(document(content))).await?;
    ensure!(reply.is_completed(), "not completed: {} {}", reply.status, reply.text());
    Ok(reply)
}

pub(crate) async fn answered(link: &mut Link, ask: &Ask) -> Result<Reply> {
    match link.send(ask).await? {
        Exchange::Answered(reply) => Ok(reply),
        Exchange::Lost | Exchange::Over => bail!("the service went away"),
    }
}
