//! Kills the service, takes its disk away, and looks whether everything that was answered is still there.
//!
//! Clients ([`client`]) keep account of what they were told ([`held`], [`state`]). The service is the real binary
//! ([`service`]), over a file layer ([`layer`], `disk/*.c`) that kills it in the middle of an operation, makes the disk fail,
//! and notes what was written and what was synced. `scripts/crash-test --help` says how to run it, docs/guarantees.md what it
//! shows.

mod client;
mod crew;
mod damage;
#[path = "../it/databases/mod.rs"]
mod databases;
mod deadlines;
mod faults;
mod held;
mod home;
mod ingest;
mod kills;
mod layer;
mod money;
mod options;
mod platter;
mod power;
mod progress;
mod random;
mod report;
mod request;
mod service;
mod settle;
mod state;
mod trace;
mod transfers;
mod volume;
mod wire;
mod witness;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::Parser;

use layer::Layer;
use options::Options;
use random::Random;

/// A part: what it shows, and what it did, for the summary.
type Part = fn(&Options, u64, &Path, &Path) -> Result<String>;

const PARTS: [(&str, Part); 9] = [
    ("kills", kills::run),
    ("money", money::run),
    ("power", power::run),
    ("faults", faults::run),
    ("damage", damage::run),
    ("ingest", ingest::run),
    ("transfers-postgres", transfers::postgres),
    ("transfers-mariadb", transfers::mariadb),
    ("transfers-both", transfers::both),
];

fn main() -> ExitCode {
    let options = Options::parse();
    let wanted: Vec<_> = PARTS.iter().filter(|(name, _)| options.wants(name)).collect();
    if options.list {
        for (name, _) in wanted {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    let seed = options.seed.unwrap_or_else(new_seed);
    for (name, part) in wanted {
        if let Err(failure) = alone(name, *part, &options, seed) {
            let causes: Vec<String> = failure.chain().map(ToString::to_string).collect();
            eprintln!("\n{name} failed: {}", causes.join("\n  "));
            eprintln!("\nto repeat it: scripts/crash-test {name} --seed {seed} {}", form(&options));
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Runs a part in a folder of its own, which is kept if it fails.
fn alone(name: &str, part: Part, options: &Options, seed: u64) -> Result<()> {
    println!("{name}: seed {seed}");
    let folder = tempfile::Builder::new().prefix("crash-").tempdir()?;
    let library = Layer::build(folder.path())?;
    let begun = Instant::now();
    match part(options, seed, &folder.path().join(name), &library) {
        Ok(summary) => {
            println!("{name}: passed in {:.1?}\n  {}", begun.elapsed(), summary.replace('\n', "\n  "));
            Ok(())
        }
        Err(failure) => Err(failure.context(format!("its folder is kept: {}", folder.keep().display()))),
    }
}

fn form(options: &Options) -> String {
    let Options { kills, images, seconds, clients, .. } = options;
    format!("--kills {kills} --images {images} --seconds {seconds} --clients {clients}")
}

/// A seed that another run does not have.
fn new_seed() -> u64 {
    let now = chrono::Utc::now().timestamp_micros().unsigned_abs();
    Random::new(now, "seed").next() >> 32
}
