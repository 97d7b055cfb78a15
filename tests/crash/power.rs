//! Part `power`: the power goes, and the disk keeps what was synced and any part of the rest.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::client::Task;
use crate::crew::{Crew, Host};
use crate::home::{Durability, Home};
use crate::layer::Layer;
use crate::options::Options;
use crate::platter::{Loss, Platter};
use crate::progress::Progress;
use crate::random::Random;
use crate::trace::{self, Event, Record};
use crate::witness::Witness;

/// How many services in a row write the trace. All but the last are killed.
const SERVICES: u64 = 3;

/// What stands beside the store and is not in the trace.
const CONFIGURATION: [&str; 2] = ["resource.xml", "session.xml"];

pub(crate) fn run(options: &Options, seed: u64, folder: &Path, library: &Path) -> Result<String> {
    let full = Loaded::new(options, seed, &folder.join("full"), library, Durability::Full)?;
    let full_looks = full.check(options.images * 3 / 4, "power", Durability::Full, &Loss::ALL)?;
    let os = Loaded::new(options, seed, &folder.join("os"), library, Durability::Os)?;
    let os_images = options.images.div_ceil(4);
    let os_looks = os.check(os_images, "power, os", Durability::Os, &Loss::ALL)?;
    // The check itself is checked: what the system only had in memory can't pass for safe.
    let passed = os.check(os_images.min(6), "power, control", Durability::Full, &[Loss::Everything]);
    ensure!(passed.is_err(), "with durability=\"os\" nothing that was answered is lost: the check is blind");
    Ok(format!("durability=\"full\": {full_looks}\ndurability=\"os\": {os_looks}"))
}

/// A trace of a service under load, and what its clients say.
struct Loaded {
    home: Home,
    durability: Durability,
    records: Vec<Record>,
    /// In so many of them the store is made; nobody has asked for anything by then.
    birth: usize,
    witness: Witness,
    seed: u64,
    answered: u64,
}

impl Loaded {
    fn new(options: &Options, seed: u64, folder: &Path, library: &Path, durability: Durability) -> Result<Self> {
        let home = Home::new(folder, durability)?;
        let layer = Layer::new(library, &home, true)?;
        let trace = layer.trace().context("a layer that traces")?;
        let mut host = Host::new(&home, Some(&layer));
        let task = Task { keeps_history: true, store_may_fail: false };
        let mut crew = Crew::hire(&host, options.clients, seed, task)?;
        for _ in 0..SERVICES {
            host.serve()?;
            host.wait(Duration::from_millis(500 + 10 * options.images))?;
            host.kill()?;
            crew.check()?;
            add_what_was_cut_off(trace, &home)?;
        }
        host.serve_last()?;
        let (clients, report) = crew.finish(Duration::from_mins(2))?;
        host.stop()?;
        let records = trace::read(trace)?;
        let missing = after_all(&records).missing(&home.data(), &CONFIGURATION)?;
        ensure!(
            missing.is_empty(),
            "the file layer did not see everything: {} changes, {:?}",
            missing.len(),
            missing.first()
        );
        let witness = Witness::of(clients);
        let begun = witness.begun().context("nobody asked for anything")?;
        let birth = records.partition_point(|record| record.end <= begun);
        Ok(Self { home, durability, records, birth, witness, seed, answered: report.answered() })
    }

    /// Makes so many states of the disk, starts a service on each, and looks at its sessions.
    fn check(&self, images: u64, name: &'static str, durability: Durability, losses: &[Loss]) -> Result<String> {
        let mut random = Random::new(self.seed, name);
        let points = self.points(images, &mut random);
        let progress = Progress::new(name, points.len() as u64);
        let (mut platter, mut applied, mut looked_at) = (Platter::default(), 0, 0);
        for point in &points {
            for record in &self.records[applied..*point] {
                platter.apply(record);
            }
            applied = *point;
            let at = self.records[..applied].last().map_or(0, |record| record.end);
            let loss = *random.pick(losses);
            looked_at += self.check_image(&platter, loss, at, durability, &mut random).with_context(|| {
                format!("the power went at byte {at} of the trace, and {loss:?} of what waited was lost")
            })?;
            progress.step(String::new);
        }
        Ok(format!(
            "{} states of the disk out of {} records, {looked_at} sessions compared; {} requests had been answered",
            points.len(),
            self.records.len(),
            self.answered
        ))
    }

    fn check_image(
        &self,
        platter: &Platter,
        loss: Loss,
        at: u64,
        durability: Durability,
        random: &mut Random,
    ) -> Result<u64> {
        let folder = self.home.folder().join("image");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let home = self.home.copy_without_data(&folder)?;
        platter.write_image(random, loss, &home.data())?;
        let mut host = Host::new(&home, None);
        host.serve()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let looked_at = runtime.block_on(self.witness.check(&mut host.link()?, at, durability, random))?;
        host.kill()?;
        Ok(looked_at)
    }

    /// Numbers of records behind which the power goes, rising: some while the store is made, half of the others just before a
    /// sync, when most is at stake, some just behind one, the rest anywhere. Where commits are not synced, all of them are
    /// anywhere: those few syncs are of starts, and little is at stake there.
    fn points(&self, count: u64, random: &mut Random) -> Vec<usize> {
        let is_sync = |record: &Record| matches!(record.event, Event::Synced { .. } | Event::FolderSynced { .. });
        let mut syncs: Vec<usize> = (self.birth..self.records.len()).filter(|at| is_sync(&self.records[*at])).collect();
        if self.durability == Durability::Os {
            syncs.clear();
        }
        let mut points: Vec<usize> = (0..count)
            .map(|_| match random.within(0..8) {
                0 => random.place(self.birth + 1),
                1..5 if !syncs.is_empty() => *random.pick(&syncs),
                5 | 6 if !syncs.is_empty() => *random.pick(&syncs) + 1,
                _ => self.birth + random.place(self.records.len() - self.birth + 1),
            })
            .collect();
        points.sort_unstable();
        points
    }
}

fn after_all(records: &[Record]) -> Platter {
    let mut platter = Platter::default();
    for record in records {
        platter.apply(record);
    }
    platter
}

/// A service that is killed between a change and its record leaves a trace that says too little: one change, no more.
fn add_what_was_cut_off(trace: &Path, home: &Home) -> Result<()> {
    let records = trace::read(trace)?;
    let missing = after_all(&records).missing(&home.data(), &CONFIGURATION)?;
    trace::append(trace, &missing)
}
