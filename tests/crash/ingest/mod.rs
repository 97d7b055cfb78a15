//! Part `ingest`: sessions create jobs, poll them and fetch pages from somebody else's service, while ours is killed at random
//! moments. No job is created twice, no page is lost, no row comes twice, and the time of a poll goes on.

mod api;
mod client;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::runtime::Runtime;

use crate::crew::Host;
use crate::home::{Durability, Home};
use crate::options::Options;
use crate::progress::Progress;
use crate::random::Random;

/// What the clients have done together.
#[derive(Debug, Default)]
struct Done {
    is_closing: AtomicBool,
    jobs: AtomicU64,
    /// Jobs that were perhaps created, which nobody knows: they are not created again.
    unknown: AtomicU64,
    polls: AtomicU64,
    pulls: AtomicU64,
    /// Requests that nobody has answered.
    broken_off: AtomicU64,
}

pub(crate) fn run(options: &Options, seed: u64, folder: &Path, _library: &Path) -> Result<String> {
    let runtime = Runtime::new()?;
    let (url, account) = runtime.block_on(api::start(seed))?;
    let home = Home::over_http(folder, &url, Durability::Os)?;
    let mut host = Host::new(&home, None);
    host.serve()?;
    let done = Arc::new(Done::default());
    let mut working = Vec::new();
    for number in 0..options.clients {
        working.push(runtime.spawn(client::Client::new(number, host.link()?, Arc::clone(&done)).run()));
    }
    let kills = come_and_go(&mut host, options.seconds, &mut Random::new(seed, "ingest"))?;
    done.is_closing.store(true, Ordering::Relaxed);
    for client in working {
        let ended = runtime.block_on(async { tokio::time::timeout(Duration::from_mins(2), client).await });
        ended.context("a client does not come to its end")?.context("a client panicked")??;
    }
    host.stop()?;
    let account = account.lock();
    for (job, times) in &account.created {
        ensure!(*times == 1, "the job `{job}` was created {times} times");
    }
    for (name, pages) in &account.pages {
        let goes_on = pages.windows(2).all(|pair| pair[1] == pair[0] || pair[1] == pair[0] + 1);
        ensure!(goes_on, "the pages of `{name}` were asked for in this order: {pages:?}");
        ensure!(pages.last() == Some(&(api::PAGES - 1)), "`{name}` was not asked for to its end: {pages:?}");
    }
    let [jobs, unknown, polls, pulls, broken_off] =
        [&done.jobs, &done.unknown, &done.polls, &done.pulls, &done.broken_off]
            .map(|count| count.load(Ordering::Relaxed));
    ensure!(jobs > 0 && pulls > 0, "the service was killed so often that nothing came to its end");
    Ok(format!(
        "{jobs} jobs were created, each once; of {unknown} it was said that nobody knows, and they were not created again; \
         {polls} were polled to their end, {pulls} lists of {} pages came whole; {broken_off} requests broke off; {kills} kills",
        api::PAGES
    ))
}

/// Kills the service and starts it again, for so many seconds. How often.
fn come_and_go(host: &mut Host<'_>, seconds: u64, random: &mut Random) -> Result<u64> {
    let (until, progress) = (Instant::now() + Duration::from_secs(seconds), Progress::new("ingest", seconds));
    let mut kills = 0;
    while Instant::now() < until {
        host.wait(Duration::from_millis(random.within(30..600)))?;
        host.kill()?;
        kills += 1;
        host.serve()?;
        progress.set(seconds.saturating_sub(until.saturating_duration_since(Instant::now()).as_secs()));
    }
    Ok(kills)
}
