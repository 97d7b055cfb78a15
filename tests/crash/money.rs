//! Part `money`: sixty-four clients transfer between attributes of one session. The sum never changes, and each transfer is
//! made once, whatever happens to the service.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::runtime::Runtime;

use crate::crew::Host;
use crate::held::{Found, document, look};
use crate::home::{Durability, Home};
use crate::kills::median;
use crate::layer::Layer;
use crate::options::Options;
use crate::progress::Progress;
use crate::random::Random;
use crate::state::State;
use crate::wire::{Ask, Exchange, Link, Reply};

const CLIENTS: u64 = 64;

const ACCOUNTS: [&str; 8] = ["ada", "bill", "carl", "dora", "emil", "fred", "gwen", "hugo"];

/// What each account has in the beginning.
const CAPITAL: i64 = 1000;

/// The bank as its clients know it: one session, and what all answered transfers together make of each account.
#[derive(Debug)]
struct Bank {
    session: String,
    balances: [AtomicI64; ACCOUNTS.len()],
    is_closing: AtomicBool,
    transfers: AtomicU64,
    replays: AtomicU64,
    twins: AtomicU64,
    broken_off: AtomicU64,
    inspections: AtomicU64,
}

pub(crate) fn run(options: &Options, seed: u64, folder: &Path, library: &Path) -> Result<String> {
    let home = Home::new(folder, Durability::Full)?;
    let layer = Layer::new(library, &home, false)?;
    let mut host = Host::new(&home, Some(&layer));
    let runtime = Runtime::new()?;
    host.serve()?;
    let bank = Arc::new(runtime.block_on(Bank::open(&mut host.link()?))?);
    let mut working = vec![runtime.spawn(inspector(Arc::clone(&bank), host.link()?))];
    for number in 0..CLIENTS {
        working.push(runtime.spawn(client(Arc::clone(&bank), host.link()?, Random::new(seed, &format!("m{number}")))));
    }
    let kills = come_and_go(&mut host, options.seconds, &mut Random::new(seed, "money"))?;
    bank.is_closing.store(true, Ordering::Relaxed);
    for client in working {
        let done = runtime.block_on(async { tokio::time::timeout(Duration::from_mins(2), client).await });
        done.context("a client does not come to its end")?.context("a client panicked")??;
    }
    // Whatever was answered is there after one more kill, too.
    host.kill()?;
    host.serve()?;
    runtime.block_on(bank.audit(&mut host.link()?))?;
    host.stop()?;
    let [transfers, replays, twins, broken_off, inspections] =
        [&bank.transfers, &bank.replays, &bank.twins, &bank.broken_off, &bank.inspections]
            .map(|count| count.load(Ordering::Relaxed));
    let starts = median(&mut host.starts);
    Ok(format!(
        "{transfers} transfers by {CLIENTS} clients, each made once; {broken_off} broke off and were sent again, {replays} were \
         repeated, {twins} sent twice at once; {} kills, a start took {starts:?} (median); {inspections} times the sum was right",
        kills + 1
    ))
}

/// Kills the service and starts it again, for so many seconds. How often.
fn come_and_go(host: &mut Host<'_>, seconds: u64, random: &mut Random) -> Result<u64> {
    let (until, progress) = (Instant::now() + Duration::from_secs(seconds), Progress::new("money", seconds));
    let mut kills = 0;
    while Instant::now() < until {
        host.wait(Duration::from_millis(random.within(200..1200)))?;
        host.kill()?;
        kills += 1;
        host.serve()?;
        progress.set(seconds.saturating_sub(until.saturating_duration_since(Instant::now()).as_secs()));
    }
    Ok(kills)
}

impl Bank {
    async fn open(link: &mut Link) -> Result<Self> {
        let accounts: String = ACCOUNTS.iter().map(|account| increment(account, account, CAPITAL)).collect();
        let Exchange::Answered(reply) = link.send(&Ask::perform(document(&format!("<session/>{accounts}")))).await?
        else {
            bail!("the service went away");
        };
        ensure!(reply.is_completed(), "no bank: {}", reply.text());
        Ok(Self {
            session: reply.session_id()?,
            balances: ACCOUNTS.map(|_| AtomicI64::new(CAPITAL)),
            is_closing: AtomicBool::new(false),
            transfers: AtomicU64::new(0),
            replays: AtomicU64::new(0),
            twins: AtomicU64::new(0),
            broken_off: AtomicU64::new(0),
            inspections: AtomicU64::new(0),
        })
    }

    /// Every account has what the answered transfers make of it.
    async fn audit(&self, link: &mut Link) -> Result<()> {
        let Found::Alive(found) = look(link, &self.session, 0).await? else { bail!("the bank is gone") };
        for (account, balance) in ACCOUNTS.iter().zip(&self.balances) {
            let (has, should) = (found.integer(account), balance.load(Ordering::Relaxed));
            ensure!(
                has == should,
                "`{account}` has {has} and should have {should}: a transfer was lost, or made twice"
            );
        }
        self.inspect(&found)
    }

    fn inspect(&self, found: &State) -> Result<()> {
        let sum: i64 = ACCOUNTS.iter().map(|account| found.integer(account)).sum();
        let expected = CAPITAL * i64::try_from(ACCOUNTS.len())?;
        ensure!(sum == expected, "the sum is {sum} and should be {expected}: a transfer was made in part");
        self.inspections.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

fn increment(step: &str, account: &str, by: i64) -> String {
    format!(
        "<sessionAttributeManagement name=\"{step}\"><incrementAttribute name=\"{account}\" by=\"{by}\"/>\
         </sessionAttributeManagement>"
    )
}

/// Looks at all accounts at once, all the time.
async fn inspector(bank: Arc<Bank>, mut link: Link) -> Result<()> {
    while !bank.is_closing.load(Ordering::Relaxed) {
        match look(&mut link, &bank.session, 0).await? {
            Found::Alive(found) => bank.inspect(&found)?,
            Found::Lost => {}
            other => bail!("the bank is {other:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Transfers until the bank closes, and repeats some of it.
async fn client(bank: Arc<Bank>, mut link: Link, mut random: Random) -> Result<()> {
    while !bank.is_closing.load(Ordering::Relaxed) {
        let from = random.place(ACCOUNTS.len());
        let to = (from + 1 + random.place(ACCOUNTS.len() - 1)) % ACCOUNTS.len();
        let amount = i64::try_from(random.within(1..100))?;
        let session = format!("<session id=\"{}\"/>", bank.session);
        let (out, into) = (increment("out", ACCOUNTS[from], -amount), increment("in", ACCOUNTS[to], amount));
        let ask = Ask::perform(document(&format!("{session}{out}{into}"))).with_key(Some(random.word(16)));
        let first = if random.chance(10) { twice_at_once(&bank, &mut link, &ask).await? } else { None };
        let first = match first {
            Some(first) => first,
            None => until_answered(&bank, &mut link, &ask).await?,
        };
        bank.balances[from].fetch_sub(amount, Ordering::Relaxed);
        bank.balances[to].fetch_add(amount, Ordering::Relaxed);
        bank.transfers.fetch_add(1, Ordering::Relaxed);
        // That costs no write, and is what a doubled effect shows in.
        if random.chance(50) {
            let again = until_answered(&bank, &mut link, &ask).await?;
            ensure!(again.body == first.body, "another answer: {}\ninstead of {}", again.text(), first.text());
            bank.replays.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok(())
}

/// Sends a request for as long as it has no answer.
async fn until_answered(bank: &Bank, link: &mut Link, ask: &Ask) -> Result<Reply> {
    loop {
        match link.send(ask).await? {
            Exchange::Answered(reply) if reply.is_completed() => return Ok(reply),
            // Others are before it, or the same request of before the connection broke still runs.
            Exchange::Answered(reply) if matches!(reply.status, 409 | 423 | 503) => {
                ensure!(reply.fault()?.retryable, "it can't be tried again: {}", reply.text());
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Exchange::Answered(reply) => bail!("no transfer: {} {}", reply.status, reply.text()),
            Exchange::Lost => {
                bank.broken_off.fetch_add(1, Ordering::Relaxed);
            }
            Exchange::Over => bail!("the service is gone for good"),
        }
    }
}

/// Sends a request on two connections at once. One does the work; the other is told that it is on its way, or gets the same
/// answer. `None` when neither was answered.
async fn twice_at_once(bank: &Bank, link: &mut Link, ask: &Ask) -> Result<Option<Reply>> {
    let mut second = link.another()?;
    let (one, other) = tokio::join!(link.send(ask), second.send(ask));
    let mut first: Option<Reply> = None;
    for exchange in [one?, other?] {
        let Exchange::Answered(reply) = exchange else { continue };
        if !reply.is_completed() {
            ensure!(matches!(reply.status, 409 | 423 | 503), "no transfer: {} {}", reply.status, reply.text());
            continue;
        }
        if let Some(first) = &first {
            ensure!(first.body == reply.body, "two answers: {}\nand {}", first.text(), reply.text());
        }
        first = Some(reply);
    }
    bank.twins.fetch_add(1, Ordering::Relaxed);
    Ok(first)
}
